//! Sagas that this one began: how they end, and how they are called back.

use super::{CHILDREN_MAX, Parent, Role, Run, StepRow, nth_child_id};
use crate::journal::{Class, Failure, Key, readable};
use crate::kinds::Kinds;
use crate::state::{SagaState, StepEvent, StepState};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// The pause before the sweeper first looks whether a child still moves; later ones grow with its age.
pub(super) const CHILD_LOOK: TimeDelta = TimeDelta::minutes(1);
/// The longest such pause.
const CHILD_LOOK_MAX: TimeDelta = TimeDelta::hours(1);

impl StepRow {
    /// Whether it is a child that its saga wants back.
    pub(crate) fn is_recalled(&self) -> bool {
        self.role == Role::Child && self.turn > 0
    }

    /// Whether it is a child that has not ended yet.
    pub(crate) fn is_child_at_work(&self) -> bool {
        self.role == Role::Child && self.state == StepState::Waiting
    }
}

impl Run {
    /// Children that are asked for and not begun yet, by the position of their step.
    pub fn unborn(&self) -> impl Iterator<Item = usize> {
        let unborn = |at: &usize| self.steps[*at].is_child_at_work() && self.steps[*at].epoch == 0;
        (0..self.steps.len()).filter(unborn)
    }

    /// Why it may not ask for so many more children. Those that it wants back do not count.
    pub(super) fn too_wide(&self, asked: usize) -> Option<String> {
        let open =
            (self.steps.iter()).filter(|step| step.is_child_at_work() && !step.is_recalled());
        let children = open.count() + asked;
        (asked > 0 && children > CHILDREN_MAX).then(|| {
            format!(
                "too_many_children: {children} at once, and a saga has at most {CHILDREN_MAX}; begin them in turns"
            )
        })
    }

    /// The children that it ever began, in the order in which it asked for them.
    pub fn children(&self) -> impl Iterator<Item = Uuid> {
        let children = self.steps.iter().filter(|step| step.role == Role::Child);
        children.flat_map(|step| {
            let begun = step.attempt + i64::from(step.epoch > 0);
            (0..begun).map(|nth| nth_child_id(self.saga.id, &step.key, nth))
        })
    }

    /// Those of them that have left something behind, or still may.
    pub(crate) fn children_kept(&self) -> impl Iterator<Item = Uuid> {
        let kept = |step: &&StepRow| {
            let at_work = step.is_child_at_work() && !step.is_recalled();
            step.role == Role::Child && (at_work || step.state == StepState::Done)
        };
        let kept = self.steps.iter().filter(kept);
        kept.map(|step| step.child(self.saga.id))
    }

    /// Asks for a child that has failed once more: another saga, if that one ever began.
    pub(super) fn ask_anew(&mut self, at: usize, now: DateTime<Utc>) {
        if self.move_step(at, StepEvent::AskAnew).is_err() {
            return;
        }
        let step = &mut self.steps[at];
        step.attempt += i64::from(step.epoch > 0);
        (step.epoch, step.turn) = (0, 0);
        (step.settled, step.finished_at) = (None, None);
        step.wake_at = Some(now + CHILD_LOOK);
    }

    /// Whether a child has not ended yet.
    pub(crate) fn has_child_at_work(&self) -> bool {
        self.steps.iter().any(StepRow::is_child_at_work)
    }

    /// Whom its end is told, and how it went; none while it is live, or one that it called back is.
    pub(crate) fn told_at_end(&self) -> Option<(&Parent, Result<Value, Failure>)> {
        if self.has_child_at_work() {
            return None;
        }
        let (parent, kind, id) = (self.saga.parent.as_ref()?, &self.saga.kind, self.saga.id);
        match self.saga.state {
            SagaState::Succeeded => {
                Some((parent, Ok(self.saga.output.clone().unwrap_or_default())))
            }
            SagaState::Undone => {
                let error = self.saga.error.as_ref();
                let why = error.map_or("no words are kept", |error| error.message.as_str());
                let failure = Failure {
                    step: parent.key.clone(),
                    class: error.map_or(Class::Verdict, |error| error.class),
                    message: readable(&format!("child_failed: {kind} {id}: {why}")),
                };
                Some((parent, Err(failure)))
            }
            SagaState::Queued
            | SagaState::Running
            | SagaState::Waiting
            | SagaState::Paused
            | SagaState::Parked
            | SagaState::Undoing
            | SagaState::Stuck => None,
        }
    }

    /// Whether this child is the one that a request waits for, and no older one that it took the place of.
    pub(crate) fn waits_for(&self, child: Uuid, key: &Key) -> bool {
        let step = self.find(key).map(|at| &self.steps[at]);
        step.is_some_and(|step| step.is_child_at_work() && step.child(self.saga.id) == child)
    }

    /// Has the sweeper look after a child now.
    pub(crate) fn look_soon(&mut self, key: &Key, now: DateTime<Utc>) {
        if let Some(at) = self.find(key) {
            self.steps[at].wake_at = Some(now);
            if at < self.stored {
                self.touched.insert(at);
            }
        }
    }

    /// Takes note of how a child ended, and goes on. Told twice it does nothing.
    pub fn child_ended(
        &mut self,
        key: &Key,
        end: Result<Value, Failure>,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) {
        if self.note_end(key, end, now) {
            self.go_on(kinds, now);
        }
    }

    /// Takes note of how a child ended, without going on: others have ended, too. False: it was told before.
    pub(crate) fn note_end(
        &mut self,
        key: &Key,
        end: Result<Value, Failure>,
        now: DateTime<Utc>,
    ) -> bool {
        let open = self
            .find(key)
            .filter(|at| self.steps[*at].is_child_at_work());
        let Some(at) = open else { return false };
        match end {
            Ok(output) => self.answer(at, output, now),
            Err(failure) => self.give_up(at, failure, now),
        }
        true
    }

    /// Nobody waits for this any more: it is cancelled, or, if it is a child, called back.
    pub(super) fn let_go(&mut self, at: usize, now: DateTime<Utc>) {
        let step = &mut self.steps[at];
        if !step.is_child_at_work() || step.epoch == 0 {
            return self.cancel_step(at, now);
        }
        if step.is_recalled() {
            return;
        }
        // The sweeper calls it back: whoever holds this saga must not lock another one for it now.
        step.turn = 1;
        step.wake_at = Some(now);
        if at < self.stored {
            self.touched.insert(at);
        }
        let key = self.steps[at].key.clone();
        self.event("child.recalled", Some(&key), None);
    }

    /// Looks after a child whose hour has come: has one that nobody waits for cancelled, and takes note of
    /// an end that it was not told of, since an older program wrote it. The sweeper calls it.
    pub(crate) fn see_to_child(
        &mut self,
        at: usize,
        child: Option<&mut Self>,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) {
        let step = &self.steps[at];
        if !step.is_child_at_work() || step.wake_at.is_none_or(|due| due > now) {
            return;
        }
        let (key, recalled) = (step.key.clone(), step.is_recalled());
        let pause = (now - step.created_at).clamp(CHILD_LOOK, CHILD_LOOK_MAX);
        if let Some(child) = child {
            if recalled {
                // Past its pivot it goes on to its end, which is waited for.
                let by = format!("its parent {}", self.saga.id);
                let refused = child.cancel(&by, kinds, now).err();
                tracing::debug!(saga.id = %child.saga.id, ?refused, "A child is called back");
            }
            if let Some((_, end)) = child.told_at_end() {
                return self.child_ended(&key, end, kinds, now);
            }
        }
        self.steps[at].wake_at = Some(now + pause);
        if at < self.stored {
            self.touched.insert(at);
        }
    }

    /// Why a child could not begin.
    pub(crate) fn child_refused(
        &mut self,
        key: &Key,
        why: String,
        kinds: &Kinds,
        now: DateTime<Utc>,
    ) {
        let failure = Failure {
            step: key.clone(),
            class: Class::Permanent,
            message: readable(&why),
        };
        self.child_ended(key, Err(failure), kinds, now);
    }

    /// Notes that a child has begun: its row is written with this change.
    pub fn child_began(&mut self, at: usize) {
        let step = &mut self.steps[at];
        step.epoch = 1;
        if at < self.stored {
            self.touched.insert(at);
        }
        let (key, child) = (step.key.clone(), step.child(self.saga.id));
        self.event("child.began", Some(&key), Some(json!({"saga": child})));
    }
}
