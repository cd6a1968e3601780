//! Who may be claimed of kinds that are switched off or limited: counted under a lock, so that no limit is
//! overshot. Kinds of which nobody has decided anything are not looked at.

use super::line::{self, InLine};
use crate::db::{Sql, Tx};
use crate::rules::Rules;
use crate::run::Run;
use crate::state::StepState;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

const MICROS_A_MINUTE: i64 = 60_000_000;
/// What was not used of a rate may be made up for, so much of it.
const BURST: TimeDelta = TimeDelta::seconds(1);

macro_rules! limit {
    () => {
        "-- admission.limit
        SELECT running_max, per_minute, next_at FROM kind_limits WHERE kind = $1"
    };
}
// Whoever claims a step of a limited kind does so alone.
const LIMIT: Sql = Sql {
    postgres: concat!(limit!(), " FOR UPDATE"),
    sqlite: limit!(),
};
const FREE: &str = "-- admission.free
    DELETE FROM kind_slots
     WHERE kind = $1
       AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.saga_id = kind_slots.saga_id AND s.key = kind_slots.step_key
                          AND s.epoch = kind_slots.epoch AND s.state = 'leased')";
const TAKEN: &str = "-- admission.taken
    SELECT count(*) FROM kind_slots WHERE kind = $1";
const TAKE: Sql = Sql {
    postgres: "-- admission.take
        INSERT INTO kind_slots (saga_id, step_key, epoch, kind)
        SELECT r.* FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::text[]) AS r
        ON CONFLICT (saga_id, step_key) DO UPDATE SET epoch = excluded.epoch",
    sqlite: "-- admission.take
        INSERT INTO kind_slots (saga_id, step_key, epoch, kind) VALUES ($1, $2, $3, $4)
        ON CONFLICT (saga_id, step_key) DO UPDATE SET epoch = excluded.epoch",
};
const NEXT: &str = "-- admission.next
    UPDATE kind_limits SET next_at = $2 WHERE kind = $1";

#[derive(sqlx::FromRow)]
struct Limit {
    running_max: Option<i64>,
    per_minute: Option<i64>,
    next_at: DateTime<Utc>,
}

/// What a limited kind has room for.
#[derive(Debug)]
pub(super) struct Room {
    /// So many steps may be taken now.
    pub(super) free: i64,
    taken: i64,
    /// Of a rate: when the next step may begin, and how long each lasts.
    rate: Option<(DateTime<Utc>, TimeDelta)>,
}

impl Room {
    fn of(limit: &Limit, running: i64, now: DateTime<Utc>) -> Self {
        let slots = limit.running_max.map(|most| (most - running).max(0));
        let rate = limit.per_minute.map(|per_minute| {
            let each = TimeDelta::microseconds((MICROS_A_MINUTE / per_minute.max(1)).max(1));
            (limit.next_at.max(now - BURST), each)
        });
        let due = rate.map(|(next, each)| steps_due(next, each, now));
        Self {
            free: [slots, due].into_iter().flatten().min().unwrap_or(i64::MAX),
            taken: 0,
            rate,
        }
    }

    fn next_at(&self) -> Option<DateTime<Utc>> {
        let (next, each) = self.rate?;
        let steps = i32::try_from(self.taken).unwrap_or(i32::MAX);
        Some(next + each * steps)
    }
}

/// How many steps of a rate may begin by now, of which the next is due at `next`.
fn steps_due(next: DateTime<Utc>, each: TimeDelta, now: DateTime<Utc>) -> i64 {
    let late = (now - next).num_microseconds().unwrap_or(i64::MAX);
    let each = each.num_microseconds().unwrap_or(1).max(1);
    if late < 0 { 0 } else { late / each + 1 }
}

/// What a kind has room for, and nobody else claims a step of it until this transaction ends; none: it has
/// no limit.
pub(super) async fn room(
    tx: &mut Tx,
    kind: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Room>> {
    let limit: Option<Limit> = tx.query(LIMIT).bind(kind.to_owned()).optional().await?;
    let Some(limit) = limit else { return Ok(None) };
    tx.query(FREE).bind(kind.to_owned()).execute().await?;
    let running = tx.query(TAKEN).bind(kind.to_owned()).scalar().await?;
    Ok(Some(Room::of(&limit, running, now)))
}

/// Who may be claimed in one transaction.
#[derive(Default)]
pub(super) struct Admission {
    rules: Arc<Rules>,
    rooms: BTreeMap<String, Room>,
    slots: Vec<(Uuid, String, i64, String)>,
    kept: Vec<InLine>,
}

impl Admission {
    /// Looks what there is room for.
    pub(super) async fn of(
        tx: &mut Tx,
        rules: Arc<Rules>,
        runs: impl Iterator<Item = &Run>,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Self> {
        let mut rooms = BTreeMap::new();
        if !rules.is_empty() {
            let limited = runs.filter(|run| rules.limit(&run.saga.kind));
            // In the order of their names, so that nobody waits in a circle.
            let kinds: BTreeSet<String> = limited.map(|run| run.saga.kind.clone()).collect();
            for kind in kinds {
                if let Some(room) = room(tx, &kind, now).await? {
                    rooms.insert(kind, room);
                }
            }
        }
        Ok(Self {
            rules,
            rooms,
            ..Self::default()
        })
    }

    /// Whether a step may be claimed; if not, it joins its kind's line.
    pub(super) fn admits(
        &mut self,
        run: &mut Run,
        at: usize,
        turn: i64,
        now: DateTime<Utc>,
    ) -> bool {
        let step = &run.steps[at];
        if self.rules.is_empty() || step.state != StepState::Ready || step.turn != turn {
            return true; // the claim itself knows what to make of it
        }
        let room = self.rooms.get(&run.saga.kind);
        let full = room.is_some_and(|room| room.taken >= room.free);
        if !full && !self.rules.keep(&run.saga) {
            return true;
        }
        self.kept.extend(InLine::join(run, at, now));
        false
    }

    /// Counts a step that was claimed.
    pub(super) fn took(&mut self, run: &Run, at: usize) {
        let Some(room) = self.rooms.get_mut(&run.saga.kind) else {
            return;
        };
        room.taken += 1;
        let (step, kind) = (&run.steps[at], run.saga.kind.clone());
        let key = step.key.as_str().to_owned();
        self.slots.push((run.saga.id, key, step.epoch, kind));
    }

    /// Whether somebody was turned away.
    pub(super) fn kept_any(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Writes down who was admitted, and who joins a line.
    pub(super) async fn write(self, tx: &mut Tx) -> sqlx::Result<()> {
        line::join(tx, self.kept).await?;
        for (kind, room) in self.rooms.iter().filter(|(_, room)| room.taken > 0) {
            if let Some(next) = room.next_at() {
                let noted = tx.query(NEXT).bind(kind.clone()).bind(next);
                noted.execute().await?;
            }
        }
        if self.slots.is_empty() {
            return Ok(());
        }
        tx.batch(TAKE)
            .column(self.slots.iter().map(|(saga, ..)| *saga))
            .column(self.slots.iter().map(|(_, key, ..)| key.clone()))
            .column(self.slots.iter().map(|(_, _, epoch, _)| *epoch))
            .column(self.slots.iter().map(|(.., kind)| kind.clone()))
            .execute()
            .await
            .map(drop)
    }
}
