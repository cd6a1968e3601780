//! Which queues are switched off, by whom and why.

use super::Store;
use crate::db::Tx;
use chrono::{DateTime, Utc};
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

impl Store {
    /// The queues whose steps are to be left alone.
    pub async fn paused_queues(&self) -> sqlx::Result<BTreeSet<String>> {
        let paused: Vec<(String,)> = self.db.query(PAUSED).all().await?;
        Ok(paused.into_iter().map(|(queue,)| queue).collect())
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
        Ok((switched > 0).then_some(switch))
    }
}
