//! The sweeper: what nobody else will notice. (It also publishes: see [`crate::start`].)

use crate::defect::Defect;
use crate::protocol::Protocol;
use crate::step::Step;
use crate::world::{RowState, SagaState, World};

impl Protocol {
    /// A lease ended. Whether its worker died or is only slow, the store cannot tell.
    pub(crate) fn expire(&self, world: &mut World, step: Step) {
        let epoch = world.row(step).epoch;
        for work in world.workers.iter_mut().flatten() {
            work.is_late |= work.step == step && work.epoch == epoch;
        }
        let is_called_off = world.saga == SagaState::Undoing && !step.is_undo();
        let fresh = if is_called_off && !self.has(Defect::ExpiryForgetsUndo) {
            world.row_mut(step).state = RowState::Cancelled;
            self.follow(world)
        } else if world.row(step).attempts >= self.claims_max {
            if self.has(Defect::ExpiryForgetsToPark) && !step.is_undo() {
                world.row_mut(step).state = RowState::Failed;
                return;
            }
            self.give_up(world, step)
        } else {
            world.make_ready(step, !self.has(Defect::OneNumber))
        };
        self.announce(world, fresh);
    }

    /// A retry's timer is due.
    pub(crate) fn wake(&self, world: &mut World, step: Step) {
        let fresh = world.make_ready(step, !self.has(Defect::RetryKeepsTurn));
        self.announce(world, fresh);
    }
}
