//! All that can happen, and when.

use crate::defect::Defect;
use crate::faults::Fault;
use crate::protocol::Protocol;
use crate::settle::Verdict;
use crate::step::Step;
use crate::world::{Phase, RowState, SagaState, Ticket, Work, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The API commits the command.
    Accept,
    /// A ticket for what is not committed yet: in one bad design only.
    PublishEarly,
    /// By the process that committed, or by the sweeper.
    Publish(Ticket),
    DieUnpublished,
    Lose(Ticket),
    Wipe,
    ProcessDies,
    Deliver {
        ticket: Ticket,
        copy: bool,
    },
    /// To a worker that does without a lease, since the step reaches no further than the store.
    DeliverUnleased(Ticket),
    DieBeforeClaim(Ticket),
    Pay {
        worker: usize,
    },
    StoreAnswer {
        worker: usize,
    },
    /// A settling transaction reads the rows without holding the saga: in one bad design only.
    Begin {
        worker: usize,
    },
    Settle {
        worker: usize,
        step: Step,
        verdict: Verdict,
    },
    WorkerDies {
        worker: usize,
        step: Step,
    },
    /// A dead worker's lease ends.
    Expire(Step),
    /// A living worker's lease ends.
    Overrun(Step),
    Wake(Step),
    Cancel,
    Pause,
    Resume,
    /// An operator answers in the place of a deed that no worker has.
    Skip(Step),
    /// An admin sees a letter: in the bad designs that act on what was seen.
    Look {
        admin: usize,
        step: Step,
    },
    Replay {
        step: Step,
        admin: Option<usize>,
    },
    Discard {
        step: Step,
        admin: Option<usize>,
    },
}

impl Action {
    /// The fault that this action is, if it is one.
    pub fn fault(self) -> Option<Fault> {
        match self {
            Self::WorkerDies { .. } => Some(Fault::Crash),
            Self::DieBeforeClaim(_) => Some(Fault::CrashBeforeClaim),
            Self::Overrun(_) => Some(Fault::Overrun),
            Self::Settle { verdict, .. } => match verdict {
                Verdict::Retry => Some(Fault::Retry),
                Verdict::Fail => Some(Fault::Fail),
                Verdict::Done | Verdict::DoneRunOn => None,
            },
            Self::Lose(_) | Self::Wipe => Some(Fault::Loss),
            Self::Deliver { copy: true, .. } => Some(Fault::Copy),
            Self::ProcessDies => Some(Fault::ProcessDeath),
            Self::DieUnpublished => Some(Fault::Unpublished),
            Self::Cancel => Some(Fault::Cancel),
            Self::Replay { .. } => Some(Fault::Replay),
            Self::Pause => Some(Fault::Pause),
            Self::Skip(_) => Some(Fault::Skip),
            Self::Accept
            | Self::PublishEarly
            | Self::Publish(_)
            | Self::Deliver { copy: false, .. }
            | Self::DeliverUnleased(_)
            | Self::Pay { .. }
            | Self::StoreAnswer { .. }
            | Self::Begin { .. }
            | Self::Expire(_)
            | Self::Wake(_)
            | Self::Resume
            | Self::Look { .. }
            | Self::Discard { .. } => None,
        }
    }

    /// Whether the saga may count on this: nobody fails, and nobody has to help.
    pub fn is_ordinary(self) -> bool {
        self.fault().is_none()
            && !matches!(
                self,
                Self::Look { .. } | Self::Discard { .. } | Self::Resume
            )
    }
}

impl Protocol {
    /// Every action worth trying in this world. [`Protocol::next`] refuses those whose fault is used up.
    pub fn actions(&self, world: &World) -> Vec<Action> {
        let mut actions = Vec::with_capacity(32);
        if world.saga == SagaState::Absent {
            let is_first = self.has(Defect::PublishBeforeCommit) && !world.is_published_early;
            actions.push(if is_first {
                Action::PublishEarly
            } else {
                Action::Accept
            });
        }
        self.transport(world, &mut actions);
        for (worker, work) in world.workers.iter().enumerate() {
            if let Some(work) = work {
                self.work(world, worker, *work, &mut actions);
            }
        }
        self.sweeper(world, &mut actions);
        self.people(world, &mut actions);
        actions.retain(|action| action.fault().is_none_or(|fault| world.left.allow(fault)));
        actions
    }

    fn transport(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(self.publishable(world).iter().map(Action::Publish));
        if !world.unpublished.is_empty() {
            actions.push(Action::DieUnpublished);
        }
        for ticket in world.broker.iter() {
            if !self.is_claimable(world, ticket) {
                actions.push(Action::Deliver {
                    ticket,
                    copy: false,
                });
            } else if self.idle(world).is_some() {
                for copy in [false, true] {
                    actions.push(Action::Deliver { ticket, copy });
                }
                if self.unleased && ticket.step.reaches_only_the_store() {
                    actions.push(Action::DeliverUnleased(ticket));
                }
            }
            actions.push(Action::Lose(ticket));
            actions.push(Action::DieBeforeClaim(ticket));
        }
        if !world.broker.is_empty() {
            actions.push(Action::Wipe);
        }
        if world.saga != SagaState::Absent {
            actions.push(Action::ProcessDies);
        }
    }

    fn work(&self, world: &World, worker: usize, work: Work, actions: &mut Vec<Action>) {
        let step = work.step;
        if self.has(Defect::SettleWithoutLock) && self.may_begin(world, work) {
            actions.push(Action::Begin { worker });
        }
        let settle = |verdict| Action::Settle {
            worker,
            step,
            verdict,
        };
        match (step == Step::PAID, work.phase) {
            _ if work.is_unleased => {
                actions.extend([Verdict::Done, Verdict::DoneRunOn].map(settle));
            }
            (true, Phase::Fresh) => actions.push(Action::Pay { worker }),
            (true, Phase::Called) => {
                actions.push(Action::StoreAnswer { worker });
                actions.extend([Verdict::Retry, Verdict::Fail].map(settle));
            }
            (_, Phase::Settling) => actions.extend([Verdict::Done, Verdict::Fail].map(settle)),
            (true, Phase::Stored) | (false, _) => actions.extend(
                [
                    Verdict::Done,
                    Verdict::DoneRunOn,
                    Verdict::Retry,
                    Verdict::Fail,
                ]
                .map(settle),
            ),
        }
        actions.push(Action::WorkerDies { worker, step });
    }

    /// Whether this settlement can begin while its sibling is at work.
    fn may_begin(&self, world: &World, work: Work) -> bool {
        let is_ready = work.step != Step::PAID || work.phase == Phase::Stored;
        let sibling = match work.step {
            Step::B => Some(Step::C),
            Step::C => Some(Step::B),
            Step::A | Step::D | Step::UndoA | Step::UndoB | Step::UndoC => None,
        };
        let is_beside = sibling.is_some_and(|sibling| world.is(sibling, RowState::Leased));
        is_ready && is_beside && self.holds(world, work)
    }

    fn sweeper(&self, world: &World, actions: &mut Vec<Action>) {
        if !self.is_swept() {
            return;
        }
        for step in Step::ALL {
            match world.row(step).state {
                RowState::Leased if world.has_live_lease(step) => {
                    actions.push(Action::Overrun(step));
                }
                RowState::Leased => actions.push(Action::Expire(step)),
                RowState::Retrying => actions.push(Action::Wake(step)),
                RowState::Absent
                | RowState::Waiting
                | RowState::Ready
                | RowState::Done
                | RowState::Failed
                | RowState::Cancelled => {}
            }
        }
    }

    fn people(&self, world: &World, actions: &mut Vec<Action>) {
        let stands = matches!(world.saga, SagaState::Paused | SagaState::Parked);
        if (world.saga == SagaState::Running || stands) && !world.pivoted {
            actions.push(Action::Cancel);
        }
        if world.saga == SagaState::Running {
            actions.push(Action::Pause);
        }
        if world.saga == SagaState::Paused {
            actions.push(Action::Resume);
        }
        if world.saga == SagaState::Running || stands {
            let skippable = |step: &Step| world.is_skippable(*step);
            actions.extend(Step::WORK.into_iter().filter(skippable).map(Action::Skip));
        }
        let replays_on_sight = self.has(Defect::ReplayWithoutCompareAndSet);
        let discards_on_sight = self.has(Defect::DiscardWithoutLock);
        for step in world.letters.iter() {
            if replays_on_sight || discards_on_sight {
                let admin = world.seen.iter().position(Option::is_none);
                actions.extend(admin.map(|admin| Action::Look { admin, step }));
            }
            if !replays_on_sight {
                actions.push(Action::Replay { step, admin: None });
            }
            if !discards_on_sight && !step.is_undo() {
                actions.push(Action::Discard { step, admin: None });
            }
        }
        for (admin, seen) in world.seen.iter().enumerate() {
            let Some(step) = *seen else { continue };
            let admin = Some(admin);
            if replays_on_sight {
                actions.push(Action::Replay { step, admin });
            }
            if discards_on_sight && !step.is_undo() {
                actions.push(Action::Discard { step, admin });
            }
        }
    }
}
