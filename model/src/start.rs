//! Accepting a command and publishing tickets: commit first, publish after, and let the sweeper make up for the rest.

use crate::defect::Defect;
use crate::protocol::Protocol;
use crate::step::{Step, Steps};
use crate::world::{RowState, SagaState, Ticket, Tickets, World};

impl Protocol {
    /// The API's transaction: the saga, its first step, and that step's undo, armed before the deed.
    pub(crate) fn accept(&self, world: &mut World) {
        world.saga = SagaState::Running;
        let fresh = world.insert(Step::A);
        if !self.has(Defect::PublishBeforeCommit) {
            self.announce(world, fresh);
        }
    }

    /// After the commit, the process that made the rows ready publishes their tickets, if it lives.
    pub(crate) fn announce(&self, world: &mut World, fresh: Steps) {
        if !self.is_swept() {
            for step in fresh.iter() {
                let ticket = world.ticket(step);
                world.unpublished.insert(ticket);
            }
        }
    }

    /// What may be published now: with a sweeper every ready row, at any time and as often as it takes.
    pub(crate) fn publishable(&self, world: &World) -> Tickets {
        if !self.is_swept() {
            return world.unpublished;
        }
        let mut tickets = Tickets::default();
        for step in Step::ALL {
            let ticket = world.ticket(step);
            let is_known = world.broker.contains(ticket) || world.marked.contains(ticket);
            if world.is(step, RowState::Ready) && !is_known {
                tickets.insert(ticket);
            }
        }
        tickets
    }

    pub(crate) fn publish(&self, world: &mut World, ticket: Ticket) {
        world.unpublished.remove(ticket);
        world.broker.insert(ticket);
        if self.defect.is_some_and(Defect::trusts_mark) {
            world.marked.insert(ticket);
        }
    }

    /// `kill -9` of the one process that is everything, and its start-up: what is left is the store.
    pub(crate) fn process_dies(&self, world: &mut World) {
        world.broker = Tickets::default();
        world.unpublished = Tickets::default();
        world.workers = [None; 3];
        if self.has(Defect::ScanInsteadOfSweeper) {
            for step in Step::ALL {
                if world.is(step, RowState::Leased) {
                    self.expire(world, step);
                } else if world.is(step, RowState::Retrying) {
                    self.wake(world, step);
                }
            }
            let ready = Step::ALL
                .into_iter()
                .filter(|step| world.is(*step, RowState::Ready));
            let mut fresh = Steps::NONE;
            ready.for_each(|step| fresh.insert(step));
            self.announce(world, fresh);
        }
    }
}
