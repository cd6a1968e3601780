//! How much there is to do, and how long it has been waiting: what a dashboard shows.

use super::Store;
use crate::retirement::CHORE;
use chrono::{DateTime, Utc};
use std::time::Duration;

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
    /// Every model that was ever called, and by how much it is left alone: 0 not at all, 1 one call at a
    /// time tries it, 2 altogether.
    pub breakers: Vec<(String, String, u8)>,
    /// Ready steps that stand in the lines of their kinds, which are in no queue's number.
    pub in_line: Vec<(String, i64)>,
    /// How long ago what is over was last looked through to the end; none if it never was.
    pub retired: Option<Duration>,
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

impl Store {
    /// Looks how much there is to do.
    pub async fn gauges(&self) -> sqlx::Result<Gauges> {
        let steps = self.standing().await?;
        let now = self.db.now().await?;
        let letters = self.db.query(LETTERS).all().await?;
        let retired = self.chore_done(CHORE).await?;
        let since = |at: Option<DateTime<Utc>>| {
            let age = at.and_then(|at| (now - at).to_std().ok());
            age.unwrap_or_default()
        };
        let breakers = self.gates().await?.into_iter().map(|gate| {
            let state = match (gate.opened, gate.trying || gate.closed_until <= now) {
                (false, _) => 0,
                (true, true) => 1,
                (true, false) => 2,
            };
            (gate.provider, gate.model, state)
        });
        let mut gauges = Gauges {
            letters,
            breakers: breakers.collect(),
            in_line: self.lines().await?,
            retired: retired.map(|at| since(Some(at))),
            ..Gauges::default()
        };
        for standing in steps {
            let found = gauges.queue(standing.queue);
            match standing.state.as_str() {
                "ready" => {
                    found.ready += standing.steps;
                    found.oldest = since(standing.oldest);
                    gauges.ticket_lag = gauges.ticket_lag.max(since(standing.unticketed));
                }
                "leased" => found.running += standing.steps,
                _ => found.delayed += standing.steps,
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
