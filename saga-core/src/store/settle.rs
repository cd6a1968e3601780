//! Writes answers and all that follows from them: rows, answer and next steps are true together,
//! or not at all.

use super::{Claimed, Store, is_about_rows, load, save};
use crate::db::{Durability, Tx};
use crate::handler::{RecordOf, StepError};
use crate::journal::Key;
use crate::run::{Answer, Lease, Run, Settled};
use crate::saga::Retry;
use crate::ticket::Ticket;
use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::Value;
use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc};
use uuid::Uuid;

/// Writes the rows a handler owns, in the settling transaction.
pub trait Recorder: Send + Sync {
    /// Writes the rows of like steps.
    fn record<'a>(
        &'a self,
        outputs: Vec<(RecordOf, Value)>,
        tx: &'a mut Tx,
    ) -> BoxFuture<'a, Result<(), StepError>>;
}

/// A step's answer on its way to the store.
#[derive(Clone)]
pub struct Settlement {
    /// The saga.
    pub saga: Uuid,
    /// The step's key within the saga.
    pub key: Key,
    /// The number of the claim that brought the answer.
    pub epoch: i64,
    /// The step's name.
    pub step: String,
    /// The answer.
    pub answer: Answer,
    /// Who writes the rows that belong to it.
    pub recorder: Option<Arc<dyn Recorder>>,
    /// How the step is tried again when its rows cannot be written.
    pub retry: Retry,
    /// The queue and lease under which this worker would go straight on with the saga.
    pub run_on: Option<(String, Lease)>,
}

/// What became of a settlement.
#[derive(Debug, Clone)]
pub enum SettleOutcome {
    /// It is part of the saga; the worker goes on with this step, if there is one.
    Committed(Option<Box<Claimed>>),
    /// It came too late and changed nothing.
    Fenced,
}

/// Answers of one kind of step, and who writes their rows.
type Records = (Arc<dyn Recorder>, Vec<(RecordOf, Value)>);

/// Why a batch was not written.
enum Refused {
    Store(sqlx::Error),
    Record(StepError),
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error)
    }
}

impl Store {
    /// Writes answers in one transaction. If the rows of one of them cannot be written, each is
    /// written alone, and that one becomes a failure of its step. Outcomes stand where their
    /// settlements do, none where the store failed meanwhile; the tickets are to be published now.
    pub async fn settle(
        &self,
        settlements: &[Settlement],
    ) -> sqlx::Result<(Vec<Option<SettleOutcome>>, Vec<Ticket>)> {
        match self.settle_together(settlements).await {
            Ok((outcomes, tickets)) => {
                return Ok((outcomes.into_iter().map(Some).collect(), tickets));
            }
            Err(Refused::Store(error)) if !is_about_rows(&error) => return Err(error),
            Err(Refused::Store(_) | Refused::Record(_)) => {}
        }
        let (mut outcomes, mut tickets) = (vec![], vec![]);
        for settlement in settlements {
            match self.settle_alone(settlement).await {
                Ok((outcome, more)) => {
                    outcomes.push(Some(outcome));
                    tickets.extend(more);
                }
                Err(error) => {
                    // What is committed stays so, and its workers are told.
                    tracing::warn!(%error, "An answer could not be settled; trying again");
                    outcomes.push(None);
                }
            }
        }
        Ok((outcomes, tickets))
    }

    async fn settle_alone(
        &self,
        settlement: &Settlement,
    ) -> sqlx::Result<(SettleOutcome, Vec<Ticket>)> {
        let refused = match self.settle_together(std::slice::from_ref(settlement)).await {
            Ok((mut outcomes, tickets)) => return Ok((outcomes.remove(0), tickets)),
            Err(Refused::Store(error)) if !is_about_rows(&error) => return Err(error),
            Err(Refused::Store(error)) => StepError::fail(error),
            Err(Refused::Record(refused)) => refused,
        };
        let failed = Settlement {
            answer: refused.into_answer(settlement.retry),
            recorder: None,
            ..settlement.clone()
        };
        match self.settle_together(&[failed]).await {
            Ok((mut outcomes, tickets)) => Ok((outcomes.remove(0), tickets)),
            Err(Refused::Store(error)) => Err(error),
            Err(Refused::Record(_)) => unreachable!("a failure has no rows of its own"),
        }
    }

    async fn settle_together(
        &self,
        settlements: &[Settlement],
    ) -> Result<(Vec<SettleOutcome>, Vec<Ticket>), Refused> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let mut runs = load::whole(
            &mut tx,
            settlements
                .iter()
                .map(|settlement| settlement.saga)
                .collect(),
        )
        .await?;
        let now = tx.now().await?;
        let mut outcomes = vec![];
        let mut records: BTreeMap<&str, Records> = BTreeMap::new();
        for settlement in settlements {
            let Some((run, at)) = runs
                .get_mut(&settlement.saga)
                .and_then(|run| run.find(&settlement.key).map(|at| (run, at)))
            else {
                outcomes.push(SettleOutcome::Fenced);
                continue;
            };
            if run.settle(
                at,
                settlement.epoch,
                settlement.answer.clone(),
                &self.kinds,
                now,
            ) == Settled::Fenced
            {
                outcomes.push(SettleOutcome::Fenced);
                continue;
            }
            if let (Answer::Done(output), Some(recorder)) =
                (&settlement.answer, &settlement.recorder)
            {
                let of = RecordOf {
                    saga: run.saga.id,
                    key: settlement.key.clone(),
                    owner_id: run.saga.owner_id,
                    now,
                };
                let (_, outputs) = records
                    .entry(&settlement.step)
                    .or_insert_with(|| (Arc::clone(recorder), vec![]));
                outputs.push((of, output.clone()));
            }
            outcomes.push(SettleOutcome::Committed(
                go_straight_on(run, settlement, now).map(Box::new),
            ));
        }
        for (recorder, outputs) in records.into_values() {
            record(recorder.as_ref(), outputs, &mut tx).await?;
        }
        let mut runs: Vec<Run> = runs.into_values().collect();
        let tickets = save::save(&mut tx, &mut runs, now).await?;
        for settlement in settlements {
            crate::fault::point("settle.committing", settlement.key.as_str());
        }
        tx.commit().await?;
        Ok((outcomes, tickets))
    }
}

fn go_straight_on(
    run: &mut Run,
    settlement: &Settlement,
    now: chrono::DateTime<chrono::Utc>,
) -> Option<Claimed> {
    let (queue, lease) = settlement.run_on.as_ref()?;
    let at = run.run_on(queue)?;
    let turn = run.steps[at].turn;
    run.claim(at, turn, lease, now)
        .then(|| Claimed::of(run, at))
}

/// Has a handler write its rows. Its panic is its own failure, not the end of everybody's settling.
async fn record(
    recorder: &dyn Recorder,
    outputs: Vec<(RecordOf, Value)>,
    tx: &mut Tx,
) -> Result<(), Refused> {
    let written = AssertUnwindSafe(recorder.record(outputs, tx)).catch_unwind();
    let failed = match written.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
        Err(_) => StepError::retry("the handler panicked while it wrote its rows"),
    };
    Err(match failed.of_the_store() {
        Ok(error) => Refused::Store(error),
        Err(failed) => Refused::Record(failed),
    })
}
