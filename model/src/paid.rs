//! The journal of paid calls: written down before the byte leaves, answered before anything is parsed.

use crate::defect::Defect;
use crate::promise::Promise;
use crate::protocol::Protocol;
use crate::step::Step;
use crate::world::{Journal, Phase, World};

impl Protocol {
    /// One conditional statement decides: a stored answer is returned, a lost lease ends the attempt, and otherwise
    /// the call is written down as dispatched and leaves.
    pub(crate) fn pay(&self, world: &mut World, worker: usize) {
        let Some(work) = world.workers[worker].as_mut() else {
            return;
        };
        if world.journal == Journal::Answered && !self.has(Defect::PayAgain) {
            work.phase = Phase::Stored;
            return;
        }
        work.phase = Phase::Called;
        let work = *work;
        if !self.has(Defect::PayWithoutLease) && !self.holds(world, work) {
            world.workers[worker] = None;
            return;
        }
        if world.journal == Journal::Answered {
            world.break_promise(Promise::StoredAnswerNotPaidAgain);
        }
        if world.row(Step::UndoB).epoch > 0 {
            world.break_promise(Promise::NoCallAfterUndo);
        }
        world.journal = Journal::Dispatched;
        world.paid += 1;
        if world.paid > world.row(Step::PAID).epoch {
            world.break_promise(Promise::PaidAtMostOncePerClaim);
        }
    }
}

impl World {
    /// The raw answer goes under the step's key at once, whoever holds the lease by now: it is paid for.
    pub(crate) fn store_answer(&mut self, worker: usize) {
        if let Some(work) = self.workers[worker].as_mut() {
            work.phase = Phase::Stored;
            self.journal = Journal::Answered;
        }
    }
}
