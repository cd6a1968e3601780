//! A person answers in a step's place, or has the saga do without it.

use super::{Hindered, INPUT_BYTES_MAX, Role, Run};
use crate::journal::{Class, Failure, Key};
use crate::kinds::Kinds;
use crate::state::{SagaState, StepEvent, StepState};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// How a step is skipped.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Skip {
    /// Which one; the only one that can be meant if it is not said.
    pub step: Option<Key>,
    /// The answer in its place. Without one the saga does without the step.
    pub output: Option<Value>,
    /// Whether a step may be answered for that the saga does not go on without.
    pub force: bool,
}

impl Run {
    /// Skips a step that no worker has; says which, and the letter that is no longer open by that. What
    /// its handler would have written beside its answer is not written.
    pub fn skip_step(
        &mut self,
        skip: &Skip,
        by: &str,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) -> Result<(Key, Option<Uuid>), Hindered> {
        match self.saga.state {
            SagaState::Succeeded | SagaState::Undone => return Err(Hindered::Finished),
            SagaState::Undoing | SagaState::Stuck => {
                return Err(
                    self.in_state("An undo is not skipped; a dead one is discarded by its letter.")
                );
            }
            SagaState::Queued
            | SagaState::Running
            | SagaState::Waiting
            | SagaState::Paused
            | SagaState::Parked => {}
        }
        let at = self.meant(skip.step.as_ref(), |run, at| {
            run.not_skippable(at).is_none()
        })?;
        if let Some(how) = self.not_skippable(at) {
            return Err(self.in_step_state(at, how));
        }
        let (key, letter) = (self.steps[at].key.clone(), self.steps[at].letter_id);
        let answer = self.in_its_place(&key, skip, kinds)?;
        let forgone = answer.is_none();
        self.put(at, answer, now);
        let how = if forgone { "without" } else { "answered" };
        let data = json!({"by": by, "how": how, "forced": skip.force});
        self.event("step.skipped", Some(&key), Some(data));
        self.stand_no_more(kinds, now);
        Ok((key, letter))
    }

    /// Why it cannot be skipped, and what can be done instead.
    fn not_skippable(&self, at: usize) -> Option<&'static str> {
        let step = &self.steps[at];
        match (step.role, step.state) {
            (Role::Undo | Role::Timer | Role::Listen, _) => Some("Only a deed is skipped."),
            (Role::Review, _) => Some("It is a question to people: decide it as a review."),
            (Role::Child, StepState::Failed) => {
                Some("It was a saga of its own: replay its letter to begin it anew.")
            }
            (Role::Child, _) => Some("It is a saga of its own: decide about that one."),
            (Role::Work, StepState::Leased) => {
                Some("A worker is at it: wait for its end, or pause the saga first.")
            }
            (Role::Work, StepState::Done | StepState::Cancelled) => Some("It is over."),
            (Role::Work, StepState::Failed) if step.letter_id.is_none() => {
                Some("The saga has been told of its failure already.")
            }
            (
                Role::Work,
                StepState::Ready | StepState::Retrying | StepState::Waiting | StepState::Failed,
            ) => None,
        }
    }

    /// The answer that is put in a step's place; none if the saga does without. Nothing is changed yet.
    fn in_its_place(
        &self,
        key: &Key,
        skip: &Skip,
        kinds: &Kinds,
    ) -> Result<Option<Value>, Hindered> {
        let misfit = |why: String| Hindered::Misfit {
            step: key.clone(),
            why,
        };
        let kind = kinds
            .get(&self.saga.kind)
            .ok_or_else(|| misfit("this program does not know the saga's kind".to_owned()))?;
        let given = skip.output.as_ref();
        if given.is_some_and(|output| output.to_string().len() > INPUT_BYTES_MAX) {
            return Err(misfit(format!("it is over {INPUT_BYTES_MAX} bytes")));
        }
        let journal = Arc::new(self.journal());
        let output = given.cloned().unwrap_or_default();
        let probed = kind.probe(
            self.saga.id,
            &self.saga.input,
            &journal,
            (key.clone(), output),
        );
        if given.is_none() && probed.optional {
            return Ok(None);
        }
        if !probed.optional && !skip.force {
            return Err(Hindered::NotOptional(key.clone()));
        }
        probed.fits.map(Some).map_err(|why| match given {
            Some(_) => misfit(why),
            None => misfit(format!("give its `output`; nothing is none ({why})")),
        })
    }

    fn put(&mut self, at: usize, answer: Option<Value>, now: DateTime<Utc>) {
        let (settled, event) = (
            self.next_settled(),
            match answer {
                Some(_) => StepEvent::Skip,
                None => StepEvent::Forgo,
            },
        );
        if self.move_step(at, event).is_err() {
            return;
        }
        let step = &mut self.steps[at];
        step.error = answer.is_none().then(|| Failure {
            step: step.key.clone(),
            class: Class::Permanent,
            message: "skipped: an operator had the saga do without it".to_owned(),
        });
        step.output = answer;
        step.settled = Some(settled);
        step.letter_id = None;
        step.wake_at = None;
        step.finished_at = Some(now);
    }
}
