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
/// So many of a line are looked at at once, and so often in a row where many of them are gone.
const LOOK_MAX: i64 = 200;
const LOOKS_MAX: usize = 5;

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
// From one kind to the next in the index, however long their lines are.
const KINDS: &str = "-- line.kinds
    WITH RECURSIVE lines (kind) AS (
        SELECT MIN(kind) FROM kind_lines
         UNION ALL
        SELECT (SELECT MIN(l.kind) FROM kind_lines l WHERE l.kind > lines.kind) FROM lines WHERE lines.kind IS NOT NULL
    )
    SELECT kind FROM lines WHERE kind IS NOT NULL
     UNION
    SELECT kind FROM kind_limits";
const MODE: &str = "-- line.mode
    SELECT mode FROM kind_switches WHERE kind = $1";
// Some are gone: their sagas were cancelled, or their steps became ready anew. They have no `epoch`.
macro_rules! first {
    ($title:literal, $which:literal) => {
        concat!(
            $title,
            "
        SELECT l.saga_id, l.step_key, l.turn, s.epoch
          FROM kind_lines l LEFT JOIN steps s
            ON s.saga_id = l.saga_id AND s.key = l.step_key AND s.turn = l.turn AND s.state = 'ready'
         WHERE l.kind = $1 ",
            $which,
            "
         ORDER BY l.since, l.saga_id, l.step_key LIMIT $2"
        )
    };
}
const FIRST: Sql = Sql {
    postgres: concat!(
        first!("-- line.first", "AND NOT l.begun"),
        " FOR UPDATE OF l SKIP LOCKED"
    ),
    sqlite: first!("-- line.first", "AND NOT l.begun"),
};
const FIRST_BEGUN: Sql = Sql {
    postgres: concat!(
        first!("-- line.first_begun", "AND l.begun"),
        " FOR UPDATE OF l SKIP LOCKED"
    ),
    sqlite: first!("-- line.first_begun", "AND l.begun"),
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

/// One who stands in line: the saga, the step's key and turn, and the number of its last claim, if the step is
/// still ready in this turn.
type First = (Uuid, String, i64, Option<i64>);

impl Store {
    /// Lets those go for whom there is room now, the oldest first; the next sweep gives them tickets. Each of a
    /// limited kind is kept a place, so that this is safe to do many times at once. Says how many.
    pub async fn move_lines(&self) -> sqlx::Result<usize> {
        let kinds: Vec<(String,)> = self.db.query(KINDS).all().await?;
        let mut gone = 0;
        for (kind,) in kinds {
            let mut tx = self.db.begin(Durability::Relaxed).await?;
            let now = tx.now().await?;
            let mode: Option<(String,)> = tx.query(MODE).bind(kind.clone()).optional().await?;
            let mode = mode.map_or(KindMode::Enabled, |(mode,)| KindMode::stored(&mode));
            admission::count_if_new(&mut tx, &kind, now).await?;
            let room = admission::room(&mut tx, &kind, now).await?;
            let free = (room.as_ref()).map_or(LET_GO_MAX, |room| room.free.min(LET_GO_MAX));
            let first = first(&mut tx, (&kind, mode), free).await?;
            if room.is_some() {
                let slot =
                    |(saga, key, _, epoch): &Let| (*saga, key.clone(), epoch + 1, kind.clone());
                admission::keep(&mut tx, &first.iter().map(slot).collect::<Vec<_>>()).await?;
            }
            gone += go(&mut tx, &first, now).await?;
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

/// One who is let go: as [`First`], with the number of the last claim.
type Let = (Uuid, String, i64, i64);

/// Takes the first out of a line, as many as there is room for, and whoever is gone.
async fn first(tx: &mut Tx, (kind, mode): (&str, KindMode), room: i64) -> sqlx::Result<Vec<Let>> {
    let lines: &[Sql] = match mode {
        KindMode::Paused => &[],
        KindMode::Drain => &[FIRST_BEGUN],
        // Those that have begun go before those that have not: their time runs.
        KindMode::Enabled => &[FIRST_BEGUN, FIRST],
    };
    let (room, mut first) = (usize::try_from(room).unwrap_or(0), vec![]);
    for line in lines {
        for _ in 0..LOOKS_MAX {
            if first.len() == room {
                break;
            }
            let look = tx.query(*line).bind(kind.to_owned()).bind(LOOK_MAX);
            let seen: Vec<First> = look.all().await?;
            let ended = i64::try_from(seen.len()) != Ok(LOOK_MAX);
            let mut passed = vec![];
            for (saga, key, turn, epoch) in seen {
                let Some(epoch) = epoch else {
                    passed.push((saga, key)); // nobody is there any more
                    continue;
                };
                if first.len() < room {
                    passed.push((saga, key.clone()));
                    first.push((saga, key, turn, epoch));
                }
            }
            leave(tx, &passed).await?;
            if ended {
                break;
            }
        }
    }
    first.sort(); // one order for everybody
    Ok(first)
}

async fn leave(tx: &mut Tx, passed: &[(Uuid, String)]) -> sqlx::Result<()> {
    if passed.is_empty() {
        return Ok(());
    }
    tx.batch(LEAVE)
        .column(passed.iter().map(|(saga, _)| *saga))
        .column(passed.iter().map(|(_, key)| key.clone()))
        .execute()
        .await
        .map(drop)
}

async fn go(tx: &mut Tx, first: &[Let], now: DateTime<Utc>) -> sqlx::Result<usize> {
    if first.is_empty() {
        return Ok(0);
    }
    tx.batch(GO)
        .column(first.iter().map(|(saga, ..)| *saga))
        .column(first.iter().map(|(_, key, ..)| key.clone()))
        .column(first.iter().map(|(_, _, turn, _)| *turn))
        .column(first.iter().map(|_| now))
        .execute()
        .await?;
    Ok(first.len())
}
