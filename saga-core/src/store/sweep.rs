//! Finds what is due: lost tickets, dead leases, retries, timers, deadlines, parking windows.

use super::line::{self, InLine};
use super::{Store, kinds, load, patience, pauses, save, traces};
use crate::db::Durability;
use crate::journal::Key;
use crate::run::{Role, Run, nth_child_id};
use crate::ticket::Ticket;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
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

/// Whose, its key, what it is for, and of a child which one.
type DueStep = (Uuid, String, String, i64);

const DUE_STEPS: &str = "-- sweep.steps
    SELECT saga_id, key, role, attempt FROM steps WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2";
const DUE_SAGAS: &str = "-- sweep.sagas
    SELECT id FROM sagas WHERE wake_at <= $1 ORDER BY wake_at LIMIT $2";
const ABANDONED: &str = "-- sweep.abandoned
    SELECT s.id FROM sagas s
     WHERE s.finished_at IS NULL AND s.updated_at < $1
       AND (s.state IN ('parked', 'stuck')
            AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.saga_id = s.id AND l.state = 'open')
         OR s.state NOT IN ('parked', 'stuck', 'paused')
            AND NOT EXISTS (SELECT 1 FROM steps t WHERE t.saga_id = s.id AND t.state IN ('ready', 'leased', 'retrying', 'waiting')
                               AND NOT (t.role = 'undo' AND t.state = 'waiting')
                               AND (t.role <> 'child' OR EXISTS (SELECT 1 FROM sagas c WHERE c.parent_id = t.saga_id AND c.parent_key = t.key))))
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
        let steps: Vec<DueStep> = tx.query(DUE_STEPS).bind(now).bind(SWEEP_MAX).all().await?;
        let sagas: Vec<(Uuid,)> = tx.query(DUE_SAGAS).bind(now).bind(SWEEP_MAX).all().await?;
        let due = steps.len() + sagas.len();
        if due == 0 {
            return Ok(Swept::default());
        }
        let mut runs = load::whole(&mut tx, concerned(&steps, &sagas)).await?;
        let rules = self.rules.now();
        for run in runs.values_mut() {
            run.kept = rules.keep(&run.saga);
        }
        let paused = pauses::paused(&mut tx).await?;
        let late = |id: &Uuid| runs.get(id).is_some_and(|run| run.is_late(now));
        let late = sagas.iter().map(|(id,)| *id).filter(late).collect();
        let waiting = patience::kept_waiting(&mut tx, late).await?;
        let (mut tickets, in_line) = self.wake_steps(&mut runs, steps, &paused, now);
        let held = self.wake_sagas(&mut runs, &sagas, &waiting, now);
        line::join(&mut tx, in_line).await?;
        kinds::put_off(&mut tx, held).await?;
        let mut runs: Vec<Run> = runs.into_values().collect();
        // What is left to others stays due; looking again at once would find the same.
        let moved = runs.iter().any(Run::changed);
        tickets.extend(save::save(&mut tx, &mut runs, self, now).await?);
        traces::recall(&mut tx, &mut tickets).await?;
        tx.commit().await?;
        let more = moved && due >= usize::try_from(SWEEP_MAX).unwrap_or(usize::MAX);
        Ok(Swept { tickets, due, more })
    }

    /// Does what is due for steps; says which want a ticket, and which stand in the line of their kind.
    fn wake_steps(
        &self,
        runs: &mut BTreeMap<Uuid, Run>,
        steps: Vec<DueStep>,
        paused: &BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> (Vec<Ticket>, Vec<InLine>) {
        let (mut tickets, mut in_line) = (vec![], vec![]);
        for (saga, key, role, _) in steps {
            let key = Key::stored(key);
            if role == Role::Child.as_str() {
                self.wake_child(runs, saga, &key, now);
                continue;
            }
            let Some(run) = runs.get_mut(&saga) else {
                continue;
            };
            let Some(at) = run.find(&key) else {
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
        (tickets, in_line)
    }

    /// Looks after a child whose hour has come, together with its saga.
    fn wake_child(
        &self,
        runs: &mut BTreeMap<Uuid, Run>,
        saga: Uuid,
        key: &Key,
        now: DateTime<Utc>,
    ) {
        // Taken out, to have both at hand.
        let Some(mut run) = runs.remove(&saga) else {
            return;
        };
        if let Some(at) = run.find(key)
            && !self.may_be_newer(&run, run.steps[at].wake_at, now)
        {
            let child = runs.get_mut(&run.steps[at].child(saga));
            run.see_to_child(at, child, &self.kinds, now);
        }
        runs.insert(saga, run);
    }

    /// Does what is due for sagas themselves; says whose deadlines are held, with their kind or for one that they
    /// wait for, and until when.
    fn wake_sagas(
        &self,
        runs: &mut BTreeMap<Uuid, Run>,
        sagas: &[(Uuid,)],
        waiting: &BTreeSet<Uuid>,
        now: DateTime<Utc>,
    ) -> Vec<kinds::Held> {
        let mut held = vec![];
        for (id,) in sagas {
            let Some(run) = runs.get_mut(id) else {
                continue;
            };
            if self.may_be_newer(run, run.saga.wake_at, now) {
                continue;
            }
            let left_alone = if run.kept {
                run.put_off_deadline(now)
            } else {
                waiting.contains(id) && run.move_deadline(now)
            };
            if left_alone {
                held.push((*id, run.saga.wake_at, run.saga.deadline_at));
            } else {
                run.wake_saga(&self.kinds, now);
            }
        }
        held
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

/// The sagas that what is due is about; a child is looked after together with its saga.
fn concerned(steps: &[DueStep], sagas: &[(Uuid,)]) -> BTreeSet<Uuid> {
    let of_step = |(saga, key, role, nth): &DueStep| {
        let is_child = role == Role::Child.as_str();
        let child = is_child.then(|| nth_child_id(*saga, &Key::stored(key.as_str()), *nth));
        [Some(*saga), child]
    };
    let of_steps = steps.iter().flat_map(of_step).flatten();
    of_steps.chain(sagas.iter().map(|(id,)| *id)).collect()
}
