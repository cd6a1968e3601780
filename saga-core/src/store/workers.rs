//! Who works: the rows by which workers show themselves, and by which one is asked to leave.

use super::Store;
use super::audit::{self, Entry};
use super::rows::{json, text};
use crate::db::{Durability, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A worker that was not seen for so long is lost.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(30);
/// A worker that was not seen for so long is forgotten.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(1);

/// A worker's share of one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The queue.
    pub queue: String,
    /// Steps that it does at once, at most.
    pub slots: u64,
    /// Steps that it is at.
    pub busy: u64,
    /// Whether it leaves the queue alone, which is paused.
    #[serde(default)]
    pub paused: bool,
    /// Answers that it settled in the last minute.
    pub done: u64,
    /// What the steps of those answers took, together.
    pub spent_ms: u64,
}

/// What a worker tells of itself.
#[derive(Debug, Clone)]
pub struct Beat {
    /// Its name, which no other process has.
    pub id: String,
    /// The machine or container.
    pub host: String,
    /// The program.
    pub version: String,
    /// Its queues.
    pub shares: Vec<Share>,
    /// Whether it takes no more steps.
    pub draining: bool,
}

/// How a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkerState {
    /// It takes steps.
    Working,
    /// It finishes what it has, or is asked to.
    Draining,
    /// It was not seen for half a minute: it died, or the store is out of its reach.
    Lost,
}

/// A worker, as it was seen last.
#[derive(Debug, Clone)]
pub struct WorkerRow {
    /// Its name.
    pub id: String,
    /// The machine or container.
    pub host: String,
    /// The program.
    pub version: String,
    /// Its queues.
    pub shares: Vec<Share>,
    /// How it is.
    pub state: WorkerState,
    /// Who asked it to leave.
    pub drain_by: Option<String>,
    /// When it was asked.
    pub drain_at: Option<DateTime<Utc>>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was seen last.
    pub seen_at: DateTime<Utc>,
}

/// Why a worker was not asked to leave.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// No worker of this name was seen today.
    #[error("there is no such worker")]
    NotFound,
    /// It is leaving, or lost.
    #[error("the worker takes no steps any more")]
    Refused(WorkerState),
    /// The store did not take it.
    #[error("the store did not take it")]
    Store(#[from] sqlx::Error),
}

const BEAT: &str = "-- workers.beat
    INSERT INTO workers (id, host, version, pools, draining, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
    ON CONFLICT (id) DO UPDATE SET pools = excluded.pools, draining = excluded.draining, seen_at = excluded.seen_at
    RETURNING drain_by";
const LEAVE: &str = "-- workers.leave
    DELETE FROM workers WHERE id = $1";
const FORGET: &str = "-- workers.forget
    DELETE FROM workers WHERE seen_at < $1";
const FORGET_ALL: &str = "-- workers.forget_all
    DELETE FROM workers";
const LIST: &str = "-- workers.list
    SELECT id, host, version, pools, draining, drain_by, drain_at, started_at, seen_at
      FROM workers WHERE seen_at >= $1 ORDER BY id";
const DRAIN: &str = "-- workers.drain
    UPDATE workers SET drain_by = $2, drain_at = $3 WHERE id = $1 AND drain_by IS NULL AND NOT draining AND seen_at >= $4";

#[derive(sqlx::FromRow)]
struct Raw {
    id: String,
    host: String,
    version: String,
    pools: String,
    draining: bool,
    drain_by: Option<String>,
    drain_at: Option<DateTime<Utc>>,
    started_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
}

impl Raw {
    fn told(self, now: DateTime<Utc>) -> sqlx::Result<WorkerRow> {
        let state = if now - self.seen_at > LOST_AFTER {
            WorkerState::Lost
        } else if self.draining || self.drain_by.is_some() {
            WorkerState::Draining
        } else {
            WorkerState::Working
        };
        Ok(WorkerRow {
            state,
            shares: json(&self.pools)?,
            id: self.id,
            host: self.host,
            version: self.version,
            drain_by: self.drain_by,
            drain_at: self.drain_at,
            started_at: self.started_at,
            seen_at: self.seen_at,
        })
    }
}

impl Store {
    /// Notes that a worker is there, and returns who asked it to leave, if somebody did.
    pub async fn beat(&self, beat: &Beat) -> sqlx::Result<Option<String>> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let now = tx.now().await?;
        let asked: (Option<String>,) = tx
            .query(BEAT)
            .bind(beat.id.clone())
            .bind(beat.host.clone())
            .bind(beat.version.clone())
            .bind(text(&beat.shares))
            .bind(beat.draining)
            .bind(now)
            .one()
            .await?;
        tx.commit().await?;
        Ok(asked.0)
    }

    /// Takes a worker off the list: it ended as it should.
    pub async fn leave(&self, worker: &str) -> sqlx::Result<()> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        tx.query(LEAVE).bind(worker.to_owned()).execute().await?;
        tx.commit().await
    }

    /// Forgets workers that were not seen for a day, and says how many.
    pub async fn forget_workers(&self) -> sqlx::Result<u64> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let before = tx.now().await? - FORGOTTEN_AFTER;
        let forgotten = tx.query(FORGET).bind(before).execute().await?;
        tx.commit().await?;
        Ok(forgotten)
    }

    /// Forgets every worker: none is left. Only for a store that one process has for itself.
    pub async fn forget_all_workers(&self) -> sqlx::Result<u64> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let forgotten = tx.query(FORGET_ALL).execute().await?;
        tx.commit().await?;
        Ok(forgotten)
    }

    /// Every worker that was seen within a day, by name.
    pub async fn workers(&self) -> sqlx::Result<Vec<WorkerRow>> {
        let now = self.db.now().await?;
        let rows = self.db.query(LIST).bind(now - FORGOTTEN_AFTER).all();
        told(rows.await?, now)
    }

    /// Asks a worker to leave, as SIGTERM does; it hears of it with its next heartbeat.
    pub async fn drain_worker(
        &self,
        tx: &mut Tx,
        worker: &str,
        (by, reason): (&str, &str),
    ) -> Result<WorkerRow, DrainError> {
        let now = tx.now().await?;
        let asked = tx
            .query(DRAIN)
            .bind(worker.to_owned())
            .bind(by.to_owned())
            .bind(now)
            .bind(now - LOST_AFTER)
            .execute()
            .await?;
        let rows = tx.query(LIST).bind(now - FORGOTTEN_AFTER).all().await?;
        let found = told(rows, now)?.into_iter().find(|row| row.id == worker);
        let found = found.ok_or(DrainError::NotFound)?;
        if asked == 0 {
            return Err(DrainError::Refused(found.state));
        }
        let entry = Entry {
            actor: by,
            verb: "worker.drain",
            target_kind: "worker",
            target_id: worker.to_owned(),
            reason,
            detail: serde_json::json!({"host": found.host}),
        };
        audit::write(tx, &entry).await?;
        Ok(found)
    }
}

fn told(rows: Vec<Raw>, now: DateTime<Utc>) -> sqlx::Result<Vec<WorkerRow>> {
    rows.into_iter().map(|raw| raw.told(now)).collect()
}
