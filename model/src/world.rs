//! Everything that is remembered anywhere: in the store, in the broker, in a worker, and (for us alone) in the record.

use crate::faults::Faults;
use crate::promise::{Broken, Promise};
use crate::step::{Step, Steps};
use std::fmt;

/// `Absent` until accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SagaState {
    Absent,
    Running,
    /// Held by a person. Nothing follows from what is brought, and what was ready waits.
    Paused,
    /// Held for an operator; a letter says why.
    Parked,
    /// Set by a cancel or a discard at once; the first undo becomes ready when no deed is leased any more.
    Undoing,
    Succeeded,
    Undone,
    /// An undo gave up; a letter says why.
    Stuck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowState {
    Absent,
    /// An armed undo that was not needed yet; a deed that was ready when its saga was paused.
    Waiting,
    Ready,
    Leased,
    /// A timer runs; then ready again.
    Retrying,
    Done,
    Failed,
    Cancelled,
}

/// A step's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub state: RowState,
    /// On the ticket. Rises whenever the step becomes ready anew.
    pub turn: u8,
    /// Never leaves the store and the claim. Rises with every claim.
    pub epoch: u8,
    /// Claims since the step was inserted or replayed.
    pub attempts: u8,
}

impl Row {
    /// Somebody works on it or will.
    pub fn is_in_flight(self) -> bool {
        matches!(
            self.state,
            RowState::Ready | RowState::Leased | RowState::Retrying
        )
    }
}

/// What the journal knows of the paid call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Journal {
    Nothing,
    Dispatched,
    Answered,
}

/// "This step is ready", in the broker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    pub step: Step,
    pub turn: u8,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}/{}", self.step, self.turn)
    }
}

/// A set of tickets. It has no order, as a broker has none that could be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tickets(u64);

/// More turns than any fault budget of the suite can reach.
const TURNS: u8 = 8;

impl Tickets {
    fn bit(ticket: Ticket) -> u64 {
        assert!(
            ticket.turn < TURNS,
            "the fault budget allows too many turns"
        );
        1 << (ticket.step.index() * usize::from(TURNS) + usize::from(ticket.turn))
    }

    pub fn insert(&mut self, ticket: Ticket) {
        self.0 |= Self::bit(ticket);
    }

    pub fn remove(&mut self, ticket: Ticket) {
        self.0 &= !Self::bit(ticket);
    }

    pub fn contains(self, ticket: Ticket) -> bool {
        self.0 & Self::bit(ticket) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Ticket> {
        Step::ALL
            .into_iter()
            .flat_map(|step| (0..TURNS).map(move |turn| Ticket { step, turn }))
            .filter(move |ticket| self.contains(*ticket))
    }
}

/// How far a worker is with the paid call. Steps that pay nothing stay `Fresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    Fresh,
    /// The answer is in the worker's memory only.
    Called,
    Stored,
    /// The settling transaction read the rows while the sibling was at work: in designs without the saga's lock.
    Settling,
}

/// A step in a worker's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Work {
    pub step: Step,
    pub turn: u8,
    pub epoch: u8,
    pub phase: Phase,
    /// The delivery waits for its ack. A step that was run on to has none.
    pub is_unacked: bool,
    /// The lease ended meanwhile, or, without one, the saga has changed. The worker does not know.
    pub is_late: bool,
    /// The store does not know of the claim: it is written with the answer.
    pub is_unleased: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    // The store.
    pub saga: SagaState,
    pub pivoted: bool,
    pub rows: [Row; 7],
    /// Steps with an open letter.
    pub letters: Steps,
    pub journal: Journal,
    // The broker, and what is on its way there.
    pub broker: Tickets,
    /// Committed and not yet published, in the memory of some process. Kept only in designs without a sweeper: a
    /// sweeper that may publish at any time already does, in the model, all that the process itself would do.
    pub unpublished: Tickets,
    /// A ticket left before its commit: in one bad design only.
    pub is_published_early: bool,
    /// Ever published. Kept only in designs that rely on it.
    pub marked: Tickets,
    // Workers and admins, sorted: which is which does not matter.
    pub workers: [Option<Work>; 3],
    /// Letters seen open by admins. Kept only in designs that act on what was seen; the others look again.
    pub seen: [Option<Step>; 2],
    // The record. The protocol never reads it.
    /// Steps whose effect was recorded.
    pub effects: Steps,
    /// Deeds that a person answered for. Their rows are done; nobody did them.
    pub skipped: Steps,
    /// Steps whose latest letter was replayed.
    pub replayed: Steps,
    pub paid: u8,
    pub broken: Broken,
    pub left: Faults,
}

impl World {
    pub fn new(faults: Faults) -> Self {
        let absent = Row {
            state: RowState::Absent,
            turn: 0,
            epoch: 0,
            attempts: 0,
        };
        Self {
            saga: SagaState::Absent,
            pivoted: false,
            rows: [absent; 7],
            letters: Steps::NONE,
            journal: Journal::Nothing,
            broker: Tickets::default(),
            unpublished: Tickets::default(),
            is_published_early: false,
            marked: Tickets::default(),
            workers: [None; 3],
            seen: [None; 2],
            effects: Steps::NONE,
            skipped: Steps::NONE,
            replayed: Steps::NONE,
            paid: 0,
            broken: Broken::default(),
            left: faults,
        }
    }

    pub fn row(&self, step: Step) -> Row {
        self.rows[step.index()]
    }

    pub fn row_mut(&mut self, step: Step) -> &mut Row {
        &mut self.rows[step.index()]
    }

    pub fn is(&self, step: Step, state: RowState) -> bool {
        self.row(step).state == state
    }

    pub fn ticket(&self, step: Step) -> Ticket {
        Ticket {
            step,
            turn: self.row(step).turn,
        }
    }

    pub fn is_any_deed_leased(&self) -> bool {
        Step::WORK
            .into_iter()
            .any(|step| self.is(step, RowState::Leased))
    }

    /// Some undo is no longer just armed.
    pub(crate) fn has_undone(&self) -> bool {
        let mut undos = Step::UNDO.into_iter();
        undos.any(|undo| self.row(undo).is_in_flight() || self.row(undo).epoch > 0)
    }

    pub fn is_over(&self) -> bool {
        matches!(self.saga, SagaState::Succeeded | SagaState::Undone)
    }

    /// Inserts a deed as ready and its undo as waiting, in the transaction that wants it.
    pub(crate) fn insert(&mut self, step: Step) -> Steps {
        if !self.is(step, RowState::Absent) {
            return Steps::NONE;
        }
        self.row_mut(step).state = RowState::Ready;
        if let Some(undo) = step.undo() {
            self.row_mut(undo).state = RowState::Waiting;
        }
        Steps::one(step)
    }

    /// Ready anew is ready under a new turn: tickets of the turn before are worth nothing. In a paused saga it waits
    /// for the resumption.
    pub(crate) fn make_ready(&mut self, step: Step, in_new_turn: bool) -> Steps {
        let is_paused = self.saga == SagaState::Paused;
        let row = self.row_mut(step);
        row.turn += u8::from(in_new_turn);
        if is_paused {
            row.state = RowState::Waiting;
            return Steps::NONE;
        }
        row.state = RowState::Ready;
        Steps::one(step)
    }

    /// Takes the row under a lease. The attempt counts from here, whatever becomes of the worker.
    pub(crate) fn lease(&mut self, step: Step, is_unacked: bool) -> Work {
        let row = self.row_mut(step);
        row.state = RowState::Leased;
        row.epoch += 1;
        row.attempts += 1;
        Work {
            step,
            turn: row.turn,
            epoch: row.epoch,
            phase: Phase::Fresh,
            is_unacked,
            is_late: false,
            is_unleased: false,
        }
    }

    /// Takes a step that nobody is kept from: the store is only looked at.
    pub(crate) fn look(&self, step: Step) -> Work {
        let row = self.row(step);
        Work {
            step,
            turn: row.turn,
            epoch: row.epoch + 1,
            phase: Phase::Fresh,
            is_unacked: true,
            is_late: false,
            is_unleased: true,
        }
    }

    /// Whoever took a step without a lease has seen another saga than the one that is there now.
    pub(crate) fn overtake(&mut self, before: &Self) {
        let store = |world: &Self| (world.saga, world.pivoted, world.rows, world.letters);
        if store(self) != store(before) {
            for work in self.workers.iter_mut().flatten() {
                work.is_late |= work.is_unleased;
            }
        }
    }

    pub(crate) fn write_letter(&mut self, step: Step) {
        self.letters.insert(step);
        self.replayed.remove(step);
    }

    pub(crate) fn break_promise(&mut self, promise: Promise) {
        self.broken.insert(promise);
    }

    pub(crate) fn sort(&mut self) {
        self.workers.sort_unstable();
        self.seen.sort_unstable();
    }
}
