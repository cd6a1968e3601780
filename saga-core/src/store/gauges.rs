//! How much there is to do, and how long it has been waiting: what a dashboard shows.

use super::Store;
use crate::db::Durability;
use chrono::{DateTime, Utc};
use std::time::Duration;

// Every open step of a queue has its hour, and steps of ended sagas have none: the partial index on it
// holds all rows that count. A step that is tried again counts from its last attempt: when it became
// ready is not kept. The undo of a deed is asked for long before its turn comes, and has no age.
const QUEUES: &str = "-- gauges.queues
    SELECT queue, state, COUNT(*),
           MIN(CASE WHEN turn = 0 THEN created_at ELSE started_at END),
           MIN(CASE WHEN tickets > 0 THEN NULL WHEN turn = 0 THEN created_at ELSE started_at END)
      FROM steps
     WHERE wake_at IS NOT NULL AND queue IS NOT NULL AND state IN ('ready', 'leased', 'retrying')
     GROUP BY queue, state";
const LETTERS: &str = "-- gauges.letters
    SELECT state, COUNT(*) FROM letters GROUP BY state";

/// How much there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Queues in which there is anything.
    pub queues: Vec<QueueGauges>,
    /// How long the oldest ready step has been without a ticket that the broker confirmed.
    pub ticket_lag: Duration,
    /// Dead letters by state.
    pub letters: Vec<(String, i64)>,
}

/// How much there is to do in one queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueGauges {
    /// The queue.
    pub queue: String,
    /// Steps that a worker may take.
    pub ready: i64,
    /// Steps that a worker has.
    pub running: i64,
    /// Steps that are tried again later.
    pub delayed: i64,
    /// How long the oldest ready one has been waiting.
    pub oldest: Duration,
}

type Counted = (
    String,
    String,
    i64,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
);

impl Store {
    /// Looks how much there is to do.
    pub async fn gauges(&self) -> sqlx::Result<Gauges> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let now = tx.now().await?;
        tx.commit().await?; // the rest only reads, beside whoever writes
        let steps: Vec<Counted> = self.db.query(QUEUES).all().await?;
        let letters = self.db.query(LETTERS).all().await?;
        let since = |at: Option<DateTime<Utc>>| {
            let age = at.and_then(|at| (now - at).to_std().ok());
            age.unwrap_or_default()
        };
        let mut gauges = Gauges {
            letters,
            ..Gauges::default()
        };
        for (queue, state, count, oldest, unticketed) in steps {
            let found = gauges.queue(queue);
            match state.as_str() {
                "ready" => {
                    found.ready = count;
                    found.oldest = since(oldest);
                    gauges.ticket_lag = gauges.ticket_lag.max(since(unticketed));
                }
                "leased" => found.running = count,
                _ => found.delayed = count,
            }
        }
        Ok(gauges)
    }
}

impl Gauges {
    fn queue(&mut self, name: String) -> &mut QueueGauges {
        let known = self.queues.iter().position(|one| one.queue == name);
        let at = known.unwrap_or(self.queues.len());
        if known.is_none() {
            self.queues.push(QueueGauges {
                queue: name,
                ..QueueGauges::default()
            });
        }
        &mut self.queues[at]
    }
}
