//! One saga in memory: its row, its steps, and every change that a transaction is about to write.
//!
//! The store loads runs under the saga's row lock, the methods here decide, the store saves what
//! changed. Nothing here does I/O or reads a clock.

mod children;
mod foresee;
mod go_on;
mod intervene;
mod reviews;
mod rows;
mod skip;
mod steer;
mod unwind;
mod wake;
mod why;
mod work;

pub use foresee::Consequence;
pub use intervene::Refused;
pub(crate) use reviews::review_id;
pub(crate) use rows::nth_child_id;
pub use rows::{Ending, Event, Heard, NewLetter, Parent, Role, SagaRow, StepRow, child_id};
pub use skip::Skip;
pub use steer::Hindered;
pub(crate) use wake::ticket_due;
pub use why::{Outside, Reason, Why};
pub use work::{Answer, Lease, Settled};

use crate::journal::{Class, Entry, Failure, Journal, Key, State};
use crate::state::{Illegal, SagaEvent, SagaState, StepEvent, StepState, next_saga, next_step};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// How long a step may be ready before the sweeper sees to its ticket.
const TICKET_GRACE: TimeDelta = TimeDelta::seconds(2);
/// Most requests one saga makes; a saga that needs more is split in two.
pub const STEPS_MAX: usize = 1_000;
/// Most children that one saga has at once. Each of their ends is told under their saga's lock, and its function
/// runs over all that it ever asked for: what that comes to grows with the square of their number. 250 side by side
/// take less than twice as long as ten sagas with 25 each; from about here on it is the square that counts.
pub const CHILDREN_MAX: usize = 256;
/// Largest input, of a saga or of a step, as JSON.
pub const INPUT_BYTES_MAX: usize = 64 * 1024;
/// Crashes and dead leases after which a step is not tried again.
pub const CRASHES_MAX: i64 = 3;

/// One saga in memory, with the changes that are not written yet.
#[derive(Debug, Clone)]
pub struct Run {
    /// The saga's row.
    pub saga: SagaRow,
    /// Its steps by position. A claim loads only those it is after.
    pub steps: Vec<StepRow>,
    /// Its unheard news, loaded when there is some.
    pub signals: Vec<Heard>,
    /// History to append.
    pub events: Vec<Event>,
    /// Letters to write.
    pub letters: Vec<NewLetter>,
    /// Steps whose stored answers proved useless.
    pub spoiled: Vec<Key>,
    /// Why every open letter of this saga ends, if it does.
    pub letters_end: Option<&'static str>,
    /// Whether its kind is switched off: nothing of it is taken, and no ticket goes out for it.
    pub(crate) kept: bool,
    /// Steps from here on are not in the store yet.
    pub(crate) stored: usize,
    /// Stored steps that changed.
    pub(crate) touched: BTreeSet<usize>,
    /// The saga's row as it was read.
    pub(crate) was: Version,
    /// Whether it stood still when it was read.
    stood_still: bool,
}

/// What tells a saga's row from every earlier and later one of the same saga: the number of its last
/// event, and when it was last written, for the few changes that are no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) seq: i64,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Run {
    /// A run as the store has it.
    pub fn loaded(saga: SagaRow, steps: Vec<StepRow>, signals: Vec<Heard>) -> Self {
        Self {
            was: saga.version(),
            stood_still: saga.state.stands_still(),
            saga,
            stored: steps.len(),
            steps,
            signals,
            events: vec![],
            letters: vec![],
            spoiled: vec![],
            letters_end: None,
            kept: false,
            touched: BTreeSet::new(),
        }
    }

    /// The same, now that its changes are in the store.
    pub(crate) fn saved(self) -> Self {
        let unheard = self.signals.into_iter().filter(|news| news.by.is_none());
        let signals = unheard.collect();
        Self::loaded(self.saga, self.steps, signals)
    }

    /// Whether its rows are all that is to be written: no letters, no news taken, nothing set aside,
    /// nobody asked, and no other saga begins or goes on by it.
    pub(crate) fn is_plain(&self) -> bool {
        let nothing_rare = self.letters.is_empty() && self.spoiled.is_empty();
        nothing_rare
            && self.letters_end.is_none()
            && self.unborn().next().is_none()
            && !(self.moves_again() && self.saga.parent.is_some())
            && self.reviews_moved().next().is_none()
            && (self.saga.parent.is_none() || !self.saga.state.is_final())
            && self.signals.iter().all(|news| news.by.is_none())
    }

    /// Whether all of the saga is here, its unheard news, too.
    pub(crate) fn is_whole(&self) -> bool {
        usize::try_from(self.saga.inbox) == Ok(self.signals.len())
    }

    /// Finds a step by its key.
    pub fn find(&self, key: &Key) -> Option<usize> {
        self.steps.iter().position(|step| step.key == *key)
    }

    /// Whether it stood still when it was read, and moves again: on, or back.
    pub(crate) fn moves_again(&self) -> bool {
        self.stood_still && !self.saga.state.stands_still()
    }

    /// Whether anything is to be written.
    pub fn changed(&self) -> bool {
        !self.touched.is_empty() || self.stored < self.steps.len() || !self.events.is_empty()
    }

    /// Steps that became ready in this transaction: they want a ticket after it. Of a kind that is switched
    /// off none does.
    pub fn made_ready(&self) -> impl Iterator<Item = &StepRow> {
        let changed = |at: &usize| self.touched.contains(at) || *at >= self.stored;
        let ready =
            |step: &&StepRow| step.state == StepState::Ready && step.tickets == 0 && !self.kept;
        (0..self.steps.len())
            .filter(changed)
            .map(|at| &self.steps[at])
            .filter(ready)
    }

    pub(crate) fn event(&mut self, name: &'static str, step: Option<&Key>, data: Option<Value>) {
        self.saga.seq += 1;
        self.events.push(Event {
            seq: self.saga.seq,
            name,
            step: step.cloned(),
            data,
        });
    }

    /// Moves a step along, if the table allows it.
    pub(crate) fn move_step(
        &mut self,
        at: usize,
        event: StepEvent,
    ) -> Result<(), Illegal<StepState, StepEvent>> {
        let step = &mut self.steps[at];
        step.state = next_step(step.state, event)?;
        if at < self.stored {
            self.touched.insert(at);
        }
        Ok(())
    }

    /// Moves the saga along, if the table allows it.
    pub(crate) fn move_saga(
        &mut self,
        event: SagaEvent,
    ) -> Result<(), Illegal<SagaState, SagaEvent>> {
        self.saga.state = next_saga(self.saga.state, event)?;
        Ok(())
    }

    /// Gives a step to whoever takes it first: a new turn, so that older tickets are void. In a paused
    /// saga it is held until that goes on.
    pub(crate) fn make_ready(&mut self, at: usize, now: DateTime<Utc>) {
        if self.move_step(at, StepEvent::MakeReady).is_err() {
            return;
        }
        let step = &mut self.steps[at];
        step.turn += 1;
        step.tickets = 0;
        step.worker = None;
        step.settled = None;
        step.finished_at = None;
        step.wake_at = Some(now + TICKET_GRACE);
        if self.saga.state == SagaState::Paused {
            self.hold(at);
        }
    }

    pub(crate) fn cancel_step(&mut self, at: usize, now: DateTime<Utc>) {
        if self.move_step(at, StepEvent::Cancel).is_ok() {
            let step = &mut self.steps[at];
            step.wake_at = None;
            step.finished_at = Some(now);
        }
    }

    /// The number that the next answer gets.
    pub(crate) fn next_settled(&self) -> i64 {
        self.steps
            .iter()
            .filter_map(|step| step.settled)
            .max()
            .unwrap_or(0)
            + 1
    }

    /// Whether any deed or undo is in a worker's hands, or may come to be.
    pub(crate) fn at_work(&self) -> bool {
        let busy = |state| {
            matches!(
                state,
                StepState::Ready | StepState::Leased | StepState::Retrying
            )
        };
        self.steps.iter().any(|step| busy(step.state))
    }

    /// The history in the form that the saga's function reads.
    pub(crate) fn journal(&self) -> Journal {
        let mut journal = Journal::default();
        for step in &self.steps {
            let state = match (step.state, &step.output, &step.error) {
                (StepState::Done, Some(output), _) => State::Done(output.clone()),
                (StepState::Failed, _, Some(failure)) => State::Failed(failure.clone()),
                _ => State::Pending,
            };
            journal.insert(
                step.key.clone(),
                Entry {
                    recorded: step.role.recorded(&step.input),
                    state,
                    settled: step.settled.unwrap_or(0),
                },
            );
        }
        journal
    }

    /// Who made the last attempt at a step, as the history of this transaction tells.
    pub(crate) fn last_worker(&self, step: Option<usize>) -> Option<String> {
        let key = &self.steps[step?].key;
        let of = |event: &&Event| event.step.as_ref() == Some(key) && event.data.is_some();
        let worker = |event: &Event| Some(event.data.as_ref()?.get("worker")?.as_str()?.to_owned());
        self.events.iter().rev().filter(of).find_map(worker)
    }

    /// Opens a letter unless one is open already.
    pub(crate) fn write_letter(&mut self, step: Option<usize>, failure: &Failure) {
        let (open, name) = match step {
            // A child has no turns.
            Some(at) if self.steps[at].role == Role::Child => (
                self.steps[at].letter_id,
                format!("letter {} at {}", self.steps[at].key, self.saga.seq),
            ),
            Some(at) => (
                self.steps[at].letter_id,
                format!("letter {} {}", self.steps[at].key, self.steps[at].turn),
            ),
            None => (self.saga.letter_id, format!("letter {}", self.saga.seq)),
        };
        if open.is_some() {
            return;
        }
        let id = Uuid::new_v5(&self.saga.id, name.as_bytes());
        match step {
            Some(at) => {
                self.steps[at].letter_id = Some(id);
                if at < self.stored {
                    self.touched.insert(at);
                }
            }
            None => self.saga.letter_id = Some(id),
        }
        self.letters.push(NewLetter {
            id,
            step,
            failure: failure.clone(),
        });
    }
}

impl Failure {
    /// The saga was late.
    pub(crate) fn deadline() -> Self {
        let message = "deadline_exceeded: its work took longer than this kind may".to_owned();
        Self {
            step: Key::stored("saga"),
            class: Class::Verdict,
            message,
        }
    }
}
