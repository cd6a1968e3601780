//! What stands in each queue, since when, and in whose hands: one look for the table of queues, the advice
//! on workers and the metrics.

use super::Store;
use chrono::{DateTime, Utc};

// Every open step of a queue has its hour, and steps of ended sagas have none: the partial index on it
// holds all rows that count. A step that is tried again counts from its last attempt: when it became
// ready is not kept. The undo of a deed is asked for long before its turn comes, and has no age.
const STANDING: &str = "-- standing
    SELECT queue, state, worker, COUNT(*) AS steps,
           MIN(CASE WHEN turn = 0 THEN created_at ELSE started_at END) AS oldest,
           MIN(CASE WHEN tickets > 0 THEN NULL WHEN turn = 0 THEN created_at ELSE started_at END) AS unticketed
      FROM steps
     WHERE wake_at IS NOT NULL AND queue IS NOT NULL AND state IN ('ready', 'leased', 'retrying')
     GROUP BY queue, state, worker";

/// Steps of one queue that are in one state, and in the same hands.
#[derive(sqlx::FromRow)]
pub(super) struct Standing {
    pub(super) queue: String,
    /// `ready`, `leased` or `retrying`.
    pub(super) state: String,
    pub(super) worker: Option<String>,
    pub(super) steps: i64,
    /// When the oldest of them was asked for, or last tried.
    pub(super) oldest: Option<DateTime<Utc>>,
    /// The same of those that have no confirmed ticket.
    pub(super) unticketed: Option<DateTime<Utc>>,
}

impl Store {
    pub(super) async fn standing(&self) -> sqlx::Result<Vec<Standing>> {
        self.db.query(STANDING).all().await
    }
}
