//! Where a queued job stands: a look at each queue, at most once a second, shared by all who ask.

use chrono::{DateTime, Utc};
use saga_core::db::Db;
use saga_core::run::{Role, Run};
use saga_core::state::StepState;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a look is good for.
const LOOK_GOOD_FOR: Duration = Duration::from_secs(1);
/// How far down a queue is looked. Whoever stands behind that is told no position.
const LOOK_MAX: i64 = 10_000;
/// Below this rate (steps a second) nothing is said about when.
const RATE_MIN: f64 = 0.01;

/// Where a job stands in its queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = QueuePlace)]
pub(crate) struct Place {
    name: String,
    position: Option<usize>,
    eta_s: Option<u64>,
}

/// Where each queue was when it was last looked at.
pub(crate) struct Backlog {
    db: Db,
    lines: Mutex<BTreeMap<String, Arc<Line>>>,
}

struct Line {
    at: Instant,
    waiting: Vec<DateTime<Utc>>,
    rate: Option<f64>,
    number: u64,
}

const LOOK: &str = "-- backlog.look
    SELECT created_at FROM steps WHERE state = 'ready' AND wake_at IS NOT NULL AND queue = $1 ORDER BY created_at LIMIT $2";

impl Backlog {
    pub(crate) fn new(db: Db) -> Self {
        Self {
            db,
            lines: Mutex::default(),
        }
    }

    /// Where a saga's first step stands, as of the last look, and which look that was.
    pub(crate) fn place(&self, run: &Run) -> (Option<Place>, u64) {
        let ready = run
            .steps
            .iter()
            .find(|step| step.role == Role::Work && step.state == StepState::Ready);
        let Some((name, since)) =
            ready.and_then(|step| Some((step.queue.clone()?, step.created_at)))
        else {
            return (None, 0);
        };
        let line = self
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .cloned();
        let Some(line) = line else {
            return (
                Some(Place {
                    name,
                    position: None,
                    eta_s: None,
                }),
                0,
            );
        };
        let ahead = line.waiting.partition_point(|other| *other < since);
        let known = i64::try_from(ahead).is_ok_and(|ahead| ahead < LOOK_MAX);
        let position = known.then_some(ahead + 1);
        let rate = line.rate.filter(|rate| *rate >= RATE_MIN);
        let eta_s = position
            .zip(rate)
            .map(|(position, rate)| seconds(position, rate));
        (
            Some(Place {
                name,
                position,
                eta_s,
            }),
            line.number,
        )
    }

    /// Looks at queues, where the last look is too long ago.
    pub(crate) async fn look(&self, queues: BTreeSet<String>) -> sqlx::Result<()> {
        for queue in queues {
            let before = self
                .lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&queue)
                .cloned();
            if before
                .as_ref()
                .is_some_and(|line| line.at.elapsed() < LOOK_GOOD_FOR)
            {
                continue;
            }
            let rows: Vec<(DateTime<Utc>,)> = self
                .db
                .query(LOOK)
                .bind(queue.clone())
                .bind(LOOK_MAX)
                .all()
                .await?;
            let line = Line::after(
                before.as_deref(),
                rows.into_iter().map(|(at,)| at).collect(),
            );
            self.lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(queue, Arc::new(line));
        }
        Ok(())
    }
}

impl Line {
    fn after(before: Option<&Self>, waiting: Vec<DateTime<Utc>>) -> Self {
        let now = Instant::now();
        let Some(before) = before else {
            return Self {
                at: now,
                waiting,
                rate: None,
                number: 1,
            };
        };
        let gone = waiting.first().map_or(before.waiting.len(), |head| {
            before.waiting.partition_point(|at| at < head)
        });
        let gone = f64::from(u32::try_from(gone).unwrap_or(u32::MAX));
        let measured = gone / now.duration_since(before.at).as_secs_f64().max(0.001);
        let rate = before
            .rate
            .map_or(measured, |rate| f64::midpoint(rate, measured));
        Self {
            at: now,
            waiting,
            rate: Some(rate),
            number: before.number + 1,
        }
    }
}

fn seconds(position: usize, rate: f64) -> u64 {
    let position = u32::try_from(position).unwrap_or(u32::MAX);
    Duration::try_from_secs_f64((f64::from(position) / rate).ceil())
        .map_or(u64::MAX, |eta| eta.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{Line, seconds};
    use chrono::DateTime;
    use std::time::{Duration, Instant};

    #[test]
    fn a_rate_follows_from_who_left() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let long_ago = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        let first = Line {
            at: long_ago,
            waiting: (1..=10).map(at).collect(),
            rate: None,
            number: 1,
        };
        let second = Line::after(Some(&first), (7..=12).map(at).collect());
        let rate = second.rate.unwrap();
        assert!(
            (2.5..=3.0).contains(&rate),
            "six left in two seconds: {rate}"
        );
        assert_eq!(seconds(6, 3.0), 2);
    }
}
