//! Rows as the database has them, and as the engine sees them.

use crate::journal::Key;
use crate::run::{Ending, Heard, Parent, Role, SagaRow, StepRow};
use crate::state::{SagaState, StepState, read};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
pub(super) struct RawSaga {
    pub(super) id: Uuid,
    kind: String,
    state: String,
    ending: Option<String>,
    input: String,
    output: Option<String>,
    error: Option<String>,
    owner_id: Option<Uuid>,
    request_id: String,
    singleton: Option<String>,
    phase: Option<String>,
    seq: i64,
    inbox: i64,
    pivoted: bool,
    degraded: bool,
    letter_id: Option<Uuid>,
    replay_of: Option<Uuid>,
    parent_id: Option<Uuid>,
    parent_key: Option<String>,
    parked_until: Option<DateTime<Utc>>,
    deadline_at: Option<DateTime<Utc>>,
    wake_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
pub(super) struct RawStep {
    pub(super) saga_id: Uuid,
    key: String,
    pub(super) position: i64,
    role: String,
    step: String,
    queue: Option<String>,
    turn: i64,
    epoch: i64,
    attempt: i64,
    crashes: i64,
    tickets: i64,
    worker: Option<String>,
    settled: Option<i64>,
    step_state: String,
    step_input: String,
    step_output: Option<String>,
    step_error: Option<String>,
    step_letter_id: Option<Uuid>,
    step_wake_at: Option<DateTime<Utc>>,
    step_created_at: DateTime<Utc>,
    step_started_at: Option<DateTime<Utc>>,
    step_finished_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
pub(super) struct RawSignal {
    pub(super) saga_id: Uuid,
    id: Uuid,
    name: String,
    value: String,
}

impl TryFrom<RawSaga> for SagaRow {
    type Error = sqlx::Error;

    fn try_from(raw: RawSaga) -> sqlx::Result<Self> {
        let ending = match raw.ending.as_deref() {
            None => None,
            Some("canceled") => Some(Ending::Canceled),
            Some("failed") => Some(Ending::Failed),
            Some(other) => return Err(unknown("ending", other)),
        };
        Ok(Self {
            state: read(&SagaState::ALL, &raw.state, SagaState::as_str)
                .ok_or_else(|| unknown("state", &raw.state))?,
            ending,
            input: json(&raw.input)?,
            output: raw.output.as_deref().map(json).transpose()?,
            error: raw.error.as_deref().map(json).transpose()?,
            id: raw.id,
            kind: raw.kind,
            owner_id: raw.owner_id,
            request_id: raw.request_id,
            trace: None,
            singleton: raw.singleton,
            phase: raw.phase,
            seq: raw.seq,
            inbox: raw.inbox,
            pivoted: raw.pivoted,
            degraded: raw.degraded,
            letter_id: raw.letter_id,
            replay_of: raw.replay_of,
            parent: raw.parent_id.zip(raw.parent_key).map(|(id, key)| Parent {
                id,
                key: Key::stored(key),
            }),
            parked_until: raw.parked_until,
            deadline_at: raw.deadline_at,
            wake_at: raw.wake_at,
            created_at: raw.created_at,
            started_at: raw.started_at,
            updated_at: raw.updated_at,
            finished_at: raw.finished_at,
        })
    }
}

impl TryFrom<RawStep> for StepRow {
    type Error = sqlx::Error;

    fn try_from(raw: RawStep) -> sqlx::Result<Self> {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == raw.role);
        Ok(Self {
            role: role.ok_or_else(|| unknown("role", &raw.role))?,
            state: read(&StepState::ALL, &raw.step_state, StepState::as_str)
                .ok_or_else(|| unknown("state", &raw.step_state))?,
            input: json(&raw.step_input)?,
            output: raw.step_output.as_deref().map(json).transpose()?,
            error: raw.step_error.as_deref().map(json).transpose()?,
            key: Key::stored(raw.key),
            position: raw.position,
            step: raw.step,
            queue: raw.queue,
            turn: raw.turn,
            epoch: raw.epoch,
            attempt: raw.attempt,
            crashes: raw.crashes,
            tickets: raw.tickets,
            worker: raw.worker,
            letter_id: raw.step_letter_id,
            settled: raw.settled,
            wake_at: raw.step_wake_at,
            created_at: raw.step_created_at,
            started_at: raw.step_started_at,
            finished_at: raw.step_finished_at,
        })
    }
}

impl TryFrom<RawSignal> for Heard {
    type Error = sqlx::Error;

    fn try_from(raw: RawSignal) -> sqlx::Result<Self> {
        Ok(Self {
            id: raw.id,
            name: raw.name,
            value: json(&raw.value)?,
            by: None,
        })
    }
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(super) fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("rows are made of plain data")
}

fn unknown(what: &str, word: &str) -> sqlx::Error {
    sqlx::Error::Decode(
        format!("the store has a {what} that this program does not know: {word}").into(),
    )
}
