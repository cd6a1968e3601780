//! What people do: cancel a saga, pause it, answer in a step's place, replay a letter, discard it.

use crate::defect::Defect;
use crate::promise::Promise;
use crate::protocol::Protocol;
use crate::step::{Step, Steps};
use crate::world::{RowState, SagaState, World};

impl Protocol {
    /// Allowed until the pivot. A parked saga's letters are closed with it, in the same transaction.
    pub(crate) fn cancel(&self, world: &mut World) {
        if !self.has(Defect::CancelLeavesLetterOpen) {
            world.letters = Steps::NONE;
        }
        self.begin_undo(world);
    }

    /// Compare and set on the letter; then the step is ready under a new turn and its attempts start anew. Of a
    /// saga with two letters the other stays open, and the saga parks again when it gets there.
    pub(crate) fn replay(&self, world: &mut World, step: Step, admin: Option<usize>) {
        if let Some(admin) = admin {
            world.seen[admin] = None;
        }
        if world.replayed.contains(step) {
            world.break_promise(Promise::OneReplayPerLetter);
        }
        world.replayed.insert(step);
        world.letters.remove(step);
        world.saga = if step.is_undo() {
            SagaState::Undoing
        } else {
            SagaState::Running
        };
        world.row_mut(step).attempts = 0;
        if self.has(Defect::ReplayResetsEpoch) {
            world.row_mut(step).epoch = 0;
        }
        let fresh = world.make_ready(step, true);
        self.announce(world, fresh);
    }

    /// Compare and set on the letter, holding the saga row; all the saga's letters are closed and undo begins.
    pub(crate) fn discard(&self, world: &mut World, admin: Option<usize>) {
        if let Some(admin) = admin {
            world.seen[admin] = None;
        }
        world.letters = Steps::NONE;
        self.begin_undo(world);
    }

    /// What was ready is ready anew, and whatever was brought meanwhile is taken up.
    pub(crate) fn resume(&self, world: &mut World) {
        world.saga = SagaState::Running;
        let mut fresh = Steps::NONE;
        for step in Step::WORK {
            if world.is(step, RowState::Waiting) {
                fresh = fresh.and(world.make_ready(step, true));
            }
        }
        let fresh = fresh.and(self.follow(world));
        self.announce(world, fresh);
    }

    /// The step is done and its letter closed, in one transaction; no worker may have it.
    pub(crate) fn skip(&self, world: &mut World, step: Step) {
        world.row_mut(step).state = RowState::Done;
        world.skipped.insert(step);
        world.letters.remove(step);
        if world.saga == SagaState::Parked {
            world.saga = SagaState::Running;
        }
        let fresh = self.follow(world);
        self.announce(world, fresh);
    }
}

impl World {
    /// Whoever has a step goes on with it; nothing further is taken.
    pub(crate) fn pause(&mut self) {
        self.saga = SagaState::Paused;
        for step in Step::WORK {
            if self.is(step, RowState::Ready) {
                self.row_mut(step).state = RowState::Waiting;
            }
        }
    }

    pub(crate) fn is_skippable(&self, step: Step) -> bool {
        match self.row(step).state {
            RowState::Ready | RowState::Retrying | RowState::Waiting => true,
            RowState::Failed => self.letters.contains(step),
            RowState::Absent | RowState::Leased | RowState::Done | RowState::Cancelled => false,
        }
    }
}
