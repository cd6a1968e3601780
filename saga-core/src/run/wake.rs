//! Time passed, or news came.

use super::{Ending, Heard, Role, Run, StepRow};
use crate::journal::Failure;
use crate::kinds::Kinds;
use crate::state::{SagaState, StepState};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// The pause before a ready step that nobody claimed gets its next ticket.
const TICKET_FIRST: TimeDelta = TimeDelta::seconds(10);
/// The pause before a ticket that was handed in, but never confirmed, is handed in again.
const TICKET_RETRY: TimeDelta = TimeDelta::seconds(3);
/// The longest such pause: a backlog must not become a storm of tickets.
const TICKET_DOUBLINGS_MAX: i64 = 6;

/// How often a ready step of a paused queue, or in its kind's line, is looked at, and a deadline of a paused kind.
const PAUSED_LOOK: TimeDelta = TimeDelta::hours(1);

/// When a step that has had `tickets` tickets gets the next.
pub(crate) fn ticket_due(tickets: i64, now: DateTime<Utc>) -> DateTime<Utc> {
    now + ticket_pause(tickets)
}

fn ticket_pause(tickets: i64) -> TimeDelta {
    let doublings = u32::try_from((tickets - 1).clamp(0, TICKET_DOUBLINGS_MAX)).unwrap_or(0);
    TICKET_FIRST * 2i32.pow(doublings)
}

/// When a ready step's last confirmed ticket went out, if it has one; earlier by some seconds while
/// another is on its way.
pub(super) fn ticket_out_since(step: &StepRow) -> Option<DateTime<Utc>> {
    let confirmed = step.tickets > 0 && step.state == StepState::Ready;
    let out = step.wake_at.filter(|_| confirmed)? - ticket_pause(step.tickets);
    Some(out.max(step.created_at))
}

impl Run {
    /// Does what is due for one step by `now`; the sweeper calls it, but for children, which
    /// `see_to_child` is for. True: it wants a ticket.
    pub fn wake_step(&mut self, at: usize, kinds: &Kinds, now: DateTime<Utc>) -> bool {
        let step = &self.steps[at];
        if step.wake_at.is_none_or(|due| due > now) {
            return false;
        }
        match (step.role, step.state) {
            (Role::Work | Role::Undo, StepState::Ready) => {
                // Only a confirmed ticket counts towards the back-off: while the broker is away the
                // next try comes soon.
                let step = &mut self.steps[at];
                step.wake_at = Some(now + TICKET_RETRY);
                self.touched.insert(at);
                return true;
            }
            (Role::Work | Role::Undo, StepState::Leased) => self.lease_died(at, kinds, now),
            (Role::Work | Role::Undo, StepState::Retrying) => {
                self.make_ready(at, now);
                if self.saga.state == SagaState::Undoing {
                    self.go_on(kinds, now);
                }
            }
            (Role::Timer, StepState::Waiting) => self.let_pass(at, kinds, now),
            (Role::Review, StepState::Waiting) => self.expire_review(at, kinds, now),
            (
                Role::Work | Role::Undo | Role::Timer | Role::Listen | Role::Child | Role::Review,
                StepState::Ready
                | StepState::Leased
                | StepState::Retrying
                | StepState::Waiting
                | StepState::Done
                | StepState::Failed
                | StepState::Cancelled,
            ) => {}
        }
        false
    }

    /// Leaves a ready step of a paused queue with the ticket it has: another would only lie beside it.
    /// False: it has none yet, or is not ready.
    pub(crate) fn leave_ticket(&mut self, at: usize, now: DateTime<Utc>) -> bool {
        let step = &mut self.steps[at];
        let has_one = step.state == StepState::Ready && step.tickets > 0;
        if has_one {
            step.wake_at = Some(now + PAUSED_LOOK);
            self.touched.insert(at);
        }
        has_one
    }

    /// Leaves a ready step without a ticket until its kind has room for it. False: it is not ready.
    pub(crate) fn put_in_line(&mut self, at: usize, now: DateTime<Utc>) -> bool {
        let step = &mut self.steps[at];
        let ready = step.state == StepState::Ready;
        if ready {
            step.wake_at = Some(now + PAUSED_LOOK);
            self.touched.insert(at);
        }
        ready
    }

    /// Whether its deadline has come.
    pub(crate) fn is_late(&self, now: DateTime<Utc>) -> bool {
        let due = self.saga.wake_at.is_some_and(|due| due <= now);
        due && self.is_under_way()
    }

    /// Leaves a deadline that has come alone, since the saga's kind is paused. False: it is not a deadline that is
    /// due.
    pub(crate) fn put_off_deadline(&mut self, now: DateTime<Utc>) -> bool {
        let late = self.is_late(now);
        if late {
            self.saga.wake_at = Some(now + PAUSED_LOOK);
        }
        late
    }

    /// Leaves a deadline that has come alone, since one that the saga waits for stands still. Who has that one go on
    /// gives this saga its time anew; where nobody does, since a kind is on again or there is money, it is looked at
    /// once more before its time is up.
    pub(crate) fn move_deadline(&mut self, now: DateTime<Utc>) -> bool {
        let late = self.put_off_deadline(now);
        if late {
            self.saga.deadline_at = Some(now + PAUSED_LOOK * 2);
        }
        late
    }

    /// A saga that it waits for stood still, and moves again: that time does not count, as if it had stood still
    /// itself.
    pub(crate) fn count_anew(&mut self, kinds: &Kinds, now: DateTime<Utc>) {
        let timed = self.saga.deadline_at.is_some() && kinds.get(&self.saga.kind).is_some();
        if !timed || !self.is_under_way() {
            return;
        }
        self.renew_deadline(kinds, now);
        self.saga.wake_at = self.alarm();
        let until = json!({"until": self.saga.deadline_at});
        self.event("saga.deadline_renewed", None, Some(until));
    }

    /// Whether its time counts.
    fn is_under_way(&self) -> bool {
        matches!(
            self.saga.state,
            SagaState::Queued | SagaState::Running | SagaState::Waiting
        )
    }

    /// Does what is due for the saga itself: its deadline, or the end of its parking window.
    pub fn wake_saga(&mut self, kinds: &Kinds, now: DateTime<Utc>) {
        if self.saga.wake_at.is_none_or(|due| due > now) {
            return;
        }
        match self.saga.state {
            SagaState::Queued | SagaState::Running | SagaState::Waiting => {
                self.begin_undo(Ending::Failed, Failure::deadline(), now);
            }
            SagaState::Parked => {
                let error = self.saga.error.clone().unwrap_or_else(Failure::deadline);
                self.letters_end = Some("expired");
                self.begin_undo(Ending::Failed, error, now);
            }
            SagaState::Paused
            | SagaState::Undoing
            | SagaState::Stuck
            | SagaState::Succeeded
            | SagaState::Undone => {}
        }
        self.go_on(kinds, now);
    }

    /// Takes news in: the wait that is open for it gets it, else it is kept until one opens. A saga that
    /// stands still keeps all of it: which of its waits are still open, it only says when it goes on.
    pub fn take_signal(&mut self, signal: Heard, kinds: &Kinds, now: DateTime<Utc>) {
        let name = signal.name.clone();
        self.saga.inbox += 1;
        self.signals.push(signal);
        self.event("saga.signal", None, Some(json!({"name": name})));
        if matches!(self.saga.state, SagaState::Paused | SagaState::Parked) {
            return;
        }
        let open = |step: &StepRow| {
            step.role == Role::Listen && step.state == StepState::Waiting && step.step == name
        };
        if let Some(at) = self.steps.iter().position(open)
            && self.hear(at, now)
        {
            self.go_on(kinds, now);
        }
    }
}
