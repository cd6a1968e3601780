//! What people and the outside do to a saga: signal, cancel, replay, discard.

use super::{NewSaga, Started, Store, letters, load, rows::text, save};
use crate::db::{Durability, Tx};
use crate::run::{Heard, Refused, Run};
use crate::state::SagaState;
use crate::ticket::Ticket;
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
        let mut run = one(&mut tx, saga).await?;
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
        finish(tx, run).await
    }

    /// Turns a saga round on its owner's wish.
    pub async fn cancel(
        &self,
        saga: Uuid,
        by: &str,
    ) -> Result<(SagaState, Vec<Ticket>), ControlError> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let mut run = one(&mut tx, saga).await?;
        run.cancel(by, &self.kinds, now)?;
        let state = run.saga.state;
        Ok((state, finish(tx, run).await?))
    }

    /// Tries again what a letter is about, once: of two people who replay the same letter, one is
    /// told that it is not open any more. A saga that was undone is started anew from its input.
    pub async fn replay(
        &self,
        letter: Uuid,
        by: &str,
        reason: &str,
    ) -> Result<(Started, Vec<Ticket>), ControlError> {
        let found = self.letter(letter).await?.ok_or(ControlError::NotFound)?;
        let saga = found.saga_id.ok_or(Refused::NotOpen)?;
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let run = one(&mut tx, saga).await?;
        if run.saga.state.is_final() && matches!(found.state.as_str(), "expired" | "discarded") {
            return self.start_again(tx, run, letter, (by, reason)).await;
        }
        let tickets = self.replay_run(&mut tx, run, letter, (by, reason)).await?;
        tx.commit().await?;
        Ok((
            Started {
                id: saga,
                new: false,
                at: now,
            },
            tickets,
        ))
    }

    /// Tries again what an open letter is about, in the caller's transaction.
    pub(super) async fn replay_in_place(
        &self,
        tx: &mut Tx,
        letter: Uuid,
        who: (&str, &str),
    ) -> Result<Vec<Ticket>, ControlError> {
        let found = letters::find(tx, letter).await?;
        let found = found.ok_or(ControlError::NotFound)?;
        let saga = found.saga_id.ok_or(Refused::NotOpen)?;
        let run = one(tx, saga).await?;
        self.replay_run(tx, run, letter, who).await
    }

    /// Nothing is written if it is refused.
    async fn replay_run(
        &self,
        tx: &mut Tx,
        mut run: Run,
        letter: Uuid,
        (by, reason): (&str, &str),
    ) -> Result<Vec<Ticket>, ControlError> {
        let now = tx.now().await?;
        run.replay(letter, by, &self.kinds, now)?;
        if !letters::resolve(tx, letter, "replayed", by, reason).await? {
            return Err(Refused::NotOpen.into());
        }
        Ok(save::save(tx, &mut [run], now).await?)
    }

    /// A new saga from an ended one's input; its id follows from the letter, so it starts once. The
    /// ended one's history says who wanted it, and why.
    async fn start_again(
        &self,
        mut tx: Tx,
        mut run: Run,
        letter: Uuid,
        (by, reason): (&str, &str),
    ) -> Result<(Started, Vec<Ticket>), ControlError> {
        let new = NewSaga {
            id: Uuid::new_v5(&letter, b"replay"),
            kind: run.saga.kind.clone(),
            input: run.saga.input.clone(),
            owner_id: run.saga.owner_id,
            request_id: run.saga.request_id.clone(),
            singleton: run.saga.singleton.clone(),
            replay_of: Some(run.saga.id),
        };
        let (started, tickets) = self
            .start_in(&mut tx, &[new])
            .await
            .map_err(ControlError::Start)?;
        if !started[0].new {
            return Err(Refused::NotOpen.into());
        }
        let who = json!({"letter": letter, "by": by, "reason": reason, "saga": started[0].id});
        run.event("saga.replayed", None, Some(who));
        finish(tx, run).await?;
        Ok((started[0], tickets))
    }

    /// Gives up what a letter is about: undo begins.
    pub async fn discard(
        &self,
        letter: Uuid,
        by: &str,
        reason: &str,
    ) -> Result<Vec<Ticket>, ControlError> {
        let found = self.letter(letter).await?.ok_or(ControlError::NotFound)?;
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let run = match found.saga_id {
            Some(saga) => Some(one(&mut tx, saga).await?),
            None => None,
        };
        if !letters::resolve(&mut tx, letter, "discarded", by, reason).await? {
            return Err(Refused::NotOpen.into());
        }
        let Some(mut run) = run else {
            tx.commit().await?;
            return Ok(vec![]);
        };
        run.discard(letter, by, &self.kinds, now)?;
        finish(tx, run).await
    }
}

async fn one(tx: &mut Tx, saga: Uuid) -> Result<Run, ControlError> {
    load::whole(tx, BTreeSet::from([saga]))
        .await?
        .remove(&saga)
        .ok_or(ControlError::NotFound)
}

async fn finish(mut tx: Tx, run: Run) -> Result<Vec<Ticket>, ControlError> {
    let now = tx.now().await?;
    let tickets = save::save(&mut tx, &mut [run], now).await?;
    tx.commit().await?;
    Ok(tickets)
}
