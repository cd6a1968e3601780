//! Takes back what a saga did: newest first, one at a time, never while a sibling is at work.

use super::{Ending, Role, Run};
use crate::journal::Failure;
use crate::state::{SagaEvent, SagaState, StepState};
use chrono::{DateTime, Utc};
use serde_json::json;

impl Run {
    /// Turns the saga round. What no worker holds is cancelled at once; what one holds is waited for, and
    /// so are its children, which are called back.
    pub(super) fn begin_undo(&mut self, ending: Ending, error: Failure, now: DateTime<Utc>) {
        if self.move_saga(SagaEvent::Unwind).is_err() {
            return;
        }
        self.event(
            "saga.undoing",
            None,
            Some(json!({"ending": ending.as_str(), "message": error.message})),
        );
        self.saga.ending = Some(ending);
        self.saga.error = Some(error);
        self.saga.parked_until = None;
        self.close_letters("expired");
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            if step.role != Role::Undo && step.state.is_open() && step.state != StepState::Leased {
                self.let_go(at, now);
            }
        }
        self.unwind(now);
    }

    /// Whatever gave up on the way forward is beyond replay once the saga goes back.
    pub(super) fn close_letters(&mut self, why: &'static str) {
        self.letters_end.get_or_insert(why);
        self.saga.letter_id = None;
        for at in 0..self.steps.len() {
            if self.steps[at].letter_id.take().is_some() && at < self.stored {
                self.touched.insert(at);
            }
        }
    }

    /// Sends out the next undo, if it is time; ends the saga after the last.
    pub(super) fn unwind(&mut self, now: DateTime<Utc>) {
        self.cancel_handed_back(now);
        if self
            .steps
            .iter()
            .any(|step| step.role == Role::Work && step.state == StepState::Leased)
            || self.has_child_at_work()
        {
            return;
        }
        if let Some(at) = self
            .steps
            .iter()
            .position(|step| step.role == Role::Undo && step.state == StepState::Failed)
        {
            self.stick(at);
            return;
        }
        if self.at_work() && !crate::fault::seeded("undo-fanned-out") {
            return; // an undo is under way
        }
        while let Some(at) = self.newest_armed() {
            if self.may_have_happened(at) {
                self.make_ready(at, now);
                if !crate::fault::seeded("undo-fanned-out") {
                    return;
                }
            } else {
                self.cancel_step(at, now);
            }
        }
        if !self.at_work() {
            self.finish(now);
        }
    }

    /// A deed that was handed back, or lost, after undo had begun is not done again.
    fn cancel_handed_back(&mut self, now: DateTime<Utc>) {
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            if step.role == Role::Work
                && matches!(step.state, StepState::Ready | StepState::Retrying)
            {
                self.cancel_step(at, now);
            }
        }
    }

    fn newest_armed(&self) -> Option<usize> {
        let armed = |at: &usize| {
            self.steps[*at].role == Role::Undo && self.steps[*at].state == StepState::Waiting
        };
        (0..self.steps.len()).rev().find(armed)
    }

    /// An undo guards the deeds asked for between it and the next undo; undos in a row guard the same
    /// ones. If no worker ever took any of them, and nobody answered in its place, nothing can have
    /// happened. A child that has begun may have done something, and may have kept some of it.
    pub(super) fn may_have_happened(&self, undo: usize) -> bool {
        self.steps[undo..]
            .iter()
            .skip_while(|step| step.role == Role::Undo)
            .take_while(|step| step.role != Role::Undo)
            .any(|deed| match deed.role {
                Role::Work | Role::Child => deed.epoch > 0 || deed.state == StepState::Done,
                Role::Undo | Role::Timer | Role::Listen | Role::Review => false,
            })
    }

    fn stick(&mut self, at: usize) {
        let Some(failure) = self.steps[at].error.clone() else {
            return;
        };
        self.write_letter(Some(at), &failure);
        if self.saga.state == SagaState::Undoing && self.move_saga(SagaEvent::Stick).is_ok() {
            self.event(
                "saga.stuck",
                Some(&failure.step),
                Some(json!({"message": failure.message})),
            );
        }
    }

    fn finish(&mut self, now: DateTime<Utc>) {
        if self.move_saga(SagaEvent::Finish).is_ok() {
            self.saga.finished_at = Some(now);
            let name = match self.saga.ending {
                Some(Ending::Canceled) => "saga.canceled",
                Some(Ending::Failed) | None => "saga.failed",
            };
            self.event(name, None, None);
        }
    }
}
