//! The settling transaction: an answer, its effect, and all that follows, or nothing at all.

use crate::defect::Defect;
use crate::protocol::Protocol;
use crate::step::{Queue, Step, Steps};
use crate::world::{Phase, RowState, SagaState, Ticket, Work, World};

/// What a handler says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    Done,
    /// Done, and the worker takes the next step on its queue without a ticket.
    DoneRunOn,
    Retry,
    Fail,
}

impl Protocol {
    /// Needs `state = leased and epoch = ?`; a late worker's write touches no row and is dropped. The saga row is
    /// held throughout, so that of two siblings one sees the other's answer and completes the join. Without a lease
    /// it needs the saga to be as it was looked at; claim and answer are then one.
    pub(crate) fn settle(&self, world: &mut World, worker: usize, verdict: Verdict) {
        let Some(mut work) = world.workers[worker].take() else {
            return;
        };
        if work.is_unleased {
            if !work.is_late || self.has(Defect::UnleasedUnfenced) {
                work = Work {
                    is_late: work.is_late,
                    ..world.lease(work.step, true)
                };
            } else if !self.has(Defect::UnleasedByEpoch) {
                let (step, turn) = (work.step, work.turn);
                world.broker.insert(Ticket { step, turn });
                return;
            }
        }
        if !self.holds(world, work) {
            if self.has(Defect::RunOnIgnoresTheFence) && verdict == Verdict::DoneRunOn {
                world.workers[worker] =
                    next_on_queue(work.step).map(|step| world.lease(step, false));
            }
            return;
        }
        world.judge_settlement(work);
        if self.has(Defect::SettleWithoutLock) && work.phase == Phase::Settling {
            world.settle_unseen(work.step, verdict);
            return;
        }
        let fresh = match verdict {
            Verdict::Done | Verdict::DoneRunOn => {
                world.record_effect(work.step);
                world.row_mut(work.step).state = RowState::Done;
                self.follow(world)
            }
            Verdict::Retry => self.retry(world, work.step),
            Verdict::Fail => self.give_up(world, work.step),
        };
        if verdict == Verdict::DoneRunOn {
            self.run_on(world, fresh, worker, work.step.queue());
        } else {
            self.announce(world, fresh);
        }
    }

    /// What follows from the rows as they are now: the saga is run from the top, or its undo goes on.
    pub(crate) fn follow(&self, world: &mut World) -> Steps {
        match world.saga {
            SagaState::Running => self.advance(world),
            SagaState::Undoing if self.has(Defect::SettleForgetsUndo) && !world.has_undone() => {
                self.advance(world)
            }
            SagaState::Undoing => self.advance_undo(world),
            SagaState::Absent
            | SagaState::Paused
            | SagaState::Parked
            | SagaState::Succeeded
            | SagaState::Undone
            | SagaState::Stuck => Steps::NONE,
        }
    }

    /// The saga function: which steps are wanted, given what is done.
    fn advance(&self, world: &mut World) -> Steps {
        let is_done = |world: &World, step| world.is(step, RowState::Done);
        if is_done(world, Step::D) {
            world.saga = SagaState::Succeeded;
            return Steps::NONE;
        }
        let mut fresh = Steps::NONE;
        if is_done(world, Step::B) && is_done(world, Step::C) {
            world.pivoted = true;
            for undo in Step::UNDO {
                if world.is(undo, RowState::Waiting) && !self.has(Defect::PivotDisarmsNothing) {
                    world.row_mut(undo).state = RowState::Cancelled;
                }
            }
            fresh = world.insert(Step::D);
        } else if is_done(world, Step::A) {
            fresh = world.insert(Step::B).and(world.insert(Step::C));
        }
        world.park_when_quiet();
        fresh
    }

    /// A timer, unless the attempts are spent or the saga is being undone.
    fn retry(&self, world: &mut World, step: Step) -> Steps {
        if world.saga == SagaState::Undoing && !step.is_undo() {
            world.row_mut(step).state = RowState::Cancelled;
            self.follow(world)
        } else if world.row(step).attempts >= self.claims_max {
            self.give_up(world, step)
        } else {
            world.row_mut(step).state = RowState::Retrying;
            Steps::NONE
        }
    }

    /// A deed that gives up parks its saga, an undo that gives up leaves it stuck.
    pub(crate) fn give_up(&self, world: &mut World, step: Step) -> Steps {
        world.row_mut(step).state = RowState::Failed;
        if step.is_undo() {
            world.saga = SagaState::Stuck;
            world.write_letter(step);
        }
        self.follow(world)
    }

    /// Runs on to a step on the worker's own queue, if one became ready; announces the others.
    fn run_on(&self, world: &mut World, mut fresh: Steps, worker: usize, queue: Queue) {
        if let Some(next) = fresh.iter().find(|next| next.queue() == queue) {
            fresh.remove(next);
            world.workers[worker] = Some(world.lease(next, false));
        }
        self.announce(world, fresh);
    }
}

impl World {
    /// A saga with a failed step parks as soon as no sibling is in flight; every failed step gets a letter.
    fn park_when_quiet(&mut self) {
        let is_quiet = !Step::WORK.iter().any(|step| self.row(*step).is_in_flight());
        let has_failed = Step::WORK
            .iter()
            .any(|step| self.is(*step, RowState::Failed));
        if is_quiet && has_failed {
            self.saga = SagaState::Parked;
            for step in Step::WORK {
                if self.is(step, RowState::Failed) && !self.letters.contains(step) {
                    self.write_letter(step);
                }
            }
        }
    }

    /// A settlement that looked at the rows before its sibling settled: it sees nothing that would follow.
    fn settle_unseen(&mut self, step: Step, verdict: Verdict) {
        if verdict == Verdict::Fail {
            self.row_mut(step).state = RowState::Failed;
        } else {
            self.record_effect(step);
            self.row_mut(step).state = RowState::Done;
        }
    }
}

/// What a worker that does not ask the store takes for the next step.
fn next_on_queue(step: Step) -> Option<Step> {
    match step {
        Step::A => Some(Step::B),
        Step::B => Some(Step::D),
        Step::UndoB => Some(Step::UndoA),
        Step::C | Step::D | Step::UndoA | Step::UndoC => None,
    }
}
