//! What people are asked, what they said, and that nobody said anything in time.

use super::{Role, Run, StepRow, work::delta};
use crate::journal::Key;
use crate::kinds::Kinds;
use crate::review::{Asked, Decision, Said};
use crate::state::StepState;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// The id of the review that a saga asks for by a request: it follows from both.
pub(crate) fn review_id(saga: Uuid, key: &Key) -> Uuid {
    Uuid::new_v5(&saga, format!("review {key}").as_bytes())
}

impl StepRow {
    pub(crate) fn is_open_review(&self) -> bool {
        self.role == Role::Review && self.state == StepState::Waiting
    }

    /// The question, if this is one.
    pub(crate) fn asked(&self) -> Option<Asked> {
        let review = self.role == Role::Review;
        serde_json::from_value(self.input.clone())
            .ok()
            .filter(|_| review)
    }

    /// What was said about it, if anything was.
    pub(crate) fn said(&self) -> Option<Said> {
        let said = self.output.clone().filter(|_| self.role == Role::Review)?;
        serde_json::from_value(said).ok()
    }
}

/// When a question that is asked now is no longer open.
pub(super) fn expires_at(asked: &Value, now: DateTime<Utc>) -> DateTime<Utc> {
    let within = asked["within_ms"].as_u64().unwrap_or_default();
    let at = now.checked_add_signed(delta(Duration::from_millis(within)));
    at.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

impl Run {
    /// Writes down that people are asked.
    pub(super) fn review_asked(&mut self, at: usize) {
        let key = self.steps[at].key.clone();
        let data =
            json!({"review": review_id(self.saga.id, &key), "until": self.steps[at].wake_at});
        self.event("review.requested", Some(&key), Some(data));
    }

    /// When it is late, unless it waits for people.
    pub(super) fn alarm(&self) -> Option<DateTime<Utc>> {
        self.saga.deadline_at.filter(|_| !self.is_in_review())
    }

    /// Reviews that begin or end with this transaction, by the position of their step.
    pub(crate) fn reviews_moved(&self) -> impl Iterator<Item = usize> {
        let moved = |at: &usize| {
            let fresh = *at >= self.stored || self.touched.contains(at);
            fresh && self.steps[*at].role == Role::Review
        };
        (0..self.steps.len()).filter(moved)
    }

    /// Whether it waits for people: that time does not count towards its deadline.
    fn is_in_review(&self) -> bool {
        self.steps.iter().any(StepRow::is_open_review)
    }

    /// Takes what was said about a review, and goes on. False: it is decided already.
    pub(crate) fn take_said(
        &mut self,
        at: usize,
        (said, by): (&Said, Option<&str>),
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) -> bool {
        let step = &self.steps[at];
        if !step.is_open_review() {
            return false;
        }
        let (key, waited) = (step.key.clone(), now - step.created_at);
        self.answer(at, json!(said), now);
        let later = |deadline: DateTime<Utc>| deadline.checked_add_signed(waited);
        self.saga.deadline_at = self.saga.deadline_at.and_then(later);
        let data =
            json!({"review": review_id(self.saga.id, &key), "decision": said.decision, "by": by});
        self.event("review.decided", Some(&key), Some(data));
        self.go_on(kinds, now);
        true
    }

    /// Nobody said anything in time.
    pub(super) fn expire_review(&mut self, at: usize, kinds: &Kinds, now: DateTime<Utc>) {
        let said = Said {
            decision: Decision::Expired,
            notes: None,
        };
        self.take_said(at, (&said, None), kinds, now);
    }
}
