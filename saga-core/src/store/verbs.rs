//! What a person may do to one saga, in the caller's transaction: to look what would come of it, the
//! caller does it and does not commit.

use super::audit::{self, Entry};
use super::control::one;
use super::{Store, letters};
use crate::db::Tx;
use crate::journal::Key;
use crate::run::{Consequence, Hindered, Refused, Run, Skip};
use crate::state::SagaState;
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use serde_json::json;
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
    /// Somebody else decided first, or it does not apply any more.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The input cannot be changed so.
    #[error("{why}")]
    Edit {
        /// What does not fit, as a JSON pointer into the request.
        pointer: String,
        /// Why.
        why: String,
    },
    /// It was discarded too long ago.
    #[error("a letter can be restored for 30 days")]
    TooLate,
    /// The saga could not be started again.
    #[error("the saga could not be started again")]
    Start(#[from] super::StartError),
    /// The store did not take it.
    #[error("the store did not take it")]
    Store(#[from] sqlx::Error),
}

// Those of all that it began, too, and by which of its children.
const CALLS: &str = "-- verbs.calls
    WITH RECURSIVE family AS (
        SELECT s.id, s.id AS child FROM sagas s WHERE s.id = $1
         UNION ALL SELECT c.id, CASE WHEN family.id = $1 THEN c.id ELSE family.child END
                     FROM family JOIN sagas c ON c.parent_id = family.id)
    SELECT e.saga_id, f.child, e.step_key, e.name, e.state, c.cost_micros
      FROM family f JOIN effects e ON e.saga_id = f.id
      LEFT JOIN charges c ON c.saga_id = e.saga_id AND c.step_key = e.step_key AND c.name = e.name AND c.round = e.round
     ORDER BY e.saga_id, e.step_key, e.name, e.round";

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
        let mut run = one(tx, saga).await?.ok_or(VerbError::NotFound)?;
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
                return Err(Refused::NotOpen.into());
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

    async fn done(
        &self,
        tx: &mut Tx,
        before: &Run,
        run: Run,
        now: DateTime<Utc>,
    ) -> Result<Done, VerbError> {
        let state = run.saga.state;
        let mut consequence = run.consequence(before);
        count_calls(tx, &run, &mut consequence, Calls::OfThese).await?;
        let tickets = self.decided(tx, run, now).await?;
        Ok(Done {
            state,
            consequence,
            tickets,
        })
    }
}

/// A paid call of a saga, or of one that it began.
#[derive(sqlx::FromRow)]
struct Call {
    saga_id: Uuid,
    /// The child that it was made for; the saga's own id for those of its own steps.
    child: Uuid,
    step_key: String,
    name: String,
    state: String,
    /// What is known of its cost.
    cost_micros: Option<i64>,
}

/// Which paid calls of a saga a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// Those of the steps that run, and of a child that another takes the place of.
    OfThese,
    /// All: another saga makes them anew, as far as it comes.
    All,
}

/// Adds what the paid calls come to.
pub(super) async fn count_calls(
    tx: &mut Tx,
    run: &Run,
    consequence: &mut Consequence,
    which: Calls,
) -> sqlx::Result<()> {
    let none = consequence.runs.is_empty() && consequence.replaced.is_none();
    if which == Calls::OfThese && none {
        return Ok(());
    }
    let (saga, goes_on) = (run.saga.id, run.saga.ending.is_none());
    let kept: BTreeSet<Uuid> = run.children_kept().collect();
    let calls: Vec<Call> = tx.query(CALLS).bind(saga).all().await?;
    let mut latest = BTreeMap::new();
    for call in calls {
        let of = (call.saga_id, call.step_key.clone(), call.name.clone());
        latest.insert(of, call); // of several rounds the last one counts
    }
    for call in latest.into_values() {
        let cost = call.cost_micros.unwrap_or(0);
        let runs = |key: &Key| call.child == saga && key.as_str() == call.step_key;
        let runs = consequence.runs.iter().any(runs);
        let anew = which == Calls::All || consequence.replaced == Some(call.child);
        if anew || (runs && call.state != "answered") {
            consequence.calls_again += 1;
            consequence.again_micros += cost;
        } else if call.state == "answered" && (call.child == saga || kept.contains(&call.child)) {
            consequence.calls_kept += usize::from(runs);
            consequence.saved_micros += if goes_on { cost } else { 0 };
        }
    }
    Ok(())
}
