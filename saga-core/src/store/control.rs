//! What people and the outside do to a saga: signal, cancel, replay, discard.

use super::audit::{self, Entry};
use super::{Letter, NewSaga, Started, Store, letters, load, rows::text, save, traces};
use crate::db::{Durability, Tx};
use crate::run::{Heard, Refused, Run};
use crate::state::SagaState;
use crate::ticket::Ticket;
use crate::trace;
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
        let mut run = one(&mut tx, saga).await?;
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
            return self.start_again(tx, run, &found, (by, reason)).await;
        }
        let tickets = self.replay_run(&mut tx, run, &found, (by, reason)).await?;
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
        self.replay_run(tx, run, &found, who).await
    }

    /// Nothing is written if it is refused.
    async fn replay_run(
        &self,
        tx: &mut Tx,
        mut run: Run,
        letter: &Letter,
        (by, reason): (&str, &str),
    ) -> Result<Vec<Ticket>, ControlError> {
        let now = tx.now().await?;
        run.replay(letter.id, by, &self.kinds, now)?;
        if !letters::resolve(tx, letter.id, "replayed", by, reason).await? {
            return Err(Refused::NotOpen.into());
        }
        let mode = json!({"mode": "in_place"});
        write_down(tx, "letter.replay", letter, (by, reason), mode).await?;
        Ok(save::save(tx, &mut [run], &self.kinds, now).await?)
    }

    /// A new saga from an ended one's input; its id follows from the letter, so it starts once. The
    /// ended one's history says who wanted it, and why.
    async fn start_again(
        &self,
        mut tx: Tx,
        mut run: Run,
        letter: &Letter,
        (by, reason): (&str, &str),
    ) -> Result<(Started, Vec<Ticket>), ControlError> {
        let new = NewSaga {
            id: Uuid::new_v5(&letter.id, b"replay"),
            kind: run.saga.kind.clone(),
            input: run.saga.input.clone(),
            owner_id: run.saga.owner_id,
            request_id: run.saga.request_id.clone(),
            trace: trace::current(),
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
        let who = json!({"letter": letter.id, "by": by, "reason": reason, "saga": started[0].id});
        run.event("saga.replayed", None, Some(who));
        let mode = json!({"mode": "new_job", "started": started[0].id});
        write_down(&mut tx, "letter.replay", letter, (by, reason), mode).await?;
        self.finish(tx, run).await?;
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
        write_down(&mut tx, "letter.discard", &found, (by, reason), json!({})).await?;
        let Some(mut run) = run else {
            tx.commit().await?;
            return Ok(vec![]);
        };
        run.discard(letter, by, &self.kinds, now)?;
        self.finish(tx, run).await
    }

    async fn finish(&self, mut tx: Tx, run: Run) -> Result<Vec<Ticket>, ControlError> {
        let now = tx.now().await?;
        let mut tickets = save::save(&mut tx, &mut [run], &self.kinds, now).await?;
        traces::recall(&mut tx, &mut tickets).await?;
        tx.commit().await?;
        Ok(tickets)
    }
}

/// Writes down what was decided about a letter.
async fn write_down(
    tx: &mut Tx,
    verb: &'static str,
    letter: &Letter,
    (actor, reason): (&str, &str),
    mut detail: Value,
) -> sqlx::Result<()> {
    detail["saga"] = json!(letter.saga_id);
    detail["kind"] = json!(letter.kind);
    detail["step"] = json!(letter.step_key);
    let entry = Entry {
        actor,
        verb,
        target_kind: "letter",
        target_id: letter.id.to_string(),
        reason,
        detail,
    };
    audit::write(tx, &entry).await
}

async fn one(tx: &mut Tx, saga: Uuid) -> Result<Run, ControlError> {
    load::whole(tx, BTreeSet::from([saga]))
        .await?
        .remove(&saga)
        .ok_or(ControlError::NotFound)
}
