//! Writes answers and all that follows from them: rows, answer and next steps are true together,
//! or not at all.

use super::claim::AllSeen;
use super::write::Rows;
use super::{Claimed, Seen, Store, is_about_rows, load, save};
use crate::db::{Db, Durability, Tx};
use crate::handler::{RecordOf, StepError};
use crate::journal::Key;
use crate::run::{Answer, Lease, Run, Settled};
use crate::saga::Retry;
use crate::tally::Tally;
use crate::ticket::Ticket;
use crate::trace::Trace;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::{panic::AssertUnwindSafe, sync::Arc};
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
    /// Whether the store knows of the claim. If not, the answer is written only over what was seen.
    pub leased: bool,
    /// The trace that the saga belongs to, for the tickets that follow.
    pub trace: Option<Trace>,
    /// The saga as the claim left it, if the claim told.
    pub seen: Option<Seen>,
}

/// What became of a settlement.
#[derive(Debug, Clone)]
pub enum SettleOutcome {
    /// It is part of the saga; the worker goes on with this step, if there is one.
    Committed(Option<Box<Claimed>>),
    /// It came too late and changed nothing.
    Fenced,
    /// Nothing of it was written, be it that the saga has changed since it was seen, or that its rows
    /// were refused: the step, which had no lease, is to be claimed and done again.
    Overtaken,
}

/// How far ahead of the clock as it is carried on here another process may have written.
const AHEAD_MAX: TimeDelta = TimeDelta::seconds(1);

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
        let (mut outcomes, mut tickets) = match self.settle_seen(settlements).await {
            Ok(settled) => settled,
            Err(Refused::Store(error)) if !is_about_rows(&error) => return Err(error),
            Err(Refused::Store(_) | Refused::Record(_)) => self.settle_each_seen(settlements).await,
        };
        for (settlement, outcome) in settlements.iter().zip(&mut outcomes) {
            // Under the same number it might be another worker's step by now.
            if outcome.is_none() && !settlement.leased {
                *outcome = Some(SettleOutcome::Overtaken);
            }
        }
        let (places, rest): (Vec<usize>, Vec<&Settlement>) = (settlements.iter().enumerate())
            .filter(|(at, _)| outcomes[*at].is_none())
            .unzip();
        let found = match self.settle_rest(&rest).await {
            Ok((found, more)) => {
                tickets.extend(more);
                found
            }
            // What is committed stays so, and its workers are told.
            Err(error) if rest.len() < settlements.len() => {
                tracing::warn!(%error, "Answers could not be settled; trying again");
                return Ok((outcomes, tickets));
            }
            Err(error) => return Err(error),
        };
        for (at, found) in places.into_iter().zip(found) {
            outcomes[at] = found;
        }
        Ok((outcomes, tickets))
    }

    /// One of them has rows that are refused: the others do not pay for it.
    async fn settle_each_seen(
        &self,
        settlements: &[Settlement],
    ) -> (Vec<Option<SettleOutcome>>, Vec<Ticket>) {
        let (mut outcomes, mut tickets) = (vec![], vec![]);
        for settlement in settlements {
            let alone = if settlements.len() > 1 {
                self.settle_seen(std::slice::from_ref(settlement))
                    .await
                    .ok()
            } else {
                None
            };
            let (mut outcome, more) = alone.unwrap_or((vec![None], vec![]));
            outcomes.append(&mut outcome);
            tickets.extend(more);
        }
        (outcomes, tickets)
    }

    async fn settle_rest(
        &self,
        settlements: &[&Settlement],
    ) -> sqlx::Result<(Vec<Option<SettleOutcome>>, Vec<Ticket>)> {
        if settlements.is_empty() {
            return Ok((vec![], vec![]));
        }
        match self.settle_locked(settlements).await {
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
        let refused = match self.settle_locked(&[settlement]).await {
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
        match self.settle_locked(&[&failed]).await {
            Ok((mut outcomes, tickets)) => Ok((outcomes.remove(0), tickets)),
            Err(Refused::Store(error)) => Err(error),
            Err(Refused::Record(_)) => unreachable!("a failure has no rows of its own"),
        }
    }

    /// Writes the answers of sagas that are still as their workers saw them, without reading them
    /// again. No outcome: it has to be read.
    async fn settle_seen(
        &self,
        settlements: &[Settlement],
    ) -> Result<(Vec<Option<SettleOutcome>>, Vec<Ticket>), Refused> {
        let mut outcomes = vec![None; settlements.len()];
        let mut runs = last_seen(settlements);
        let Some(now) = self.clock.now().filter(|_| !runs.is_empty()) else {
            return Ok((outcomes, vec![]));
        };
        // A saga from the future, of a store whose clock was set back, must not take the others there.
        runs.retain(|_, run| run.saga.updated_at <= now + AHEAD_MAX);
        // Nothing happens before what has happened.
        let now = runs
            .values()
            .map(|run| run.saga.updated_at)
            .fold(now, Ord::max);
        let mut records = Records::default();
        for (settlement, outcome) in settlements.iter().zip(&mut outcomes) {
            if let Some(run) = runs.get_mut(&settlement.saga) {
                *outcome = Some(self.move_on(run, settlement, now, &mut records));
            }
        }
        let mut runs: Vec<Run> = runs.into_values().filter(Run::is_plain).collect();
        let changed = save::changed(&mut runs, now);
        let mut tx = self.db.begin(Durability::Full).await?;
        let written = Rows::of(&changed).write(&mut tx, now).await?;
        let changed: Vec<&Run> = (changed.into_iter())
            .filter(|run| written.contains(&run.saga.id))
            .collect();
        save::count(&mut tx, Tally::of(changed.iter().copied(), &self.kinds));
        let tickets = save::tickets(&changed);
        records.write(&written, &mut tx).await?;
        crash_points(settlements);
        tx.commit().await?;
        for (settlement, outcome) in settlements.iter().zip(&mut outcomes) {
            if !written.contains(&settlement.saga) {
                *outcome = None;
            }
        }
        AllSeen::of(runs).give(outcomes.iter_mut().flatten().filter_map(next_of));
        Ok((outcomes, tickets))
    }

    async fn settle_locked(
        &self,
        settlements: &[&Settlement],
    ) -> Result<(Vec<SettleOutcome>, Vec<Ticket>), Refused> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let sagas = settlements.iter().map(|settlement| settlement.saga);
        let mut runs = load::whole(&mut tx, sagas.collect()).await?;
        let now = tx.now().await?;
        let mut records = Records::default();
        let mut outcomes = vec![];
        for settlement in settlements {
            outcomes.push(match runs.get_mut(&settlement.saga) {
                Some(run) => self.move_on(run, settlement, now, &mut records),
                None => SettleOutcome::Fenced,
            });
        }
        let written = runs.keys().copied().collect();
        records.write(&written, &mut tx).await?;
        let mut runs: Vec<Run> = runs.into_values().collect();
        let tickets = save::save(&mut tx, &mut runs, self, now).await?;
        crash_points(settlements.iter().copied());
        tx.commit().await?;
        if let Db::Postgres(_) = self.db {
            AllSeen::of(runs).give(outcomes.iter_mut().filter_map(next_of));
        }
        Ok((outcomes, tickets))
    }

    /// Makes an answer part of its saga, in memory, and notes which rows belong to it.
    fn move_on<'s>(
        &self,
        run: &mut Run,
        settlement: &'s Settlement,
        now: DateTime<Utc>,
        records: &mut Records<'s>,
    ) -> SettleOutcome {
        let (epoch, answer) = (settlement.epoch, settlement.answer.clone());
        run.saga.trace.clone_from(&settlement.trace);
        let rules = self.rules.now();
        run.kept = rules.keep(&run.saga);
        let settled = run
            .find(&settlement.key)
            .map(|at| run.settle(at, epoch, answer, &self.kinds, now));
        match settled {
            None | Some(Settled::Fenced) => SettleOutcome::Fenced,
            Some(Settled::Committed) => {
                records.note(run, settlement, now);
                // A step of a limited kind is counted when it is claimed by a ticket of its own.
                let next = if rules.limit(&run.saga.kind) {
                    None
                } else {
                    go_straight_on(run, settlement, now)
                };
                SettleOutcome::Committed(next.map(Box::new))
            }
        }
    }
}

/// The sagas that their workers know whole; not those of which two steps are settled at once.
fn last_seen(settlements: &[Settlement]) -> BTreeMap<Uuid, Run> {
    let mut answers: BTreeMap<Uuid, usize> = BTreeMap::new();
    for settlement in settlements {
        *answers.entry(settlement.saga).or_default() += 1;
    }
    let seen = |settlement: &Settlement| {
        let run = settlement.seen.as_ref()?.run();
        (answers.get(&settlement.saga) == Some(&1)).then_some((settlement.saga, run))
    };
    settlements.iter().filter_map(seen).collect()
}

fn next_of(outcome: &mut SettleOutcome) -> Option<&mut Claimed> {
    match outcome {
        SettleOutcome::Committed(next) => next.as_deref_mut(),
        SettleOutcome::Fenced | SettleOutcome::Overtaken => None,
    }
}

fn crash_points<'s>(settlements: impl IntoIterator<Item = &'s Settlement>) {
    for settlement in settlements {
        crate::fault::point("settle.committing", settlement.key.as_str());
    }
}

/// The rows that belong to a batch of answers, by the step whose handler writes them.
#[derive(Default)]
struct Records<'s>(BTreeMap<&'s str, (Arc<dyn Recorder>, Outputs)>);

type Outputs = Vec<(RecordOf, Value)>;

impl<'s> Records<'s> {
    fn note(&mut self, run: &Run, settlement: &'s Settlement, now: DateTime<Utc>) {
        let (Answer::Done(output), Some(recorder)) = (&settlement.answer, &settlement.recorder)
        else {
            return;
        };
        let of = RecordOf {
            saga: run.saga.id,
            key: settlement.key.clone(),
            owner_id: run.saga.owner_id,
            now,
        };
        let empty = || (Arc::clone(recorder), vec![]);
        let (_, outputs) = self.0.entry(&settlement.step).or_insert_with(empty);
        outputs.push((of, output.clone()));
    }

    /// Writes the rows of these sagas.
    async fn write(self, sagas: &BTreeSet<Uuid>, tx: &mut Tx) -> Result<(), Refused> {
        for (recorder, mut outputs) in self.0.into_values() {
            outputs.retain(|(of, _)| sagas.contains(&of.saga));
            if !outputs.is_empty() {
                record(recorder.as_ref(), outputs, tx).await?;
            }
        }
        Ok(())
    }
}

fn go_straight_on(run: &mut Run, settlement: &Settlement, now: DateTime<Utc>) -> Option<Claimed> {
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
        Ok(Ok(())) if tx.is_spoiled() => {
            StepError::fail("a statement failed while its rows were written, and it went on")
        }
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
        Err(_) => StepError::retry("the handler panicked while it wrote its rows"),
    };
    Err(match failed.of_the_store() {
        Ok(error) => Refused::Store(error),
        Err(failed) => Refused::Record(failed),
    })
}
