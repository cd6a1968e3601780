//! Runs the saga's function against what is known now, and takes up what it asks for.

use super::children::CHILD_LOOK;
use super::reviews::expires_at;
use super::{Ending, INPUT_BYTES_MAX, Role, Run, STEPS_MAX, StepRow, TICKET_GRACE, work::delta};
use crate::advance::{Advance, Broken, Next};
use crate::journal::{Class, Command, Dispatch, Failure, Key, readable};
use crate::kinds::{Kind, Kinds};
use crate::state::{SagaEvent, SagaState, StepEvent, StepState};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::Arc;

impl Run {
    /// Moves the saga on as far as what is known allows.
    pub fn go_on(&mut self, kinds: &Kinds, now: DateTime<Utc>) {
        // A signal that is heard, or a timer of no length, lets the function run again at once.
        for _ in 0..STEPS_MAX {
            let moved = match self.saga.state {
                SagaState::Queued | SagaState::Running | SagaState::Waiting => {
                    self.forward(kinds, now)
                }
                SagaState::Undoing => {
                    self.unwind(now);
                    false
                }
                SagaState::Paused
                | SagaState::Parked
                | SagaState::Stuck
                | SagaState::Succeeded
                | SagaState::Undone => false,
            };
            if !moved {
                break;
            }
        }
        if self.saga.state != SagaState::Paused {
            self.arm_deadline(kinds);
        }
        self.saga.wake_at = match self.saga.state {
            SagaState::Queued | SagaState::Running | SagaState::Waiting => self.alarm(),
            SagaState::Parked => self.saga.parked_until,
            SagaState::Paused
            | SagaState::Undoing
            | SagaState::Stuck
            | SagaState::Succeeded
            | SagaState::Undone => None,
        };
    }

    /// Time counts from the moment a worker first took a step: waiting in a queue is not being late.
    /// The last claim may be the last anybody hears, so that is when the alarm is set.
    pub(crate) fn arm_deadline(&mut self, kinds: &Kinds) {
        let length = kinds.get(&self.saga.kind).and_then(|kind| kind.deadline);
        if let (None, Some(started), Some(length), false) = (
            self.saga.deadline_at,
            self.saga.started_at,
            length,
            self.saga.pivoted,
        ) {
            self.saga.deadline_at = started.checked_add_signed(delta(length));
            self.saga.wake_at = self.alarm();
        }
    }

    /// One run of the function. True: news is at hand already, run it again.
    fn forward(&mut self, kinds: &Kinds, now: DateTime<Utc>) -> bool {
        let Some(kind) = kinds.get(&self.saga.kind) else {
            let why = format!(
                "this program knows no saga of kind {}; was it renamed while sagas were open?",
                self.saga.kind
            );
            self.park_broken(&Broken::Unreadable(why));
            return false;
        };
        let told = kind.advance(self.saga.id, &self.saga.input, &Arc::new(self.journal()));
        // What a run that does not fit its journal says about itself does not count.
        if !matches!(told.next, Next::Broken(_)) {
            self.take_marks(&told, now);
        }
        match told.next {
            Next::Going { commands } => {
                let heard = self.hear_kept(now);
                self.take_up(commands, now) || heard
            }
            Next::Done { output } => {
                self.succeed(output, now);
                false
            }
            Next::Failed(failure) => {
                self.fail(failure, kind, now);
                false
            }
            Next::Broken(broken) => {
                self.park_broken(&broken);
                false
            }
        }
    }

    fn take_marks(&mut self, told: &Advance, now: DateTime<Utc>) {
        if told.phase.is_some() && told.phase != self.saga.phase {
            self.saga.phase.clone_from(&told.phase);
            self.event("saga.phase", None, Some(json!({"phase": self.saga.phase})));
        }
        if told.pivoted && !self.saga.pivoted {
            self.saga.pivoted = true;
            // From here there is only forward, late or not.
            self.saga.deadline_at = None;
        }
        for key in told.disarmed.iter().chain(&told.released) {
            if let Some(at) = self.find(key) {
                self.let_go(at, now);
            }
        }
    }

    fn take_up(&mut self, commands: Vec<Command>, now: DateTime<Utc>) -> bool {
        if let Some(why) = self.too_many(&commands) {
            self.begin_undo(Ending::Failed, verdict(why), now);
            return false;
        }
        let mut heard = false;
        for command in commands {
            let (key, step, queue, input, role) = match command {
                Command::Dispatch(Dispatch {
                    key,
                    step,
                    queue,
                    input,
                    ..
                }) => (key, step, Some(queue), input, Role::Work),
                Command::Arm(Dispatch {
                    key,
                    step,
                    queue,
                    input,
                    ..
                }) => (key, step, Some(queue), input, Role::Undo),
                Command::Timer { key, after } => {
                    let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                    (key, "timer", None, json!(millis), Role::Timer)
                }
                Command::Listen { key, signal } => (key, signal, None, Value::Null, Role::Listen),
                Command::Child { key, kind, input } => (key, kind, None, input, Role::Child),
                Command::Review { key, point, input } => (key, point, None, input, Role::Review),
            };
            if input.to_string().len() > INPUT_BYTES_MAX {
                let why = format!(
                    "input_too_large: {key} is over {INPUT_BYTES_MAX} bytes; carry ids, not documents"
                );
                self.begin_undo(Ending::Failed, verdict(why), now);
                return false;
            }
            self.ask(
                NewStep {
                    key,
                    step,
                    queue: queue.map(|queue| queue.0),
                    input,
                    role,
                },
                now,
            );
            heard |= role == Role::Listen && self.hear(self.steps.len() - 1, now);
        }
        let event = if self.at_work() {
            SagaEvent::Work
        } else {
            SagaEvent::Wait
        };
        // One that begins with a wait is in nobody's queue: its time runs.
        if self.saga.state == SagaState::Queued && event == SagaEvent::Wait {
            self.saga.started_at = Some(now);
            self.event("saga.running", None, None);
        }
        // A saga stays queued until a worker takes its first step.
        if (self.saga.state != SagaState::Queued || event == SagaEvent::Wait)
            && self.move_saga(event).is_err()
        {
            tracing::error!(saga.id = %self.saga.id, ?event, "The table refused a move that follows from it");
        }
        heard
    }

    /// Why a saga may not ask for all of this.
    fn too_many(&self, commands: &[Command]) -> Option<String> {
        let steps = self.steps.len() + commands.len();
        if steps > STEPS_MAX {
            return Some(format!(
                "too_many_steps: {steps} requests, and a saga makes at most {STEPS_MAX}"
            ));
        }
        let child = |command: &&Command| matches!(command, Command::Child { .. });
        self.too_wide(commands.iter().filter(child).count())
    }

    fn ask(&mut self, new: NewStep, now: DateTime<Utc>) {
        let NewStep {
            key,
            step,
            queue,
            input,
            role,
        } = new;
        let state = if role == Role::Work {
            StepState::Ready
        } else {
            StepState::Waiting
        };
        let wake_at = match role {
            Role::Work => Some(now + TICKET_GRACE),
            Role::Timer => {
                let millis = std::time::Duration::from_millis(input.as_u64().unwrap_or_default());
                Some(
                    now.checked_add_signed(delta(millis))
                        .unwrap_or(DateTime::<Utc>::MAX_UTC),
                )
            }
            Role::Child => Some(now + CHILD_LOOK),
            Role::Review => Some(expires_at(&input, now)),
            Role::Undo | Role::Listen => None,
        };
        self.steps.push(StepRow {
            key,
            position: i64::try_from(self.steps.len()).unwrap_or(i64::MAX),
            role,
            step: step.to_owned(),
            queue: queue.map(str::to_owned),
            state,
            input,
            output: None,
            error: None,
            turn: 0,
            epoch: 0,
            attempt: 0,
            crashes: 0,
            tickets: 0,
            worker: None,
            letter_id: None,
            settled: None,
            wake_at,
            created_at: now,
            started_at: None,
            finished_at: None,
        });
        if role == Role::Review {
            self.review_asked(self.steps.len() - 1);
        }
    }

    /// Gives the waits that are still open what came while the saga stood still.
    fn hear_kept(&mut self, now: DateTime<Utc>) -> bool {
        let mut heard = false;
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            if step.role == Role::Listen && step.state == StepState::Waiting {
                heard |= self.hear(at, now);
            }
        }
        heard
    }

    /// Gives a wait the oldest unheard signal of its name.
    pub(super) fn hear(&mut self, at: usize, now: DateTime<Utc>) -> bool {
        let (name, key) = (self.steps[at].step.clone(), self.steps[at].key.clone());
        let Some(signal) = self
            .signals
            .iter_mut()
            .find(|signal| signal.by.is_none() && signal.name == name)
        else {
            return false;
        };
        signal.by = Some(key);
        let value = signal.value.clone();
        self.saga.inbox = (self.saga.inbox - 1).max(0);
        self.answer(at, value, now);
        true
    }

    fn succeed(&mut self, output: Value, now: DateTime<Utc>) {
        for at in 0..self.steps.len() {
            if self.steps[at].state.is_open() && self.steps[at].state != StepState::Leased {
                self.let_go(at, now);
            }
        }
        if self.move_saga(SagaEvent::Succeed).is_err() {
            return;
        }
        let lettered = |step: &StepRow| step.letter_id.is_some();
        if self.saga.letter_id.is_some() || self.steps.iter().any(lettered) {
            self.close_letters("expired"); // it went on without a decision about them
        }
        let gave_up = |step: &StepRow| match step.role {
            Role::Work => step.state == StepState::Failed,
            Role::Child => step.state == StepState::Failed && !step.is_recalled(),
            Role::Undo | Role::Timer | Role::Listen | Role::Review => false,
        };
        self.saga.degraded = self.steps.iter().any(gave_up);
        self.saga.output = Some(output);
        self.saga.error = None;
        self.saga.finished_at = Some(now);
        self.event(
            "saga.succeeded",
            None,
            Some(json!({"degraded": self.saga.degraded})),
        );
    }

    fn fail(&mut self, failure: Failure, kind: &Kind, now: DateTime<Utc>) {
        let about = self.find(&failure.step);
        let of_child = about.is_some_and(|at| self.steps[at].role == Role::Child);
        let failure = match failure.class {
            // There is only forward: somebody has the child begun anew.
            Class::Verdict if of_child && self.saga.pivoted => Failure {
                class: Class::Permanent,
                ..failure
            },
            Class::Verdict => return self.begin_undo(Ending::Failed, failure, now),
            Class::Transient
            | Class::Throttled
            | Class::OverBudget
            | Class::Content
            | Class::Permanent
            | Class::Poison
            | Class::Diverged => failure,
        };
        if let Some(at) = about {
            self.write_letter(Some(at), &failure);
        }
        self.saga.error = Some(failure.clone());
        if self.at_work() {
            return; // siblings of the failed step are still at it
        }
        if self.move_saga(SagaEvent::Park).is_ok() {
            // Past the pivot there is nothing to begin by itself: it stays until somebody decides.
            self.saga.parked_until = if self.saga.pivoted {
                None
            } else {
                now.checked_add_signed(delta(kind.park))
            };
            let data = json!({"class": failure.class, "message": failure.message, "until": self.saga.parked_until});
            self.event("saga.parked", Some(&failure.step), Some(data));
        }
    }

    fn park_broken(&mut self, broken: &Broken) {
        let failure = Failure {
            step: Key::stored("saga"),
            class: Class::Diverged,
            message: readable(&broken.describe()),
        };
        self.write_letter(None, &failure);
        if self.move_saga(SagaEvent::Park).is_ok() {
            self.saga.parked_until = None;
            self.event(
                "saga.parked",
                None,
                Some(json!({"class": failure.class, "message": failure.message})),
            );
            self.saga.error = Some(failure);
        }
    }

    /// A pause is over, a wait was heard: settles a row that no worker has.
    pub(super) fn let_pass(&mut self, at: usize, kinds: &Kinds, now: DateTime<Utc>) {
        if next_is_answer(self.steps[at].state) {
            self.answer(at, Value::Null, now);
            self.go_on(kinds, now);
        }
    }
}

struct NewStep {
    key: Key,
    step: &'static str,
    queue: Option<&'static str>,
    input: Value,
    role: Role,
}

fn next_is_answer(state: StepState) -> bool {
    state == StepState::Waiting && crate::state::next_step(state, StepEvent::Answer).is_ok()
}

fn verdict(message: String) -> Failure {
    Failure {
        step: Key::stored("saga"),
        class: Class::Verdict,
        message,
    }
}
