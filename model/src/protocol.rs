//! The protocol as one value: its settings, its defect if any, and the step from one world to the next.

use crate::action::Action;
use crate::defect::Defect;
use crate::faults::Faults;
use crate::step::Step;
use crate::world::{Phase, SagaState, Tickets, World};

#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    pub defect: Option<Defect>,
    pub faults: Faults,
    /// At most three.
    pub workers: usize,
    /// Claims that may end without an answer before the step gives up. Three in the engine, two here.
    pub claims_max: u8,
    /// Whether workers do without a lease where they may. Off, it only keeps other searches short.
    pub unleased: bool,
}

impl Protocol {
    pub fn new(faults: Faults) -> Self {
        Self {
            defect: None,
            faults,
            workers: 2,
            claims_max: 2,
            unleased: false,
        }
    }

    #[must_use]
    pub fn unleased(mut self) -> Self {
        self.unleased = true;
        self
    }

    #[must_use]
    pub fn with(mut self, defect: Defect) -> Self {
        self.defect = Some(defect);
        self
    }

    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    pub fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    pub fn is_swept(&self) -> bool {
        !self.defect.is_some_and(Defect::is_unswept)
    }

    pub fn first(&self) -> World {
        World::new(self.faults)
    }

    /// The world after `action`, or `None` if the action changes nothing or cannot happen.
    pub fn next(&self, before: &World, action: Action) -> Option<World> {
        let mut world = *before;
        if let Some(fault) = action.fault() {
            if !world.left.allow(fault) {
                return None;
            }
            world.left.spend(fault);
        }
        self.perform(&mut world, action);
        world.overtake(before);
        world.sort();
        world.judge_change(before);
        (world != *before).then_some(world)
    }

    fn perform(&self, world: &mut World, action: Action) {
        match action {
            Action::Accept => self.accept(world),
            Action::PublishEarly => {
                let ticket = world.ticket(Step::A);
                world.broker.insert(ticket);
                world.is_published_early = true;
            }
            Action::Publish(ticket) => self.publish(world, ticket),
            Action::DieUnpublished => world.unpublished = Tickets::default(),
            Action::Lose(ticket) => world.broker.remove(ticket),
            Action::Wipe => world.broker = Tickets::default(),
            Action::ProcessDies => self.process_dies(world),
            Action::Deliver { ticket, copy } => self.deliver(world, ticket, copy),
            Action::DeliverUnleased(ticket) => self.deliver_unleased(world, ticket),
            Action::DieBeforeClaim(ticket) => self.die_before_claim(world, ticket),
            Action::Pay { worker } => self.pay(world, worker),
            Action::StoreAnswer { worker } => world.store_answer(worker),
            Action::Begin { worker } => {
                if let Some(work) = &mut world.workers[worker] {
                    work.phase = Phase::Settling;
                }
            }
            Action::Settle {
                worker, verdict, ..
            } => self.settle(world, worker, verdict),
            Action::WorkerDies { worker, .. } => world.worker_dies(worker),
            Action::Expire(step) | Action::Overrun(step) => self.expire(world, step),
            Action::Wake(step) => self.wake(world, step),
            Action::Cancel => self.cancel(world),
            Action::Pause => world.pause(),
            Action::Resume => self.resume(world),
            Action::Skip(step) => self.skip(world, step),
            Action::Look { admin, step } => world.seen[admin] = Some(step),
            Action::Replay { step, admin } => self.replay(world, step, admin),
            Action::Discard { admin, .. } => self.discard(world, admin),
        }
    }

    /// Whether the saga has ended, or waits in plain sight for an operator.
    pub fn is_settled(world: &World) -> bool {
        match world.saga {
            SagaState::Succeeded | SagaState::Undone | SagaState::Paused => true,
            SagaState::Parked | SagaState::Stuck => !world.letters.is_empty(),
            SagaState::Absent | SagaState::Running | SagaState::Undoing => false,
        }
    }
}
