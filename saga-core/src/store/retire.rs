//! Takes what is over out of the tables, a batch in each transaction: sagas and what is theirs, letters,
//! replays, paid calls, the audit.

use super::{Place, Store};
use crate::db::{Durability, Sql, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use metrics::counter;
use std::time::Duration;
use uuid::Uuid;

/// How long what is over is kept; for ever where there is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Sagas, from their end; with them go their steps, their history and the answers of their paid calls.
    pub sagas: Option<Duration>,
    /// Letters, from the decision about them, and replays, from their end. A saga stays as long as any
    /// letter of its own does.
    pub letters: Option<Duration>,
    /// What models said to sagas that have ended; from the call.
    pub answers: Option<Duration>,
    /// What was paid for and what it cost, once its saga is gone; from the call.
    pub effects: Option<Duration>,
    /// Who decided what.
    pub audit: Option<Duration>,
}

/// What one batch took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retired {
    /// Rows that are gone; of sagas only their own, not those of their steps.
    pub rows: u64,
    /// Where to go on, in the order of acceptance; nothing when all was looked at.
    pub next: Option<Place>,
}

// Sagas are met in the order in which they were accepted, for which there is an index: nobody can have
// ended before that, so the walk stops at those that are too young. A child does not go before its parent,
// nor a parent before a child that it called back and that is still live.
const FIND: &str = "-- retire.find
    SELECT s.created_at, s.id FROM sagas s
     WHERE (s.created_at, s.id) > ($1, $2) AND s.created_at < $3 AND s.finished_at < $3
       AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.saga_id = s.id AND (l.state = 'open' OR l.resolved_at >= $4))
       AND NOT EXISTS (SELECT 1 FROM sagas p WHERE p.id = s.parent_id)
       AND NOT EXISTS (SELECT 1 FROM sagas c WHERE c.parent_id = s.id AND c.finished_at IS NULL)
     ORDER BY s.created_at, s.id LIMIT $5";
// What the look has found may have changed before the lock; a statement of its own after it sees that, while
// one that waits for a row goes on with the other tables as they were when it began.
const LOCK: Sql = Sql {
    postgres: "-- retire.lock
        SELECT id FROM sagas WHERE id = ANY($1) ORDER BY id FOR UPDATE",
    sqlite: "", // one writes at a time
};
const SAGAS: Sql = Sql {
    postgres: "-- retire.sagas
        DELETE FROM sagas s USING UNNEST($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS r (id, ended, judged)
         WHERE s.id = r.id AND s.finished_at < r.ended
           AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.saga_id = s.id AND (l.state = 'open' OR l.resolved_at >= r.judged))
           AND NOT EXISTS (SELECT 1 FROM sagas p WHERE p.id = s.parent_id)
           AND NOT EXISTS (SELECT 1 FROM sagas c WHERE c.parent_id = s.id AND c.finished_at IS NULL)
        RETURNING s.id",
    sqlite: "-- retire.sagas
        DELETE FROM sagas WHERE id = $1 AND finished_at < $2
           AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.saga_id = $1 AND (l.state = 'open' OR l.resolved_at >= $3))
           AND NOT EXISTS (SELECT 1 FROM sagas p WHERE p.id = sagas.parent_id)
           AND NOT EXISTS (SELECT 1 FROM sagas c WHERE c.parent_id = $1 AND c.finished_at IS NULL)
        RETURNING id",
};
const ENDED: Sql = Sql {
    postgres: "-- retire.ended
        DELETE FROM sagas s USING UNNEST($1::uuid[]) AS r (id) WHERE s.id = r.id AND s.finished_at IS NOT NULL",
    sqlite: "-- retire.ended
        DELETE FROM sagas WHERE id = $1 AND finished_at IS NOT NULL",
};
const STEPS: Sql = Sql {
    postgres: "-- retire.steps
        DELETE FROM steps s USING UNNEST($1::uuid[]) AS r (id) WHERE s.saga_id = r.id",
    sqlite: "-- retire.steps
        DELETE FROM steps WHERE saga_id = $1",
};
const EVENTS: Sql = Sql {
    postgres: "-- retire.events
        DELETE FROM events e USING UNNEST($1::uuid[]) AS r (id) WHERE e.saga_id = r.id",
    sqlite: "-- retire.events
        DELETE FROM events WHERE saga_id = $1",
};
// What was said is nobody's business any more; that it was paid for stays.
const ANSWERS: Sql = Sql {
    postgres: "-- retire.answers
        UPDATE effects e SET answer = '' FROM UNNEST($1::uuid[]) AS r (id) WHERE e.saga_id = r.id AND e.answer IS NOT NULL",
    sqlite: "-- retire.answers
        UPDATE effects SET answer = X'' WHERE saga_id = $1 AND answer IS NOT NULL",
};
// What a saga may still spend; what it has spent stays in the books.
const BUDGETS: Sql = Sql {
    postgres: "-- retire.budgets
        DELETE FROM budgets b USING UNNEST($1::text[]) AS r (id) WHERE b.scope = 'saga' AND b.day = '' AND b.subject = r.id",
    sqlite: "-- retire.budgets
        DELETE FROM budgets WHERE scope = 'saga' AND day = '' AND subject = $1",
};
// As above, of sagas that are still told of: their end is the last that their answers are good for.
const SAID: Sql = Sql {
    postgres: "-- retire.said
        UPDATE effects SET answer = '' WHERE ctid = ANY (ARRAY(
            SELECT e.ctid FROM effects e
             WHERE e.answer <> '' AND e.dispatched_at < $1
               AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = e.saga_id AND s.finished_at IS NULL)
             ORDER BY e.dispatched_at LIMIT $2))",
    sqlite: "-- retire.said
        UPDATE effects SET answer = X'' WHERE (saga_id, step_key, name, round) IN (
            SELECT e.saga_id, e.step_key, e.name, e.round FROM effects e
             WHERE e.answer <> X'' AND e.dispatched_at < $1
               AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = e.saga_id AND s.finished_at IS NULL)
             ORDER BY e.dispatched_at LIMIT $2)",
};
const EFFECTS: Sql = Sql {
    postgres: "-- retire.effects
        DELETE FROM effects WHERE ctid = ANY (ARRAY(
            SELECT e.ctid FROM effects e
             WHERE e.dispatched_at < $1 AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = e.saga_id)
             ORDER BY e.dispatched_at LIMIT $2))",
    sqlite: "-- retire.effects
        DELETE FROM effects WHERE (saga_id, step_key, name, round) IN (
            SELECT e.saga_id, e.step_key, e.name, e.round FROM effects e
             WHERE e.dispatched_at < $1 AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = e.saga_id)
             ORDER BY e.dispatched_at LIMIT $2)",
};
const CHARGES: Sql = Sql {
    postgres: "-- retire.charges
        DELETE FROM charges WHERE ctid = ANY (ARRAY(
            SELECT c.ctid FROM charges c
             WHERE c.at < $1 AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = c.saga_id)
             ORDER BY c.at LIMIT $2))",
    sqlite: "-- retire.charges
        DELETE FROM charges WHERE (saga_id, step_key, name, round) IN (
            SELECT c.saga_id, c.step_key, c.name, c.round FROM charges c
             WHERE c.at < $1 AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = c.saga_id)
             ORDER BY c.at LIMIT $2)",
};
// Letters of sagas go with them; these belong to none.
const LETTERS: &str = "-- retire.letters
    DELETE FROM letters WHERE id IN (
        SELECT id FROM letters WHERE saga_id IS NULL AND state <> 'open' AND resolved_at < $1 LIMIT $2)";
const REPLAYS: &str = "-- retire.replays
    DELETE FROM replays WHERE id IN (SELECT id FROM replays WHERE finished_at < $1 LIMIT $2)";
const AUDIT: &str = "-- retire.audit
    DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY at LIMIT $2)";
const TAKE: &str = "-- retire.take
    INSERT INTO chores (name, free_at) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET free_at = excluded.free_at WHERE chores.free_at <= $3";
const HOLD: &str = "-- retire.hold
    UPDATE chores SET free_at = $2 WHERE name = $1";
const DONE: &str = "-- retire.done
    UPDATE chores SET free_at = $2, done_at = $3 WHERE name = $1";
const DONE_AT: &str = "-- retire.done_at
    SELECT done_at FROM chores WHERE name = $1 AND done_at IS NOT NULL";
/// Rows that were taken away.
const GONE: &str = "chorus_retired_rows_total";

impl Store {
    /// Takes a chore for so long, unless another process has it or has just done it.
    pub async fn take_chore(&self, name: &str, length: Duration) -> sqlx::Result<bool> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let now = tx.now().await?;
        let until = later(now, length);
        let taken = tx.query(TAKE).bind(name.to_owned()).bind(until).bind(now);
        let taken = taken.execute().await? > 0;
        tx.commit().await?;
        Ok(taken)
    }

    /// Keeps a chore that was taken for so much longer, be it to do it or because it is done.
    pub async fn hold_chore(&self, name: &str, length: Duration) -> sqlx::Result<()> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let until = later(tx.now().await?, length);
        tx.query(HOLD)
            .bind(name.to_owned())
            .bind(until)
            .execute()
            .await?;
        tx.commit().await
    }

    /// Notes that a chore is done, and that nobody need do it again for so long.
    pub async fn finish_chore(&self, name: &str, length: Duration) -> sqlx::Result<()> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let now = tx.now().await?;
        let done = tx.query(DONE).bind(name.to_owned());
        let done = done.bind(later(now, length)).bind(now);
        done.execute().await?;
        tx.commit().await
    }

    /// When a chore was last done to its end; none if it never was.
    pub(super) async fn chore_done(&self, name: &str) -> sqlx::Result<Option<DateTime<Utc>>> {
        let done = self.db.query(DONE_AT).bind(name.to_owned());
        let done: Option<(DateTime<Utc>,)> = done.optional().await?;
        Ok(done.map(|(at,)| at))
    }

    /// Takes away the next of the sagas that ended long ago, after this place. One that is live, parked
    /// or has a letter that nobody has judged is never among them, however old it is.
    pub async fn retire_sagas(
        &self,
        keep: &Keep,
        after: Place,
        limit: i64,
    ) -> sqlx::Result<Retired> {
        let now = self.db.now().await?;
        let Some(ended) = before(now, keep.sagas) else {
            return Ok(Retired::default());
        };
        let judged = before(now, keep.letters).unwrap_or(DateTime::UNIX_EPOCH);
        let query = self.db.query(FIND).bind(after.0).bind(after.1);
        let query = query.bind(ended).bind(judged).bind(limit);
        let found: Vec<Place> = query.all().await?;
        let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
        let next = found.last().copied().filter(|_| full);
        let mut ids: Vec<Uuid> = found.into_iter().map(|(_, id)| id).collect();
        ids.sort();
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        if tx.is_postgres() {
            let locked = tx.batch(LOCK).column(ids.iter().copied());
            locked.all::<(Uuid,)>().await?;
        }
        let gone: Vec<(Uuid,)> = tx
            .batch(SAGAS)
            .column(ids.iter().copied())
            .column(ids.iter().map(|_| ended))
            .column(ids.iter().map(|_| judged))
            .all()
            .await?;
        let gone: Vec<Uuid> = gone.into_iter().map(|(id,)| id).collect();
        take_theirs(&mut tx, &gone).await?;
        tx.commit().await?;
        let rows = u64::try_from(gone.len()).unwrap_or(u64::MAX);
        counter!(GONE, "table" => "sagas").increment(rows);
        Ok(Retired { rows, next })
    }

    async fn retire_some(&self, sql: Sql, before: DateTime<Utc>, limit: i64) -> sqlx::Result<u64> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let gone = tx.query(sql).bind(before).bind(limit).execute().await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Takes away some of all else that is over, and says how much; less than `limit` of each is the last.
    pub async fn retire_rest(&self, keep: &Keep, limit: i64) -> sqlx::Result<u64> {
        let now = self.db.now().await?;
        let (said, judged, paid, decided) = (
            before(now, keep.answers),
            before(now, keep.letters),
            before(now, keep.effects),
            before(now, keep.audit),
        );
        let each: [(&'static str, Sql, _); 6] = [
            ("answers", SAID, said),
            ("letters", LETTERS.into(), judged),
            ("replays", REPLAYS.into(), judged),
            ("effects", EFFECTS, paid),
            ("charges", CHARGES, paid),
            ("audit", AUDIT.into(), decided),
        ];
        let mut most = 0;
        let mut failed = None;
        for (table, sql, before) in each {
            let Some(before) = before else { continue };
            match self.retire_some(sql, before, limit).await {
                Ok(gone) => {
                    counter!(GONE, "table" => table).increment(gone);
                    most = most.max(gone);
                }
                // One table that cannot be looked through keeps nobody from the others.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(most), Err)
    }
}

/// Takes away sagas that have ended, with everything of theirs.
pub(super) async fn take(tx: &mut Tx, ended: &[Uuid]) -> sqlx::Result<()> {
    tx.batch(ENDED)
        .column(ended.iter().copied())
        .execute()
        .await?;
    take_theirs(tx, ended).await
}

/// Takes away what belonged to sagas that are gone.
async fn take_theirs(tx: &mut Tx, gone: &[Uuid]) -> sqlx::Result<()> {
    for sql in [STEPS, EVENTS, ANSWERS] {
        tx.batch(sql).column(gone.iter().copied()).execute().await?;
    }
    let subjects = gone.iter().map(Uuid::to_string);
    tx.batch(BUDGETS).column(subjects).execute().await?;
    Ok(())
}

fn before(now: DateTime<Utc>, kept: Option<Duration>) -> Option<DateTime<Utc>> {
    let kept = TimeDelta::from_std(kept?).ok()?;
    now.checked_sub_signed(kept)
}

fn later(now: DateTime<Utc>, length: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(length).unwrap_or(TimeDelta::days(1))
}
