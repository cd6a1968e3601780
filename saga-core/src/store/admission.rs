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
/// How long after a limit was set a worker may not have heard of it.
const HEARD_WITHIN: TimeDelta = TimeDelta::seconds(15);
/// A ready step is due for its second ticket within so long.
const FIRST_TICKET_MAX: TimeDelta = TimeDelta::seconds(11);

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
// A place is kept for whoever was let go, until the step is claimed, or until its first ticket came to nothing.
const FREE: &str = "-- admission.free
    DELETE FROM kind_slots
     WHERE kind = $1
       AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.saga_id = kind_slots.saga_id AND s.key = kind_slots.step_key
                          AND (s.state = 'leased' AND s.epoch = kind_slots.epoch
                            OR s.state = 'ready' AND s.epoch = kind_slots.epoch - 1 AND s.tickets < 2 AND s.wake_at <= $2))";
const TAKEN: &str = "-- admission.taken
    SELECT count(*) FROM kind_slots WHERE kind = $1";
const NEW: &str = "-- admission.new
    SELECT EXISTS (SELECT 1 FROM kind_limits WHERE kind = $1 AND decided_at >= $2)";
const COUNT: &str = "-- admission.count
    INSERT INTO kind_slots (saga_id, step_key, epoch, kind)
    SELECT t.saga_id, t.key, t.epoch, s.kind FROM steps t JOIN sagas s ON s.id = t.saga_id
     WHERE t.wake_at IS NOT NULL AND t.state = 'leased' AND s.kind = $1
    ON CONFLICT (saga_id, step_key) DO UPDATE SET epoch = excluded.epoch";
const KEPT: &str = "-- admission.kept
    SELECT k.saga_id, k.step_key FROM kind_slots k JOIN steps s ON s.saga_id = k.saga_id AND s.key = k.step_key
     WHERE k.kind = $1 AND s.state = 'ready' AND s.epoch = k.epoch - 1";
const TAKE: Sql = Sql {
    postgres: "-- admission.take
        INSERT INTO kind_slots (saga_id, step_key, epoch, kind)
        SELECT r.* FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::text[]) AS r
        ON CONFLICT (saga_id, step_key) DO UPDATE SET epoch = excluded.epoch",
    sqlite: "-- admission.take
        INSERT INTO kind_slots (saga_id, step_key, epoch, kind) VALUES ($1, $2, $3, $4)
        ON CONFLICT (saga_id, step_key) DO UPDATE SET epoch = excluded.epoch",
};
const WAITING: &str = "-- admission.waiting
    SELECT EXISTS (SELECT 1 FROM kind_lines WHERE kind = $1) AS any,
           EXISTS (SELECT 1 FROM kind_lines WHERE kind = $1 AND begun) AS begun";
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
    /// So many more steps may be let go, or taken by whoever does not stand in line.
    pub(super) free: i64,
    /// Steps that a place is kept for.
    kept: BTreeSet<(Uuid, String)>,
    /// Who stands in line.
    line: Waiting,
    /// Steps that were taken, and those of them that no place was kept for.
    taken: i64,
    unkept: i64,
    /// Of a rate: when the next step may begin, and how long each lasts.
    rate: Option<(DateTime<Utc>, TimeDelta)>,
}

impl Room {
    fn of(
        limit: &Limit,
        (counted, kept): (i64, BTreeSet<(Uuid, String)>),
        now: DateTime<Utc>,
    ) -> Self {
        let slots = limit.running_max.map(|most| (most - counted).max(0));
        let rate = limit.per_minute.map(|per_minute| {
            let each = TimeDelta::microseconds((MICROS_A_MINUTE / per_minute.max(1)).max(1));
            (limit.next_at.max(now - BURST), each)
        });
        let keeps = i64::try_from(kept.len()).unwrap_or(i64::MAX);
        let due = rate.map(|(next, each)| (steps_due(next, each, now) - keeps).max(0));
        Self {
            free: [slots, due].into_iter().flatten().min().unwrap_or(i64::MAX),
            kept,
            line: Waiting::default(),
            taken: 0,
            unkept: 0,
            rate,
        }
    }

    fn keeps(&self, run: &Run, at: usize) -> bool {
        let step = (run.saga.id, run.steps[at].key.as_str().to_owned());
        self.kept.contains(&step)
    }

    /// Whether a step may be taken: a place is kept for it, or there is one and nobody stands in line for it.
    fn admits(&self, run: &Run, at: usize) -> bool {
        let begun = run.saga.started_at.is_some();
        let first = !(if begun {
            self.line.begun
        } else {
            self.line.any
        });
        self.keeps(run, at) || (first && self.unkept < self.free)
    }

    fn next_at(&self) -> Option<DateTime<Utc>> {
        let (next, each) = self.rate?;
        let steps = i32::try_from(self.taken).unwrap_or(i32::MAX);
        Some(next + each * steps)
    }
}

/// Who stands in a kind's line: those who have begun go first.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
struct Waiting {
    any: bool,
    begun: bool,
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
    let free = tx.query(FREE).bind(kind.to_owned());
    free.bind(now + FIRST_TICKET_MAX).execute().await?;
    let counted = tx.query(TAKEN).bind(kind.to_owned()).scalar().await?;
    let kept: Vec<(Uuid, String)> = tx.query(KEPT).bind(kind.to_owned()).all().await?;
    Ok(Some(Room::of(
        &limit,
        (counted, kept.into_iter().collect()),
        now,
    )))
}

/// Counts all steps of a kind that run.
pub(super) async fn count(tx: &mut Tx, kind: &str) -> sqlx::Result<()> {
    let counted = tx.query(COUNT).bind(kind.to_owned()).execute();
    counted.await.map(drop)
}

/// As [`count`] while a limit is new: workers take steps until they have heard of it.
pub(super) async fn count_if_new(tx: &mut Tx, kind: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    let new = tx.query(NEW).bind(kind.to_owned()).bind(now - HEARD_WITHIN);
    if new.scalar().await? {
        count(tx, kind).await?;
    }
    Ok(())
}

/// Keeps places for these steps, each named with the number of the claim to come.
pub(super) async fn keep(tx: &mut Tx, slots: &[Slot]) -> sqlx::Result<()> {
    if slots.is_empty() {
        return Ok(());
    }
    tx.batch(TAKE)
        .column(slots.iter().map(|(saga, ..)| *saga))
        .column(slots.iter().map(|(_, key, ..)| key.clone()))
        .column(slots.iter().map(|(_, _, epoch, _)| *epoch))
        .column(slots.iter().map(|(.., kind)| kind.clone()))
        .execute()
        .await
        .map(drop)
}

/// A place: the saga, the step's key, the number of the claim, and the kind.
pub(super) type Slot = (Uuid, String, i64, String);

/// Who may be claimed in one transaction.
#[derive(Default)]
pub(super) struct Admission {
    rules: Arc<Rules>,
    rooms: BTreeMap<String, Room>,
    slots: Vec<Slot>,
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
                if let Some(mut room) = room(tx, &kind, now).await? {
                    room.line = tx.query(WAITING).bind(kind.clone()).one().await?;
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
        let admitted = room.is_none_or(|room| room.admits(run, at));
        if admitted && !self.rules.keep(&run.saga) {
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
        if !room.keeps(run, at) {
            room.unkept += 1;
        }
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
        keep(tx, &self.slots).await
    }
}
