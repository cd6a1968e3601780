//! A person holds one saga, has it go on, and has a step tried again before its time.

use super::{Role, Run};
use crate::journal::Key;
use crate::kinds::Kinds;
use crate::state::{SagaEvent, SagaState, StepEvent, StepState};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

/// Why a person's wish does not fit the saga as it is; says what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hindered {
    /// It has ended.
    #[error("The saga has ended; there is nothing to change.")]
    Finished,
    /// It is in a state in which this means nothing.
    #[error("The saga is {}. {how}", state.as_str())]
    State {
        /// Where it is.
        state: SagaState,
        /// What can be done instead.
        how: &'static str,
    },
    /// It has no step with this key.
    #[error("The saga has no step {0}; look at its steps: chorus sagas show.")]
    UnknownStep(Key),
    /// No step can be meant, or more than one.
    #[error("Say which step: {}.", among(.0))]
    WhichStep(Vec<Key>),
    /// The step is in a state in which this means nothing.
    #[error("The step {step} is {}. {how}", state.as_str())]
    Step {
        /// Which step.
        step: Key,
        /// Where it is.
        state: StepState,
        /// What can be done instead.
        how: &'static str,
    },
    /// The saga cannot do without this step, as far as it has come.
    #[error(
        "The saga does not go on without {0}: to answer in its place, give an `output` of its type and `force`."
    )]
    NotOptional(Key),
    /// What was given is no answer of this step.
    #[error("This is no answer of {step}: {why}.")]
    Misfit {
        /// Which step.
        step: Key,
        /// What does not fit.
        why: String,
    },
}

fn among(steps: &[Key]) -> String {
    if steps.is_empty() {
        return "none of them waits for anything that this could change".to_owned();
    }
    let steps: Vec<&str> = steps.iter().map(Key::as_str).collect();
    steps.join(", ")
}

impl Run {
    /// Holds the saga: what a worker has goes on to its end, nothing further is taken.
    pub fn pause(&mut self, by: &str) -> Result<(), Hindered> {
        let how = match self.saga.state {
            SagaState::Succeeded | SagaState::Undone => return Err(Hindered::Finished),
            SagaState::Queued | SagaState::Running | SagaState::Waiting => None,
            SagaState::Paused => Some("Resume it when it may go on."),
            SagaState::Parked => Some("It stands still already: replay its letter, or discard it."),
            SagaState::Undoing => Some("What it did is being taken back, and that is not held up."),
            SagaState::Stuck => Some("Its undo stands still: replay its letter, or discard it."),
        };
        if how.is_some() || self.move_saga(SagaEvent::Pause).is_err() {
            return Err(self.in_state(how.unwrap_or_default()));
        }
        for at in 0..self.steps.len() {
            self.hold(at);
        }
        // It is not late while somebody holds it.
        (self.saga.deadline_at, self.saga.wake_at) = (None, None);
        self.event("saga.paused", None, Some(json!({"by": by})));
        Ok(())
    }

    /// Has a paused saga go on; its time counts anew.
    pub fn resume(&mut self, by: &str, kinds: &Kinds, now: DateTime<Utc>) -> Result<(), Hindered> {
        let began = self.saga.started_at.is_some();
        let event = if began {
            SagaEvent::Resume
        } else {
            SagaEvent::Enqueue
        };
        if self.saga.state != SagaState::Paused || self.move_saga(event).is_err() {
            return Err(if self.saga.state.is_final() {
                Hindered::Finished
            } else {
                self.in_state("Only a paused saga is resumed.")
            });
        }
        self.event("saga.resumed", None, Some(json!({"by": by})));
        for at in 0..self.steps.len() {
            if self.is_held(at) {
                self.make_ready(at, now);
            }
        }
        if began && !self.saga.pivoted {
            self.renew_deadline(kinds, now);
        }
        self.go_on(kinds, now);
        Ok(())
    }

    /// Tries a step again now: one that waits for its next attempt, or one that gave up. Says which, and
    /// the letter that is no longer open by that.
    pub fn retry_step(
        &mut self,
        step: Option<&Key>,
        by: &str,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) -> Result<(Key, Option<Uuid>), Hindered> {
        if self.saga.state.is_final() {
            return Err(Hindered::Finished);
        }
        let at = self.meant(step, |run, at| {
            let step = &run.steps[at];
            step.state == StepState::Retrying || step.letter_id.is_some()
        })?;
        let step = &self.steps[at];
        let (key, letter) = (step.key.clone(), step.letter_id);
        let waits = step.state == StepState::Retrying;
        let how =
            "Only one that waits for its next attempt, or has an open letter, is tried again.";
        let refused = self.in_step_state(at, how);
        if let Some(letter) = letter {
            return match self.replay(letter, by, kinds, now) {
                Ok(()) => Ok((key, Some(letter))),
                Err(_) => Err(refused),
            };
        }
        if !waits {
            return Err(refused);
        }
        self.make_ready(at, now);
        self.event("step.hurried", Some(&key), Some(json!({"by": by})));
        self.go_on(kinds, now);
        Ok((key, None))
    }

    /// The step of this key, or the only one that can be meant.
    pub(super) fn meant(
        &self,
        step: Option<&Key>,
        can_be: impl Fn(&Self, usize) -> bool,
    ) -> Result<usize, Hindered> {
        if let Some(key) = step {
            let found = self.find(key);
            return found.ok_or_else(|| Hindered::UnknownStep(key.clone()));
        }
        let able: Vec<usize> = (0..self.steps.len())
            .filter(|at| can_be(self, *at))
            .collect();
        match able.as_slice() {
            [one] => Ok(*one),
            several => {
                let key = |at: &usize| self.steps[*at].key.clone();
                Err(Hindered::WhichStep(several.iter().map(key).collect()))
            }
        }
    }

    /// Keeps a ready step from whoever would take it.
    pub(super) fn hold(&mut self, at: usize) {
        if self.move_step(at, StepEvent::Hold).is_ok() {
            self.steps[at].wake_at = None;
        }
    }

    /// Whether it is ready, but for the pause.
    pub(super) fn is_held(&self, at: usize) -> bool {
        let step = &self.steps[at];
        step.state == StepState::Waiting && step.role == Role::Work
    }

    pub(super) fn in_state(&self, how: &'static str) -> Hindered {
        let state = self.saga.state;
        Hindered::State { state, how }
    }

    pub(super) fn in_step_state(&self, at: usize, how: &'static str) -> Hindered {
        let step = &self.steps[at];
        let (step, state) = (step.key.clone(), step.state);
        Hindered::Step { step, state, how }
    }
}
