//! Finds what is due: lost tickets, dead leases, retries, timers, deadlines, parking windows.

use super::line::{self, InLine};
use super::{Store, load, pauses, save, traces};
use crate::db::Durability;
use crate::journal::Key;
use crate::run::Run;
use crate::ticket::Ticket;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Most due rows that one sweep takes on.
const SWEEP_MAX: i64 = 200;

/// What one sweep did.
#[derive(Debug, Default)]
pub struct Swept {
    /// Tickets to publish; for a row that had one, it is the next.
    pub tickets: Vec<Ticket>,
    /// Rows that were due. At the limit there may be more: sweep again.
    pub due: usize,
    /// Whether the sweep moved something and met its limit.
    pub more: bool,
}

/// How long a rolling deploy may take.
const NEWER_GRACE: TimeDelta = TimeDelta::minutes(10);

const DUE_STEPS: &str = "-- sweep.steps
    SELECT saga_id, key FROM steps WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2";
const DUE_SAGAS: &str = "-- sweep.sagas
    SELECT id FROM sagas WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2";
const ABANDONED: &str = "-- sweep.abandoned
    SELECT s.id FROM sagas s
     WHERE s.finished_at IS NULL AND s.updated_at < $1
       AND (s.state IN ('parked', 'stuck')
            AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.saga_id = s.id AND l.state = 'open')
         OR s.state NOT IN ('parked', 'stuck', 'paused')
            AND NOT EXISTS (SELECT 1 FROM steps t WHERE t.saga_id = s.id AND t.state IN ('ready', 'leased', 'retrying', 'waiting')
                               AND NOT (t.role = 'undo' AND t.state = 'waiting')))
     LIMIT $2";
const RENEW: &str = "-- sweep.renew
    UPDATE steps SET wake_at = $2 WHERE state = 'ready' AND queue = $1";
const EXPIRE_LEASES: &str = "-- sweep.expire_leases
    UPDATE steps SET wake_at = $1 WHERE state = 'leased'";

impl Store {
    /// Does what is due. Safe to run many times at once.
    pub async fn sweep(&self) -> sqlx::Result<Swept> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let steps: Vec<(Uuid, String)> =
            tx.query(DUE_STEPS).bind(now).bind(SWEEP_MAX).all().await?;
        let sagas: Vec<(Uuid,)> = tx.query(DUE_SAGAS).bind(now).bind(SWEEP_MAX).all().await?;
        let due = steps.len() + sagas.len();
        if due == 0 {
            return Ok(Swept::default());
        }
        let ids: BTreeSet<Uuid> = steps
            .iter()
            .map(|(saga, _)| *saga)
            .chain(sagas.iter().map(|(id,)| *id))
            .collect();
        let mut runs = load::whole(&mut tx, ids).await?;
        let rules = self.rules.now();
        for run in runs.values_mut() {
            run.kept = rules.keep(&run.saga);
        }
        let paused = pauses::paused(&mut tx).await?;
        let (mut tickets, mut in_line) = (vec![], vec![]);
        for (saga, key) in steps {
            let Some(run) = runs.get_mut(&saga) else {
                continue;
            };
            let Some(at) = run.find(&Key::stored(key)) else {
                continue;
            };
            if self.may_be_newer(run, run.steps[at].wake_at, now) {
                continue;
            }
            if run.kept
                && let Some(one) = InLine::join(run, at, now)
            {
                in_line.push(one);
                continue;
            }
            let queue = run.steps[at].queue.as_ref();
            if queue.is_some_and(|queue| paused.contains(queue)) && run.leave_ticket(at, now) {
                continue;
            }
            // A step without any ticket yet is among those that `save` returns.
            if run.wake_step(at, &self.kinds, now) && run.steps[at].tickets > 0 {
                tickets.extend(Ticket::of(&run.saga, &run.steps[at]));
            }
        }
        for (id,) in sagas {
            if let Some(run) = runs.get_mut(&id)
                && !self.may_be_newer(run, run.saga.wake_at, now)
            {
                run.wake_saga(&self.kinds, now);
            }
        }
        line::join(&mut tx, in_line).await?;
        let mut runs: Vec<Run> = runs.into_values().collect();
        // What is left to others stays due; looking again at once would find the same.
        let moved = runs.iter().any(Run::changed);
        tickets.extend(save::save(&mut tx, &mut runs, &self.kinds, now).await?);
        traces::recall(&mut tx, &mut tickets).await?;
        tx.commit().await?;
        let more = moved && due >= usize::try_from(SWEEP_MAX).unwrap_or(usize::MAX);
        Ok(Swept { tickets, due, more })
    }

    /// Whether a saga's kind is unknown here and may be known to a newer program, which does what is
    /// due. After a while nobody did: then it is a removed kind, and somebody has to look.
    fn may_be_newer(&self, run: &Run, due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let unknown = self.kinds.get(&run.saga.kind).is_none();
        unknown && due.is_some_and(|due| now - due < NEWER_GRACE)
    }

    /// Live sagas that nothing will ever move on: there are none, or the engine has a fault.
    pub async fn abandoned(&self) -> sqlx::Result<Vec<Uuid>> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let before = tx.now().await? - TimeDelta::minutes(1);
        let ids: Vec<(Uuid,)> = tx
            .query(ABANDONED)
            .bind(before)
            .bind(SWEEP_MAX)
            .all()
            .await?;
        Ok(ids.into_iter().map(|(id,)| id).collect())
    }

    /// Has the next sweep publish a ticket for every ready step of a queue: the queue is new, so
    /// whatever was in it is gone.
    pub async fn renew_tickets(&self, queue: &str) -> sqlx::Result<u64> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let renewed = tx.query(RENEW).bind(queue).bind(now).execute().await?;
        tx.commit().await?;
        Ok(renewed)
    }

    /// Ends every lease: the process that held them is known to be gone. Only for a store that one
    /// process has for itself.
    pub async fn expire_leases(&self) -> sqlx::Result<u64> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let expired = tx.query(EXPIRE_LEASES).bind(now).execute().await?;
        tx.commit().await?;
        Ok(expired)
    }
}
