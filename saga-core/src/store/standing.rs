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

// The same without the ready steps that no worker may take: those in a line, and those whose kind is
// switched off.
const STANDING_RULED: &str = "-- standing.ruled
    SELECT queue, state, worker, COUNT(*) AS steps,
           MIN(CASE WHEN turn = 0 THEN created_at ELSE started_at END) AS oldest,
           MIN(CASE WHEN tickets > 0 THEN NULL WHEN turn = 0 THEN created_at ELSE started_at END) AS unticketed
      FROM steps
     WHERE wake_at IS NOT NULL AND queue IS NOT NULL AND state IN ('ready', 'leased', 'retrying')
       AND (state <> 'ready' OR
            NOT EXISTS (SELECT 1 FROM kind_lines l WHERE l.saga_id = steps.saga_id AND l.step_key = steps.key AND l.turn = steps.turn)
            AND NOT EXISTS (SELECT 1 FROM sagas g JOIN kind_switches k ON k.kind = g.kind
                             WHERE g.id = steps.saga_id AND (k.mode = 'paused' OR k.mode = 'drain' AND g.started_at IS NULL)))
     GROUP BY queue, state, worker";
const RULED: &str = "-- standing.is_ruled
    SELECT EXISTS (SELECT 1 FROM kind_switches WHERE mode <> 'enabled') OR EXISTS (SELECT 1 FROM kind_lines)";

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
        let ruled: bool = self.db.query(RULED).scalar().await?;
        let standing = if ruled { STANDING_RULED } else { STANDING };
        self.db.query(standing).all().await
    }
}
