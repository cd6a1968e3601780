//! Which queues are switched off, by whom and why.

use super::Store;
use super::audit::{self, Entry};
use crate::db::Tx;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeSet;

/// The last decision about a queue.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct QueueSwitch {
    /// The queue.
    pub queue: String,
    /// Whether its steps are left alone.
    pub paused: bool,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
}

const PAUSED: &str = "-- pauses.paused
    SELECT queue FROM queue_switches WHERE paused";
const LIST: &str = "-- pauses.list
    SELECT queue, paused, reason, decided_by, decided_at FROM queue_switches ORDER BY queue";
// Of two who decide the same the second one changes nothing.
const PAUSE: &str = "-- pauses.pause
    INSERT INTO queue_switches (queue, paused, reason, decided_by, decided_at) VALUES ($1, TRUE, $2, $3, $4)
    ON CONFLICT (queue) DO UPDATE
       SET paused = TRUE, reason = excluded.reason, decided_by = excluded.decided_by, decided_at = excluded.decided_at
     WHERE NOT queue_switches.paused";
const RESUME: &str = "-- pauses.resume
    UPDATE queue_switches SET paused = FALSE, reason = $2, decided_by = $3, decided_at = $4 WHERE queue = $1 AND paused";

const EASE: &str = "-- pauses.ease
    UPDATE steps SET wake_at = $2 WHERE wake_at > $2 AND state = 'ready' AND queue = $1";

/// How long after a resumption a ready step that nobody claimed gets another ticket.
const MISSED_AFTER: TimeDelta = TimeDelta::minutes(1);

impl Store {
    /// The queues whose steps are to be left alone.
    pub async fn paused_queues(&self) -> sqlx::Result<BTreeSet<String>> {
        let found: Vec<(String,)> = self.db.query(PAUSED).all().await?;
        Ok(found.into_iter().map(|(queue,)| queue).collect())
    }

    /// The last decision about each queue that was ever paused.
    pub async fn queue_switches(&self) -> sqlx::Result<Vec<QueueSwitch>> {
        self.db.query(LIST).all().await
    }

    /// Pauses a queue or resumes it; workers hear of it within a second or two. None: it is so already.
    pub async fn switch_queue(
        &self,
        tx: &mut Tx,
        queue: &str,
        paused: bool,
        (by, reason): (&str, &str),
    ) -> sqlx::Result<Option<QueueSwitch>> {
        let switch = QueueSwitch {
            queue: queue.to_owned(),
            paused,
            reason: reason.to_owned(),
            decided_by: by.to_owned(),
            decided_at: tx.now().await?,
        };
        let switched = tx
            .query(if paused { PAUSE } else { RESUME })
            .bind(queue.to_owned())
            .bind(reason.to_owned())
            .bind(by.to_owned())
            .bind(switch.decided_at)
            .execute()
            .await?;
        if switched == 0 {
            return Ok(None);
        }
        let entry = Entry {
            actor: by,
            verb: if paused {
                "queue.pause"
            } else {
                "queue.resume"
            },
            target_kind: "queue",
            target_id: queue.to_owned(),
            reason,
            detail: json!({}),
        };
        audit::write(tx, &entry).await?;
        if !paused {
            // A ticket that the broker lost meanwhile is missed soon, not when the pause would have been.
            let soon = switch.decided_at + MISSED_AFTER;
            tx.query(EASE)
                .bind(queue.to_owned())
                .bind(soon)
                .execute()
                .await?;
        }
        Ok(Some(switch))
    }
}

/// The queues whose steps are left alone, as this transaction sees them.
pub(super) async fn paused(tx: &mut Tx) -> sqlx::Result<BTreeSet<String>> {
    let found: Vec<(String,)> = tx.query(PAUSED).all().await?;
    Ok(found.into_iter().map(|(queue,)| queue).collect())
}
