//! A person decides: cancel, replay, discard.

use super::{Ending, Role, Run, work::delta};
use crate::journal::{Class, Failure, Key};
use crate::kinds::Kinds;
use crate::state::{SagaEvent, SagaState, StepState};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

/// Why a person's wish cannot be granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has ended.
    #[error("the saga has ended")]
    Finished,
    /// It is past the point of no return.
    #[error("the saga is past its point of no return and can only go forward")]
    Pivoted,
    /// The letter is not about this saga as it is now.
    #[error("the letter is not open")]
    NotOpen,
}

impl Run {
    /// Turns the saga round on its owner's wish. Asking twice is fine.
    pub fn cancel(&mut self, by: &str, kinds: &Kinds, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.saga.state {
            SagaState::Succeeded | SagaState::Undone => return Err(Refused::Finished),
            SagaState::Undoing | SagaState::Stuck => return Ok(()),
            SagaState::Queued
            | SagaState::Running
            | SagaState::Waiting
            | SagaState::Paused
            | SagaState::Parked => {}
        }
        if self.saga.pivoted {
            return Err(Refused::Pivoted);
        }
        let message = format!("canceled by {by}");
        self.letters_end = Some("discarded");
        self.begin_undo(
            Ending::Canceled,
            Failure {
                step: Key::stored("saga"),
                class: Class::Verdict,
                message,
            },
            now,
        );
        self.go_on(kinds, now);
        Ok(())
    }

    /// Tries again what a letter is about; whatever is finished or paid for is kept.
    pub fn replay(
        &mut self,
        letter: Uuid,
        by: &str,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        #[cfg(feature = "faults")]
        if crate::fault::seeded("replay-without-cas") {
            self.forget_decision(letter);
        }
        if self.saga.state.is_final() {
            return Err(Refused::NotOpen);
        }
        if self.saga.letter_id == Some(letter) {
            self.saga.letter_id = None;
        } else {
            let at = self
                .steps
                .iter()
                .position(|step| step.letter_id == Some(letter))
                .ok_or(Refused::NotOpen)?;
            // Once undo has begun, only a dead undo can be tried again.
            let (deed, gone_back) = (
                self.steps[at].role != Role::Undo,
                self.saga.ending.is_some(),
            );
            if self.steps[at].state != StepState::Failed || (deed && gone_back) {
                return Err(Refused::NotOpen);
            }
            if self.steps[at].role == Role::Child {
                self.ask_anew(at, now);
            } else {
                self.make_ready(at, now);
                self.steps[at].attempt = 0;
            }
            let step = &mut self.steps[at];
            step.crashes = 0;
            step.letter_id = None;
        }
        self.event(
            "saga.replayed",
            None,
            Some(json!({"letter": letter, "by": by})),
        );
        self.stand_no_more(kinds, now);
        Ok(())
    }

    /// Somebody decided about what it stood still for: it goes on.
    pub(super) fn stand_no_more(&mut self, kinds: &Kinds, now: DateTime<Utc>) {
        if matches!(self.saga.state, SagaState::Parked | SagaState::Stuck)
            && self.move_saga(SagaEvent::Resume).is_ok()
        {
            self.saga.parked_until = None;
            self.saga.error = self
                .saga
                .error
                .take()
                .filter(|_| self.saga.ending.is_some());
        }
        if self.saga.deadline_at.is_some() {
            self.renew_deadline(kinds, now);
        }
        self.go_on(kinds, now);
    }

    /// The time it stood still does not count: it gets its kind's time anew.
    pub(super) fn renew_deadline(&mut self, kinds: &Kinds, now: DateTime<Utc>) {
        let length = kinds.get(&self.saga.kind).and_then(|kind| kind.deadline);
        self.saga.deadline_at = length.and_then(|length| now.checked_add_signed(delta(length)));
    }

    /// Gives up what a letter is about: undo begins. Of a dead undo: it counts as done, by hand.
    pub fn discard(
        &mut self,
        letter: Uuid,
        by: &str,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let about = self
            .steps
            .iter()
            .position(|step| step.letter_id == Some(letter));
        let known = about.is_some() || self.saga.letter_id == Some(letter);
        if self.saga.pivoted && self.saga.ending.is_none() {
            return Err(Refused::Pivoted);
        }
        if !known || self.saga.state.is_final() || self.saga.state == SagaState::Undoing {
            return Err(Refused::NotOpen);
        }
        self.event(
            "saga.discarded",
            None,
            Some(json!({"letter": letter, "by": by})),
        );
        if self.saga.state == SagaState::Stuck {
            return self.skip_undo(about.ok_or(Refused::NotOpen)?, kinds, now);
        }
        let error = self.saga.error.clone().unwrap_or_else(Failure::deadline);
        self.letters_end = Some("discarded");
        self.begin_undo(Ending::Failed, error, now);
        self.go_on(kinds, now);
        Ok(())
    }

    /// Gives up what a letter is about in favour of a new saga with another input: undo begins.
    pub fn give_way(
        &mut self,
        letter: Uuid,
        by: &str,
        to: Uuid,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let about = |step: &super::StepRow| step.letter_id == Some(letter);
        let known = self.saga.letter_id == Some(letter) || self.steps.iter().any(about);
        if self.saga.pivoted {
            return Err(Refused::Pivoted);
        }
        if !known || self.saga.ending.is_some() || self.saga.state.is_final() {
            return Err(Refused::NotOpen);
        }
        let data = json!({"letter": letter, "by": by, "saga": to});
        self.event("saga.replayed", None, Some(data));
        let error = self.saga.error.clone().unwrap_or_else(Failure::deadline);
        self.letters_end = Some("discarded");
        self.begin_undo(Ending::Failed, error, now);
        self.go_on(kinds, now);
        Ok(())
    }

    /// Only in the bad build that takes a letter for open for ever: undoes what its decision did.
    #[cfg(feature = "faults")]
    fn forget_decision(&mut self, letter: Uuid) {
        let bore = |step: &super::StepRow| {
            let id = |turn| {
                Uuid::new_v5(
                    &self.saga.id,
                    format!("letter {} {turn}", step.key).as_bytes(),
                )
            };
            (0..=step.turn).any(|turn| id(turn) == letter)
        };
        if let Some(at) = self.steps.iter().position(bore) {
            self.steps[at].letter_id = Some(letter);
            self.steps[at].state = StepState::Failed;
            self.saga.state = SagaState::Parked;
            (self.saga.finished_at, self.saga.output) = (None, None);
        }
    }

    fn skip_undo(&mut self, at: usize, kinds: &Kinds, now: DateTime<Utc>) -> Result<(), Refused> {
        self.make_ready(at, now);
        self.cancel_step(at, now);
        self.steps[at].letter_id = None;
        self.move_saga(SagaEvent::Resume)
            .map_err(|_| Refused::NotOpen)?;
        self.go_on(kinds, now);
        Ok(())
    }
}
