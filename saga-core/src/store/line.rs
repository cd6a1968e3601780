//! The lines of kinds: ready steps that get no ticket as long as their kind is switched off or at its limit.

use super::{Store, admission};
use crate::db::{Durability, Sql, Tx};
use crate::journal::Key;
use crate::rules::KindMode;
use crate::run::Run;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Most steps of a kind that are let go at once: a kind that is switched on again does not come all at once.
const LET_GO_MAX: i64 = 200;

/// A step that joins its kind's line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InLine {
    saga: Uuid,
    step: Key,
    turn: i64,
    kind: String,
    since: DateTime<Utc>,
    begun: bool,
}

impl InLine {
    /// Takes its ticket from a ready step, and has it join the line; none if it is not ready.
    pub(super) fn join(run: &mut Run, at: usize, now: DateTime<Utc>) -> Option<Self> {
        run.put_in_line(at, now).then(|| Self {
            saga: run.saga.id,
            step: run.steps[at].key.clone(),
            turn: run.steps[at].turn,
            kind: run.saga.kind.clone(),
            since: run.steps[at].created_at,
            begun: run.saga.started_at.is_some(),
        })
    }
}

// Lines are written before steps, by everybody: else two would wait in a circle.
const JOIN: Sql = Sql {
    postgres: "-- line.join
        INSERT INTO kind_lines (saga_id, step_key, turn, kind, since, begun)
        SELECT r.* FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::bool[]) AS r
        ON CONFLICT (saga_id, step_key) DO UPDATE SET turn = excluded.turn, begun = excluded.begun",
    sqlite: "-- line.join
        INSERT INTO kind_lines (saga_id, step_key, turn, kind, since, begun) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (saga_id, step_key) DO UPDATE SET turn = excluded.turn, begun = excluded.begun",
};
const KINDS: &str = "-- line.kinds
    SELECT DISTINCT kind FROM kind_lines";
const MODE: &str = "-- line.mode
    SELECT mode FROM kind_switches WHERE kind = $1";
macro_rules! first {
    ($title:literal, $which:literal) => {
        concat!(
            $title,
            "
        SELECT saga_id, step_key, turn FROM kind_lines WHERE kind = $1 ",
            $which,
            "
         ORDER BY since, saga_id, step_key LIMIT $2"
        )
    };
}
const FIRST: Sql = Sql {
    postgres: concat!(
        first!("-- line.first", "AND NOT begun"),
        " FOR UPDATE SKIP LOCKED"
    ),
    sqlite: first!("-- line.first", "AND NOT begun"),
};
const FIRST_BEGUN: Sql = Sql {
    postgres: concat!(
        first!("-- line.first_begun", "AND begun"),
        " FOR UPDATE SKIP LOCKED"
    ),
    sqlite: first!("-- line.first_begun", "AND begun"),
};
// Without a ticket they are given one by the next sweep.
const GO: Sql = Sql {
    postgres: "-- line.go
        UPDATE steps s SET tickets = 0, wake_at = r.now
          FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) AS r (saga_id, key, turn, now)
         WHERE s.saga_id = r.saga_id AND s.key = r.key AND s.turn = r.turn AND s.state = 'ready'",
    sqlite: "-- line.go
        UPDATE steps SET tickets = 0, wake_at = $4 WHERE saga_id = $1 AND key = $2 AND turn = $3 AND state = 'ready'",
};
const LEAVE: Sql = Sql {
    postgres: "-- line.leave
        DELETE FROM kind_lines l USING UNNEST($1::uuid[], $2::text[]) AS r (saga_id, step_key)
         WHERE l.saga_id = r.saga_id AND l.step_key = r.step_key",
    sqlite: "-- line.leave
        DELETE FROM kind_lines WHERE saga_id = $1 AND step_key = $2",
};
const OF_SAGA: &str = "-- line.of_saga
    SELECT step_key, since FROM kind_lines WHERE saga_id = $1";

/// Has these steps join the lines of their kinds.
pub(super) async fn join(tx: &mut Tx, mut steps: Vec<InLine>) -> sqlx::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    steps.sort();
    steps.dedup_by(|a, b| (a.saga, &a.step) == (b.saga, &b.step));
    let joined = tx
        .batch(JOIN)
        .column(steps.iter().map(|one| one.saga))
        .column(steps.iter().map(|one| one.step.as_str().to_owned()))
        .column(steps.iter().map(|one| one.turn))
        .column(steps.iter().map(|one| one.kind.clone()))
        .column(steps.iter().map(|one| one.since))
        .column(steps.iter().map(|one| one.begun));
    joined.execute().await.map(drop)
}

impl Store {
    /// Lets those go for whom there is room now, the oldest first; the next sweep gives them tickets. Safe
    /// to do many times at once: the claim counts again. Says how many.
    pub async fn move_lines(&self) -> sqlx::Result<usize> {
        let kinds: Vec<(String,)> = self.db.query(KINDS).all().await?;
        let mut gone = 0;
        for (kind,) in kinds {
            let mut tx = self.db.begin(Durability::Relaxed).await?;
            let now = tx.now().await?;
            let mode: Option<(String,)> = tx.query(MODE).bind(kind.clone()).optional().await?;
            let mode = mode.map_or(KindMode::Enabled, |(mode,)| KindMode::stored(&mode));
            let room = admission::room(&mut tx, &kind, now).await?;
            let room = room.map_or(LET_GO_MAX, |room| room.free.min(LET_GO_MAX));
            gone += go(&mut tx, (&kind, mode), room, now).await?;
            tx.commit().await?;
        }
        Ok(gone)
    }

    /// The steps of a saga that stand in line, and since when they were asked for.
    pub async fn in_line(&self, saga: Uuid) -> sqlx::Result<BTreeMap<Key, DateTime<Utc>>> {
        let rows: Vec<(String, DateTime<Utc>)> = self.db.query(OF_SAGA).bind(saga).all().await?;
        let named = |(key, since)| (Key::stored(key), since);
        Ok(rows.into_iter().map(named).collect())
    }
}

async fn go(
    tx: &mut Tx,
    (kind, mode): (&str, KindMode),
    room: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<usize> {
    if mode == KindMode::Paused {
        return Ok(0);
    }
    // Those that have begun go before those that have not: their time runs.
    let begun = tx.query(FIRST_BEGUN).bind(kind.to_owned()).bind(room);
    let mut first: Vec<(Uuid, String, i64)> = begun.all().await?;
    let left = room - i64::try_from(first.len()).unwrap_or(room);
    if mode == KindMode::Enabled && left > 0 {
        let others = tx.query(FIRST).bind(kind.to_owned()).bind(left);
        first.extend(others.all::<(Uuid, String, i64)>().await?);
    }
    if first.is_empty() {
        return Ok(0);
    }
    first.sort(); // one order for everybody
    tx.batch(GO)
        .column(first.iter().map(|(saga, ..)| *saga))
        .column(first.iter().map(|(_, key, _)| key.clone()))
        .column(first.iter().map(|(.., turn)| *turn))
        .column(first.iter().map(|_| now))
        .execute()
        .await?;
    tx.batch(LEAVE)
        .column(first.iter().map(|(saga, ..)| *saga))
        .column(first.iter().map(|(_, key, _)| key.clone()))
        .execute()
        .await?;
    Ok(first.len())
}
