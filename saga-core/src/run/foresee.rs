//! What a decision comes to: which steps run because of it, and what is kept.

use super::{Role, Run};
use crate::journal::Key;
use crate::prices::dollars;
use crate::state::{SagaState, StepState};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// What a decision comes to, told by the saga before and after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Consequence {
    /// Where the saga was.
    pub was: &'static str,
    /// Where it is then.
    pub state: &'static str,
    /// Steps that run because of it; undos too, the first to run first.
    pub runs: Vec<Key>,
    /// The saga that begins by it, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub starts: Option<Uuid>,
    /// Children that are canceled first.
    pub cancels: Vec<Uuid>,
    /// The child that failed, if another takes its place.
    #[serde(skip)]
    pub(crate) replaced: Option<Uuid>,
    /// Steps that nobody takes as long as the saga is paused.
    pub held: Vec<Key>,
    /// How many finished steps keep their answers.
    pub kept: usize,
    /// How many stored answers of paid calls are used by the steps that run.
    pub calls_kept: usize,
    /// How many paid calls of theirs are made once more, as far as they were made before.
    pub calls_again: usize,
    /// What is known of the money that is spent once more by that, going by what it cost before.
    #[serde(rename = "spends_again_usd", serialize_with = "usd")]
    #[schema(value_type = String)]
    pub again_micros: i64,
    /// What is known of the money that is saved, since what it paid for is kept.
    #[serde(rename = "saves_usd", serialize_with = "usd")]
    #[schema(value_type = String)]
    pub saved_micros: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a field is handed over so"
)]
fn usd<S: Serializer>(micros: &i64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&dollars(*micros))
}

impl Run {
    /// What came of a decision, by what the saga was before it. Of paid calls its rows know nothing.
    pub fn consequence(&self, before: &Self) -> Consequence {
        let turn = |at: usize| before.steps.get(at).map(|step| step.turn);
        let runs = |at: &usize| {
            let step = &self.steps[*at];
            step.state == StepState::Ready && turn(*at) != Some(step.turn)
        };
        let key = |at: usize| self.steps[at].key.clone();
        let all = 0..self.steps.len();
        let mut running: Vec<Key> = all.clone().filter(runs).map(key).collect();
        if self.saga.state == SagaState::Undoing {
            let armed = all.clone().rev().filter(|at| {
                let step = &self.steps[*at];
                let waits = step.role == Role::Undo && step.state == StepState::Waiting;
                waits && self.may_have_happened(*at)
            });
            running.extend(armed.map(key));
        }
        let is_kept = |at: &usize| {
            let step = &self.steps[*at];
            step.role == Role::Work && step.state == StepState::Done
        };
        let paused = self.saga.state == SagaState::Paused;
        let anew = |at: &usize| {
            let was = before.steps.get(*at).map(|step| (step.role, step.state));
            was == Some((Role::Child, StepState::Failed))
                && self.steps[*at].state == StepState::Waiting
        };
        let anew = all.clone().find(anew);
        Consequence {
            was: before.saga.state.as_str(),
            state: self.saga.state.as_str(),
            runs: running,
            cancels: all
                .clone()
                .filter(|at| self.steps[*at].is_recalled() && turn(*at) == Some(0))
                .map(|at| self.steps[at].child(self.saga.id))
                .collect(),
            held: all
                .clone()
                .filter(|at| paused && self.is_held(*at))
                .map(key)
                .collect(),
            kept: all.filter(is_kept).count(),
            starts: anew.map(|at| self.steps[at].child(self.saga.id)),
            replaced: anew.map(|at| before.steps[at].child(self.saga.id)),
            calls_kept: 0,
            calls_again: 0,
            again_micros: 0,
            saved_micros: 0,
        }
    }
}
