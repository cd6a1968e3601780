//! What people do: cancel a saga, replay a letter, discard it.

use crate::defect::Defect;
use crate::promise::Promise;
use crate::protocol::Protocol;
use crate::step::{Step, Steps};
use crate::world::{SagaState, World};

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
}
