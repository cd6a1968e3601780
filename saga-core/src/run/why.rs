//! Why a saga is where it is: reasons for people, from its rows, the time, and what is known of the outside.

mod reason;
mod steps;

pub use reason::{Outside, Reason, Why};

use super::{Ending, Role, Run, StepRow};
use crate::state::{SagaState, StepState};
use chrono::{DateTime, Utc};
use steps::{is_at_work, last_error, of_step, time};
use uuid::Uuid;

impl Run {
    /// Why the saga is where it is, the most telling reason first. There is always one.
    pub fn why(&self, now: DateTime<Utc>, outside: &Outside) -> Vec<Reason> {
        let steps = |wanted: fn(&StepRow) -> bool| {
            let wanted = self.steps.iter().filter(move |step| wanted(step));
            wanted.flat_map(|step| of_step(step, now, outside))
        };
        let mut reasons: Vec<Reason> = match self.saga.state {
            SagaState::Succeeded | SagaState::Undone => [self.finished()]
                .into_iter()
                .chain(self.children_awaited(outside))
                .collect(),
            SagaState::Queued | SagaState::Running | SagaState::Waiting => self
                .kind_off(outside)
                .into_iter()
                .chain(steps(|step| step.state.is_open()))
                .chain(self.children_awaited(outside))
                .collect(),
            SagaState::Paused => [self.paused(outside)]
                .into_iter()
                .chain(steps(|step| step.state.is_open()))
                .chain(self.children_awaited(outside))
                .collect(),
            SagaState::Parked => self.parked().chain(steps(is_at_work)).collect(),
            SagaState::Undoing => [self.undoing()]
                .into_iter()
                .chain(self.kind_off(outside))
                .chain(steps(is_at_work))
                .chain(self.children_awaited(outside))
                .collect(),
            SagaState::Stuck => self.undo_failed().collect(),
        };
        if reasons.is_empty() {
            let message = "Nothing that it waits for was found: it moved while it was looked at.";
            reasons.push(Reason::new(Why::Moving, message, "Look again."));
        }
        reasons
    }

    fn children_awaited(&self, outside: &Outside) -> impl Iterator<Item = Reason> {
        let open = self.steps.iter().filter(|step| step.is_child_at_work());
        open.map(move |step| {
            let child = step.child(self.saga.id);
            let recalled = if step.is_recalled() {
                ", which it called back,"
            } else {
                ""
            };
            let state = outside.children.get(&child);
            let is = state.map_or_else(String::new, |state| format!(" It is {}.", state.as_str()));
            let message = format!(
                "It waits for the end of its child {}{recalled} saga {child}.{is}",
                step.key
            );
            let remedy = match state {
                Some(SagaState::Parked | SagaState::Stuck) => {
                    format!("Somebody has to decide about that one: chorus sagas why {child}.")
                }
                Some(SagaState::Succeeded | SagaState::Undone) => {
                    format!("It has called others back, and they are still at work: chorus sagas why {child}.")
                }
                Some(_) | None => {
                    format!("Look why that one is where it is: chorus sagas why {child}.")
                }
            };
            Reason::new(Why::WaitingForChild, message, remedy)
                .of(step)
                .since(Some(step.created_at))
        })
    }

    fn finished(&self) -> Reason {
        let how = match (self.saga.state, self.saga.ending) {
            (SagaState::Succeeded, _) => "It is over, and well.",
            (_, Some(Ending::Canceled)) => "It was canceled, and what it did was taken back.",
            (_, Some(Ending::Failed) | None) => "It failed, and what it did was taken back.",
        };
        let error = self.saga.error.as_ref();
        let why = error.map_or(String::new(), |error| format!(" Why: {}", error.message));
        Reason::new(Why::Finished, format!("{how}{why}"), "Nothing.").since(self.saga.finished_at)
    }

    fn paused(&self, outside: &Outside) -> Reason {
        let who = outside.held.as_ref();
        let who = who.map_or_else(String::new, |who| format!(" by {who}"));
        let message = format!("It is paused{who}; nothing further of it is taken.");
        let remedy = format!("When it may go on: chorus sagas resume {}.", self.saga.id);
        Reason::new(Why::Paused, message, remedy)
    }

    fn kind_off(&self, outside: &Outside) -> Option<Reason> {
        let (kind, who) = (&self.saga.kind, outside.kind_off.as_ref()?);
        let message = format!("The kind {kind} is switched off: {who}.");
        let remedy = format!("When it may go on: chorus kinds resume {kind}.");
        Some(Reason::new(Why::KindPaused, message, remedy))
    }

    fn parked(&self) -> impl Iterator<Item = Reason> {
        let gave_up = |step: &&StepRow| step.letter_id.is_some() && step.role != Role::Undo;
        let steps = self.steps.iter().filter(gave_up).map(|step| {
            let how = if step.role == Role::Child {
                "failed, and its saga cannot go back".to_owned()
            } else {
                format!("gave up after {} attempt(s)", step.attempt)
            };
            let (key, error, ends) = (&step.key, last_error(step), self.parking_ends());
            let message = format!("{key} {how}: {error}. {ends}");
            Reason::new(Why::Parked, message, self.judge(step.letter_id))
                .of(step)
                .since(step.finished_at)
                .until(self.saga.parked_until)
        });
        steps.chain(self.saga.letter_id.map(|letter| self.diverged(letter)))
    }

    fn diverged(&self, letter: Uuid) -> Reason {
        let error = self.saga.error.as_ref();
        let both = error.map_or("no words are kept", |error| error.message.as_str());
        let message = format!("Its code does not fit what it has asked for so far: {both}.");
        let remedy = format!(
            "Deploy code that fits, then: chorus dead-letters replay {letter}. Or discard it: what was done is undone."
        );
        Reason {
            letter: Some(letter),
            ..Reason::new(Why::Diverged, message, remedy)
        }
        .since(Some(self.saga.updated_at))
    }

    fn parking_ends(&self) -> String {
        match self.saga.parked_until {
            Some(until) => format!("Undo begins by itself at {}.", time(until)),
            None => "Nothing happens until somebody decides.".to_owned(),
        }
    }

    fn judge(&self, letter: Option<Uuid>) -> String {
        let letter = letter.map_or_else(|| "LETTER".to_owned(), |letter| letter.to_string());
        let replay = format!("Mend the cause, then: chorus dead-letters replay {letter}.");
        if self.saga.pivoted {
            return replay; // there is only forward
        }
        format!("{replay} Or give it up: chorus dead-letters discard {letter}.")
    }

    fn undoing(&self) -> Reason {
        let how = match self.saga.ending {
            Some(Ending::Canceled) => "It was canceled",
            Some(Ending::Failed) | None => "It failed",
        };
        let error = self.saga.error.as_ref();
        let why = error.map_or(String::new(), |error| format!(" ({})", error.message));
        let message = format!("{how}{why}, and what it did is being taken back.");
        Reason::new(Why::Undoing, message, "Nothing: it ends by itself.")
    }

    fn undo_failed(&self) -> impl Iterator<Item = Reason> {
        let gave_up = |step: &&StepRow| step.role == Role::Undo && step.state == StepState::Failed;
        self.steps.iter().filter(gave_up).map(|step| {
            let message = format!(
                "The undo {} gave up after {} attempt(s): {}. Nothing happens until somebody decides.",
                step.key,
                step.attempt,
                last_error(step)
            );
            let letter = step
                .letter_id
                .map_or_else(|| "LETTER".to_owned(), |letter| letter.to_string());
            let remedy = format!(
                "Mend the cause, then: chorus dead-letters replay {letter}. Or undo it by hand, then: chorus dead-letters discard {letter}."
            );
            Reason::new(Why::UndoFailed, message, remedy)
                .of(step)
                .since(step.finished_at)
        })
    }
}
