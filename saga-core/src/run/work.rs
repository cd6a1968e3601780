//! A worker takes a step, and brings its answer.

use super::{CRASHES_MAX, Role, Run};
use crate::journal::{Class, Failure};
use crate::kinds::Kinds;
use crate::saga::Retry;
use crate::state::{SagaEvent, SagaState, StepEvent, StepState};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Duration;

/// Who takes a step, and for how long before others may.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The worker's name.
    pub worker: String,
    /// Ends unless a heartbeat renews it.
    pub length: Duration,
}

/// What a handler brought.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The answer.
    Done(Value),
    /// A failure, judged by the handler.
    Failed {
        /// What kind of failure.
        class: Class,
        /// For people.
        message: String,
        /// How long the provider asked us to wait.
        after: Option<Duration>,
        /// How often and how fast this step is tried again.
        retry: Retry,
    },
    /// The worker shuts down: the attempt is handed back and does not count.
    Released,
    /// The store did not answer the handler for a moment: the attempt is handed back and does not count; the
    /// next one begins after this.
    Away(Duration),
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is part of the saga.
    Committed,
    /// It came too late: another worker has the step, or the saga moved on.
    Fenced,
}

impl Run {
    /// Takes a step: it must be ready, and in the turn that the ticket names.
    pub fn claim(&mut self, at: usize, turn: i64, lease: &Lease, now: DateTime<Utc>) -> bool {
        let paused = self.kept || self.saga.state == SagaState::Paused;
        let closed = self.saga.state.is_final() || paused;
        if closed || self.steps[at].turn != turn || self.move_step(at, StepEvent::Claim).is_err() {
            return false;
        }
        if self.saga.state == SagaState::Queued && self.move_saga(SagaEvent::Work).is_ok() {
            self.saga.started_at = Some(now);
            self.event("saga.running", None, None);
        }
        let step = &mut self.steps[at];
        step.epoch += 1;
        step.attempt += 1;
        step.worker = Some(lease.worker.clone());
        step.wake_at = Some(now + delta(lease.length));
        step.started_at = Some(now);
        let (key, data) = (
            step.key.clone(),
            json!({"attempt": step.attempt, "worker": lease.worker, "role": step.role.as_str()}),
        );
        self.event("step.started", Some(&key), Some(data));
        true
    }

    /// Writes an answer down and moves the saga on. A worker whose lease another holds by now
    /// changes nothing.
    pub fn settle(
        &mut self,
        at: usize,
        epoch: i64,
        answer: Answer,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) -> Settled {
        let step = &self.steps[at];
        let fenced = step.state != StepState::Leased || step.epoch != epoch;
        if fenced && !crate::fault::seeded("no-fence") {
            return Settled::Fenced;
        }
        match answer {
            Answer::Done(output) => self.answer(at, output, now),
            Answer::Failed {
                class,
                message,
                after,
                retry,
            } => {
                let failure = Failure {
                    step: self.steps[at].key.clone(),
                    class,
                    message,
                };
                self.fail_attempt(at, failure, after, retry, now);
            }
            Answer::Released => self.hand_back(at, now, TimeDelta::zero(), "step.released"),
            Answer::Away(pause) => self.hand_back(at, now, delta(pause), "step.released"),
        }
        self.go_on(kinds, now);
        Settled::Committed
    }

    /// A lease ran out: its worker died or hangs. Three times, and the step is poison.
    pub fn lease_died(&mut self, at: usize, kinds: &Kinds, now: DateTime<Utc>) {
        let step = &mut self.steps[at];
        if step.state != StepState::Leased || step.wake_at.is_none_or(|until| until > now) {
            return;
        }
        step.crashes += 1;
        let (key, worker, crashes) = (
            step.key.clone(),
            step.worker.clone().unwrap_or_default(),
            step.crashes,
        );
        self.event(
            "step.lost",
            Some(&key),
            Some(json!({"worker": worker, "crashes": crashes})),
        );
        if crashes >= CRASHES_MAX {
            let message =
                format!("{crashes} workers died or hung in this step, the last one was {worker}");
            self.give_up(
                at,
                Failure {
                    step: key,
                    class: Class::Poison,
                    message,
                },
                now,
            );
            self.go_on(kinds, now);
        } else {
            self.make_ready(at, now);
            if self.saga.ending.is_some() {
                self.go_on(kinds, now);
            }
        }
    }

    pub(super) fn answer(&mut self, at: usize, output: Value, now: DateTime<Utc>) {
        let settled = self.next_settled();
        if self.move_step(at, StepEvent::Answer).is_err() && !crate::fault::seeded("no-fence") {
            return;
        }
        let step = &mut self.steps[at];
        step.output = Some(output);
        step.error = None;
        step.settled = Some(settled);
        step.worker = None;
        step.wake_at = None;
        step.finished_at = Some(now);
        let (key, role) = (step.key.clone(), step.role);
        self.event(
            "step.succeeded",
            Some(&key),
            Some(json!({"role": role.as_str()})),
        );
    }

    fn fail_attempt(
        &mut self,
        at: usize,
        failure: Failure,
        after: Option<Duration>,
        retry: Retry,
        now: DateTime<Utc>,
    ) {
        let step = &self.steps[at];
        let (key, attempt) = (
            step.key.clone(),
            u32::try_from(step.attempt).unwrap_or(u32::MAX),
        );
        if failure.class == Class::Content {
            self.spoiled.push(key);
        }
        match failure.class {
            Class::Throttled => {
                self.steps[at].error = Some(failure);
                // A provider that asks for no patience at all gets some: the call may cost money.
                let pause = after.unwrap_or_default().max(retry.delay_first);
                self.hand_back(at, now, delta(pause), "step.throttled");
            }
            Class::OverBudget => {
                let pause = delta(after.unwrap_or_default().max(retry.delay_first));
                self.steps[at].error = Some(failure);
                // Waiting for money is not being late.
                let later = |deadline: DateTime<Utc>| deadline.checked_add_signed(pause);
                self.saga.deadline_at = self.saga.deadline_at.and_then(later);
                self.hand_back(at, now, pause, "step.throttled");
            }
            Class::Transient | Class::Content if attempt < retry.attempts_max => {
                let pause = crate::retry::delay(retry, attempt, self.seed(at))
                    .max(after.unwrap_or_default());
                self.retry_at(at, failure, now, delta(pause));
            }
            Class::Transient
            | Class::Content
            | Class::Permanent
            | Class::Poison
            | Class::Diverged
            | Class::Verdict => {
                self.give_up(at, failure, now);
            }
        }
    }

    fn retry_at(&mut self, at: usize, failure: Failure, now: DateTime<Utc>, pause: TimeDelta) {
        if self.move_step(at, StepEvent::Retry).is_err() {
            return;
        }
        let step = &mut self.steps[at];
        let data = json!({"attempt": step.attempt, "class": failure.class, "message": failure.message,
            "worker": step.worker, "next_attempt_at": now + pause});
        step.worker = None;
        step.error = Some(failure);
        step.wake_at = Some(now + pause);
        let key = step.key.clone();
        self.event("step.retrying", Some(&key), Some(data));
        if crate::fault::seeded("same-turn") {
            // The bad build of the table in RELIABILITY: ready at once, under the old turn.
            self.steps[at].turn -= 1;
        }
    }

    /// Gives the attempt back: it does not count.
    fn hand_back(&mut self, at: usize, now: DateTime<Utc>, pause: TimeDelta, event: &'static str) {
        if self.move_step(at, StepEvent::Retry).is_err() {
            return;
        }
        let step = &mut self.steps[at];
        step.attempt = (step.attempt - 1).max(0);
        step.worker = None;
        step.wake_at = Some(now + pause);
        let (key, until) = (step.key.clone(), now + pause);
        if pause.is_zero() {
            self.make_ready(at, now);
            self.event(event, Some(&key), None);
        } else {
            let data = json!({"next_attempt_at": until});
            self.event(event, Some(&key), Some(data));
        }
    }

    pub(super) fn give_up(&mut self, at: usize, failure: Failure, now: DateTime<Utc>) {
        let settled = self.next_settled();
        if self.move_step(at, StepEvent::GiveUp).is_err() {
            return;
        }
        let step = &mut self.steps[at];
        let data = json!({"attempt": step.attempt, "class": failure.class, "message": failure.message,
            "worker": step.worker, "role": step.role.as_str()});
        step.settled = Some(settled);
        step.worker = None;
        step.wake_at = None;
        step.finished_at = Some(now);
        step.error = Some(failure);
        let key = step.key.clone();
        self.event("step.failed", Some(&key), Some(data));
    }

    /// The ready step that the worker who just settled may go on with: of its own queue, the saga's
    /// oldest. It saves a ticket, a delivery and a claim.
    pub fn run_on(&self, queue: &str) -> Option<usize> {
        let fresh = |at: &usize| *at >= self.stored || self.touched.contains(at);
        let mine = |at: &usize| {
            let step = &self.steps[*at];
            step.state == StepState::Ready
                && step.queue.as_deref() == Some(queue)
                && step.role == Role::Work
        };
        (0..self.steps.len()).filter(fresh).find(mine)
    }

    /// Siblings part ways, too.
    fn seed(&self, at: usize) -> u64 {
        self.saga.id.as_u64_pair().1.rotate_left(8) ^ at as u64
    }
}

/// The longest time anything waits; a later moment has no place in every store.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

pub(super) fn delta(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length.min(LONGEST)).unwrap_or(TimeDelta::MAX)
}
