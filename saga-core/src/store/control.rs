//! What the outside and its owner do to a saga: signal, cancel.

use super::audit::{self, Entry};
use super::verbs::{Calls, VerbError, count_calls};
use super::{Store, load, rows::text, save, traces};
use crate::db::{Durability, Tx};
use crate::run::{Consequence, Heard, Refused, Run};
use crate::state::SagaState;
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no such saga or letter.
    #[error("there is no such thing")]
    NotFound,
    /// Somebody else decided first, or it does not apply any more.
    #[error("{0}")]
    Refused(#[from] Refused),
    /// The saga could not be started again.
    #[error("the saga could not be started again")]
    Start(#[source] super::StartError),
    /// The store did not take it.
    #[error("the store did not take it")]
    Store(#[from] sqlx::Error),
}

impl From<VerbError> for ControlError {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::NotFound => Self::NotFound,
            VerbError::Refused(refused) => Self::Refused(refused),
            VerbError::Start(error) => Self::Start(error),
            VerbError::Store(error) => Self::Store(error),
            // Nothing that is asked for here is refused so, but for a saga in another state.
            VerbError::Hindered(_) | VerbError::Edit { .. } | VerbError::TooLate => {
                Self::Refused(Refused::NotOpen)
            }
        }
    }
}

/// Who cancels a saga, and why.
#[derive(Debug, Clone, Copy)]
pub struct Cancel<'a> {
    /// Who, as the saga's owner is told.
    pub by: &'a str,
    /// Who, as the audit has it.
    pub actor: &'a str,
    /// Why; only the audit has it.
    pub reason: &'a str,
}

const INSERT_SIGNAL: &str = "-- control.signal
    INSERT INTO signals (id, saga_id, name, value, created_at) VALUES ($1, $2, $3, $4, $5)";

impl Store {
    /// Tells a saga the news.
    pub async fn signal(
        &self,
        saga: Uuid,
        name: &str,
        value: Value,
    ) -> Result<Vec<Ticket>, ControlError> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let (id, now) = (Uuid::now_v7(), tx.now().await?);
        let mut run = one(&mut tx, saga).await?.ok_or(ControlError::NotFound)?;
        if run.saga.state.is_final() {
            return Err(Refused::Finished.into());
        }
        tx.query(INSERT_SIGNAL)
            .bind(id)
            .bind(saga)
            .bind(name.to_owned())
            .bind(text(&value))
            .bind(now)
            .execute()
            .await?;
        run.take_signal(
            Heard {
                id,
                name: name.to_owned(),
                value,
                by: None,
            },
            &self.kinds,
            now,
        );
        self.finish(tx, run).await
    }

    /// Turns a saga round on its owner's wish, or an operator's.
    pub async fn cancel(
        &self,
        saga: Uuid,
        cancel: &Cancel<'_>,
    ) -> Result<(SagaState, Vec<Ticket>), ControlError> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let mut run = one(&mut tx, saga).await?.ok_or(ControlError::NotFound)?;
        let was = run.saga.state;
        run.cancel(cancel.by, &self.kinds, now)?;
        // Of two who cancel, the first decided.
        if run.changed() {
            let entry = Entry {
                actor: cancel.actor,
                verb: "saga.cancel",
                target_kind: "saga",
                target_id: saga.to_string(),
                reason: cancel.reason,
                detail: json!({"kind": run.saga.kind, "was": was.as_str()}),
            };
            audit::write(&mut tx, &entry).await?;
        }
        let state = run.saga.state;
        Ok((state, self.finish(tx, run).await?))
    }

    /// What would come of a cancellation; nothing is done.
    pub async fn foresee_cancel(&self, saga: Uuid) -> Result<Consequence, ControlError> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let now = tx.now().await?;
        let mut run = one(&mut tx, saga).await?.ok_or(ControlError::NotFound)?;
        let before = run.clone();
        run.cancel("nobody", &self.kinds, now)?;
        let mut consequence = run.consequence(&before);
        count_calls(&mut tx, &run, &mut consequence, Calls::OfThese).await?;
        Ok(consequence)
    }

    async fn finish(&self, mut tx: Tx, run: Run) -> Result<Vec<Ticket>, ControlError> {
        let now = tx.now().await?;
        let tickets = self.decided(&mut tx, run, now).await?;
        tx.commit().await?;
        Ok(tickets)
    }

    /// Saves what somebody decided. No worker carries its tickets' traces: they are looked up.
    pub(super) async fn decided(
        &self,
        tx: &mut Tx,
        mut run: Run,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Ticket>> {
        run.kept = self.rules.now().keep(&run.saga);
        let mut tickets = save::save(tx, &mut vec![run], self, now).await?;
        traces::recall(tx, &mut tickets).await?;
        Ok(tickets)
    }
}

/// A whole saga, locked.
pub(super) async fn one(tx: &mut Tx, saga: Uuid) -> sqlx::Result<Option<Run>> {
    Ok(load::whole(tx, BTreeSet::from([saga])).await?.remove(&saga))
}
