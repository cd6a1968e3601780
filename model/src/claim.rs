//! What a delivered ticket turns into: a claim, or nothing.

use crate::defect::Defect;
use crate::protocol::Protocol;
use crate::world::{RowState, Ticket, Work, World};

impl Protocol {
    /// A claim needs `state = ready and turn = ?`. A ticket that finds nothing of the kind is acked and forgotten.
    pub(crate) fn deliver(&self, world: &mut World, ticket: Ticket, copy: bool) {
        if !copy {
            world.broker.remove(ticket);
        }
        if !self.is_claimable(world, ticket) {
            return;
        }
        let Some(worker) = self.idle(world) else {
            return;
        };
        let is_unacked = !self.acks_on_receive();
        world.workers[worker] = Some(world.lease(ticket.step, is_unacked));
    }

    /// A first attempt may do without a lease: the claim is left to the settlement. A worker whose attempt brought
    /// no answer claims as any other; that is this ticket, delivered again.
    pub(crate) fn deliver_unleased(&self, world: &mut World, ticket: Ticket) {
        let is_first = world.row(ticket.step).attempts == 0;
        if let (true, true, Some(worker)) =
            (is_first, self.is_claimable(world, ticket), self.idle(world))
        {
            world.broker.remove(ticket);
            world.workers[worker] = Some(world.look(ticket.step));
        }
    }

    pub(crate) fn is_claimable(&self, world: &World, ticket: Ticket) -> bool {
        let row = world.row(ticket.step);
        let is_its_turn = row.turn == ticket.turn || self.has(Defect::ClaimByStateAlone);
        row.state == RowState::Ready && is_its_turn
    }

    pub(crate) fn acks_on_receive(&self) -> bool {
        self.has(Defect::AckBeforeSettle) || self.has(Defect::AckOnReceive)
    }

    /// A worker without work. Sorted worlds have the idle ones first.
    pub(crate) fn idle(&self, world: &World) -> Option<usize> {
        let busy = world.workers.iter().flatten().count();
        (busy < self.workers)
            .then(|| world.workers.iter().position(Option::is_none))
            .flatten()
    }

    /// Whether the store still takes this worker for the owner of its step.
    pub(crate) fn holds(&self, world: &World, work: Work) -> bool {
        let row = world.row(work.step);
        let is_leased = row.state == RowState::Leased;
        if self.has(Defect::SettleUnfenced) {
            true
        } else if self.has(Defect::SettleByStateAlone) {
            is_leased
        } else if self.has(Defect::OneNumber) || self.has(Defect::TurnIsTheFence) {
            is_leased && row.turn == work.turn
        } else {
            is_leased && row.epoch == work.epoch
        }
    }

    /// The worker dies between the delivery and the claim: nothing happened, unless it had acked already.
    pub(crate) fn die_before_claim(&self, world: &mut World, ticket: Ticket) {
        if self.acks_on_receive() {
            world.broker.remove(ticket);
        }
    }
}

impl World {
    /// The worker dies; the broker delivers again what was not acked.
    pub(crate) fn worker_dies(&mut self, worker: usize) {
        if let Some(work) = self.workers[worker].take()
            && work.is_unacked
        {
            let (step, turn) = (work.step, work.turn);
            self.broker.insert(Ticket { step, turn });
        }
    }
}
