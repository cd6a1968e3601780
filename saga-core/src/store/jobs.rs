//! What a caller sees of sagas: reads only, without locks.

use super::Store;
use super::load::{saga_columns, step_columns};
use super::rows::{RawSaga, RawStep, json};
use crate::db::Sql;
use crate::run::{Run, SagaRow, StepRow};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One step, as a caller sees it.
pub type JobStep = StepRow;

/// One line of a saga's history, as it is stored.
#[derive(Debug, Clone)]
pub struct JobEvent {
    /// Counts from 1 within the saga, without gaps.
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// `saga.parked`, `step.started` …
    pub name: String,
    /// The step's key.
    pub step: Option<String>,
    /// Details.
    pub data: Option<Value>,
}

/// An event within its page.
#[derive(serde::Deserialize)]
struct Line {
    name: String,
    step: Option<String>,
    data: Option<Value>,
}

const SAGAS: Sql = Sql {
    postgres: concat!(
        "-- jobs.sagas\nSELECT ",
        saga_columns!(),
        " FROM sagas WHERE id = ANY($1)"
    ),
    sqlite: concat!(
        "-- jobs.sagas\nSELECT ",
        saga_columns!(),
        " FROM sagas WHERE id = $1"
    ),
};
const STEPS: Sql = Sql {
    postgres: concat!(
        "-- jobs.steps\nSELECT ",
        step_columns!(),
        " FROM steps WHERE saga_id = ANY($1)"
    ),
    sqlite: concat!(
        "-- jobs.steps\nSELECT ",
        step_columns!(),
        " FROM steps WHERE saga_id = $1"
    ),
};
const OF_OWNER: &str = concat!(
    "-- jobs.of_owner\nSELECT ", saga_columns!(),
    " FROM sagas WHERE owner_id = $1 AND ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR state = $3) AND ($4 IS NULL OR id < $4)
      ORDER BY id DESC LIMIT $5"
);
const EVENTS: &str = "-- jobs.events
    SELECT seq, at, page FROM events WHERE saga_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
const AHEAD: &str = "-- jobs.ahead
    SELECT count(*) FROM steps WHERE state = 'ready' AND wake_at IS NOT NULL AND queue = $1 AND created_at < $2";

impl Store {
    /// Sagas with their steps, as they are now; those that do not exist are left out.
    pub async fn view(&self, ids: &[Uuid]) -> sqlx::Result<BTreeMap<Uuid, Run>> {
        let sagas = self.db.read(SAGAS, ids).await?;
        let raw: Vec<RawStep> = self.db.read(STEPS, ids).await?;
        let mut steps: BTreeMap<Uuid, Vec<StepRow>> = BTreeMap::new();
        for step in raw {
            steps
                .entry(step.saga_id)
                .or_default()
                .push(step.try_into()?);
        }
        let run = |raw: RawSaga| {
            let saga = SagaRow::try_from(raw)?;
            let mut steps = steps.remove(&saga.id).unwrap_or_default();
            steps.sort_by_key(|step| step.position);
            Ok((saga.id, Run::loaded(saga, steps, vec![])))
        };
        sagas.into_iter().map(run).collect()
    }

    /// One saga's history after event `after`, oldest first.
    pub async fn events(&self, saga: Uuid, after: i64, limit: i64) -> sqlx::Result<Vec<JobEvent>> {
        let pages: Vec<(i64, DateTime<Utc>, String)> = self
            .db
            .query(EVENTS)
            .bind(saga)
            .bind(after)
            .bind(limit)
            .all()
            .await?;
        let mut events = vec![];
        for (last, at, page) in pages {
            let page: Vec<Line> = json(&page)?;
            let first = last + 1 - i64::try_from(page.len()).unwrap_or(i64::MAX);
            events.extend((first..).zip(page).map(|(seq, line)| JobEvent {
                seq,
                at,
                name: line.name,
                step: line.step,
                data: line.data,
            }));
        }
        // A caller may have seen the beginning of a page already, and want less than its end.
        events.retain(|event| event.seq > after);
        events.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(events)
    }

    /// An owner's sagas, newest first, older than `before`.
    pub async fn of_owner(
        &self,
        owner: Uuid,
        kind: Option<&str>,
        state: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> sqlx::Result<Vec<SagaRow>> {
        let query = self
            .db
            .query(OF_OWNER)
            .bind(owner)
            .bind(kind.map(str::to_owned));
        let rows: Vec<RawSaga> = query
            .bind(state.map(str::to_owned))
            .bind(before)
            .bind(limit)
            .all()
            .await?;
        rows.into_iter().map(SagaRow::try_from).collect()
    }

    /// How many ready steps of a queue are older than `since`.
    pub async fn ahead(&self, queue: &str, since: DateTime<Utc>) -> sqlx::Result<i64> {
        self.db
            .query(AHEAD)
            .bind(queue.to_owned())
            .bind(since)
            .scalar()
            .await
    }
}
