//! What a person may do to one saga, in the caller's transaction: to look what would come of it, the
//! caller does it and does not commit.

use super::audit::{self, Entry};
use super::{Store, letters, load, save};
use crate::db::Tx;
use crate::journal::Key;
use crate::run::{Consequence, Hindered, Run, Skip};
use crate::state::SagaState;
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a person may do to one saga.
#[derive(Debug, Clone, PartialEq)]
pub enum SagaVerb {
    /// Hold it.
    Pause,
    /// Have it go on.
    Resume,
    /// Try a step again now; the only one that can be meant if it is not said.
    RetryStep(Option<Key>),
    /// Answer in a step's place, or do without it.
    SkipStep(Skip),
}

impl SagaVerb {
    /// The word in the audit.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pause => "saga.pause",
            Self::Resume => "saga.resume",
            Self::RetryStep(_) => "saga.retry_step",
            Self::SkipStep(_) => "saga.skip_step",
        }
    }
}

/// What was done.
#[derive(Debug)]
pub struct Done {
    /// Where the saga is now.
    pub state: SagaState,
    /// What came of it.
    pub consequence: Consequence,
    /// To be published once it is committed.
    pub tickets: Vec<Ticket>,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum VerbError {
    /// There is no such saga or letter.
    #[error("there is no such thing")]
    NotFound,
    /// It does not fit the saga as it is.
    #[error(transparent)]
    Hindered(#[from] Hindered),
    /// Somebody else has decided about the letter.
    #[error("the letter is not open")]
    NotOpen,
    /// The store did not take it.
    #[error("the store did not take it")]
    Store(#[from] sqlx::Error),
}

const CALLS: &str = "-- verbs.calls
    SELECT step_key, name, state FROM effects WHERE saga_id = $1 ORDER BY step_key, name, round";

impl Store {
    /// Does one thing to a saga, and writes down who did it.
    pub async fn decide(
        &self,
        tx: &mut Tx,
        saga: Uuid,
        verb: &SagaVerb,
        (by, reason): (&str, &str),
    ) -> Result<Done, VerbError> {
        let now = tx.now().await?;
        let mut run = one(tx, saga).await?;
        let before = run.clone();
        let mut detail = json!({"kind": run.saga.kind, "was": run.saga.state.as_str()});
        let closes = match verb {
            SagaVerb::Pause => {
                run.pause(by)?;
                None
            }
            SagaVerb::Resume => {
                run.resume(by, &self.kinds, now)?;
                None
            }
            SagaVerb::RetryStep(step) => {
                let (step, letter) = run.retry_step(step.as_ref(), by, &self.kinds, now)?;
                detail["step"] = json!(step);
                letter.map(|letter| (letter, "replayed"))
            }
            SagaVerb::SkipStep(skip) => {
                let (step, letter) = run.skip_step(skip, by, &self.kinds, now)?;
                detail["step"] = json!(step);
                detail["forced"] = json!(skip.force);
                letter.map(|letter| (letter, "skipped"))
            }
        };
        if let Some((letter, state)) = closes {
            if !letters::resolve(tx, letter, state, by, reason).await? {
                return Err(VerbError::NotOpen);
            }
            detail["letter"] = json!(letter);
        }
        let entry = Entry {
            actor: by,
            verb: verb.as_str(),
            target_kind: "saga",
            target_id: saga.to_string(),
            reason,
            detail,
        };
        audit::write(tx, &entry).await?;
        self.done(tx, &before, run, now).await
    }

    /// Puts an answer in the place of the step that an open letter is about.
    pub async fn skip_letter(
        &self,
        tx: &mut Tx,
        letter: Uuid,
        output: Value,
        (by, reason): (&str, &str),
    ) -> Result<Done, VerbError> {
        let found = letters::find(tx, letter).await?;
        let found = found.ok_or(VerbError::NotFound)?;
        let saga = found.saga_id.ok_or(VerbError::NotOpen)?;
        let now = tx.now().await?;
        let mut run = one(tx, saga).await?;
        let about = |step: &&crate::run::StepRow| step.letter_id == Some(letter);
        let step = run.steps.iter().find(about).map(|step| step.key.clone());
        let skip = Skip {
            step: Some(step.ok_or(VerbError::NotOpen)?),
            output: Some(output),
            force: true,
        };
        let before = run.clone();
        run.skip_step(&skip, by, &self.kinds, now)?;
        if !letters::resolve(tx, letter, "skipped", by, reason).await? {
            return Err(VerbError::NotOpen);
        }
        let detail = json!({"saga": saga, "kind": found.kind, "step": found.step_key});
        let entry = Entry {
            actor: by,
            verb: "letter.skip",
            target_kind: "letter",
            target_id: letter.to_string(),
            reason,
            detail,
        };
        audit::write(tx, &entry).await?;
        self.done(tx, &before, run, now).await
    }

    async fn done(
        &self,
        tx: &mut Tx,
        before: &Run,
        run: Run,
        now: DateTime<Utc>,
    ) -> Result<Done, VerbError> {
        let (state, saga) = (run.saga.state, run.saga.id);
        let mut consequence = run.consequence(before);
        count_calls(tx, saga, &mut consequence).await?;
        let tickets = save::save(tx, &mut [run], &self.kinds, now).await?;
        Ok(Done {
            state,
            consequence,
            tickets,
        })
    }
}

/// Adds what the paid calls of the steps that run come to.
pub(super) async fn count_calls(
    tx: &mut Tx,
    saga: Uuid,
    consequence: &mut Consequence,
) -> sqlx::Result<()> {
    if consequence.runs.is_empty() {
        return Ok(());
    }
    let calls: Vec<(String, String, String)> = tx.query(CALLS).bind(saga).all().await?;
    let mut latest = BTreeMap::new();
    for (step, name, state) in calls {
        latest.insert((step, name), state); // of several rounds the last one counts
    }
    for ((step, _), state) in latest {
        if consequence.runs.iter().any(|key| key.as_str() == step) {
            match state.as_str() {
                "answered" => consequence.calls_kept += 1,
                _ => consequence.calls_again += 1,
            }
        }
    }
    Ok(())
}

async fn one(tx: &mut Tx, saga: Uuid) -> Result<Run, VerbError> {
    let mut found = load::whole(tx, BTreeSet::from([saga])).await?;
    found.remove(&saga).ok_or(VerbError::NotFound)
}
