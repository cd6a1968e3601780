//! Brings sagas into memory, each locked against everybody else who would change it.

use super::rows::{RawSaga, RawSignal, RawStep};
use crate::db::{Db, Sql, Tx};
use crate::journal::Key;
use crate::run::{Heard, Run, SagaRow, StepRow};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

macro_rules! saga_columns {
    () => {
        saga_columns!("sagas.input, sagas.output, sagas.error")
    };
    // Those that may be long are told apart.
    ($long:literal) => {
        concat!(
            "sagas.id, sagas.kind, sagas.state, sagas.ending, sagas.owner_id, sagas.request_id, sagas.singleton, \
             sagas.phase, sagas.seq, sagas.inbox, sagas.pivoted, sagas.degraded, sagas.letter_id, sagas.replay_of, \
             sagas.parent_id, sagas.parent_key, sagas.parked_until, sagas.deadline_at, sagas.wake_at, sagas.created_at, sagas.started_at, \
             sagas.updated_at, sagas.finished_at, ",
            $long
        )
    };
}
// Under names of their own, so that a saga and a step can stand in one row.
macro_rules! step_columns {
    () => {
        "steps.saga_id, steps.key, steps.position, steps.role, steps.step, steps.queue, steps.turn, steps.epoch, \
         steps.attempt, steps.crashes, steps.tickets, steps.worker, steps.settled, steps.state AS step_state, \
         steps.input AS step_input, steps.output AS step_output, steps.error AS step_error, \
         steps.letter_id AS step_letter_id, steps.wake_at AS step_wake_at, steps.created_at AS step_created_at, \
         steps.started_at AS step_started_at, steps.finished_at AS step_finished_at"
    };
}
pub(super) use {saga_columns, step_columns};

// Sagas are always locked first and in the order of their ids, so that nobody waits in a circle.
const LOCK_SAGAS: Sql = Sql {
    postgres: concat!(
        "-- load.lock\nSELECT ",
        saga_columns!(),
        ", clock_timestamp() AS now FROM sagas WHERE id = ANY($1) ORDER BY id FOR UPDATE"
    ),
    sqlite: concat!(
        "-- load.lock\nSELECT ",
        saga_columns!(),
        ", NULL AS now FROM sagas WHERE id = $1"
    ),
};
// Whoever ends a child tells its parent, and its parent's parent if that ends by it: all of them are locked
// together with it, in the same order. Who began a saga never changes, so that it is read without a lock.
const LOCK_FAMILIES: Sql = Sql {
    postgres: concat!(
        "-- load.lock_families\nSELECT ",
        saga_columns!(),
        ", clock_timestamp() AS now FROM sagas
          WHERE id = ANY(ARRAY(
                WITH RECURSIVE up AS (
                    SELECT s.id, s.parent_id FROM sagas s WHERE s.id = ANY($1)
                     UNION SELECT s.id, s.parent_id FROM up JOIN sagas s ON s.id = up.parent_id)
                SELECT id FROM up))
          ORDER BY id FOR UPDATE"
    ),
    sqlite: LOCK_SAGAS.sqlite, // one writes at a time
};
const STEPS: Sql = Sql {
    postgres: concat!(
        "-- load.steps\nSELECT ",
        step_columns!(),
        " FROM steps WHERE saga_id = ANY($1)"
    ),
    sqlite: concat!(
        "-- load.steps\nSELECT ",
        step_columns!(),
        " FROM steps WHERE saga_id = $1"
    ),
};
const SOME_STEPS: Sql = Sql {
    postgres: concat!(
        "-- load.some_steps\nSELECT ",
        step_columns!(),
        " FROM UNNEST($1::uuid[], $2::text[]) AS wanted (saga_id, key)
            JOIN steps ON steps.saga_id = wanted.saga_id AND steps.key = wanted.key"
    ),
    sqlite: concat!(
        "-- load.some_steps\nSELECT ",
        step_columns!(),
        " FROM steps WHERE saga_id = $1 AND key = $2"
    ),
};
const SIGNALS: Sql = Sql {
    postgres: "-- load.signals\nSELECT saga_id, id, name, value FROM signals WHERE heard_by IS NULL AND saga_id = ANY($1)",
    sqlite: "-- load.signals\nSELECT saga_id, id, name, value FROM signals WHERE heard_by IS NULL AND saga_id = $1",
};

// Only PostgreSQL is read so: a saga with all its steps, a row a step, the saga's long columns once. One
// statement, so that saga and steps are of one moment.
const SEEN: Sql = Sql {
    postgres: concat!(
        "-- load.seen\nSELECT ",
        saga_columns!(
            "CASE WHEN steps.position = 0 THEN sagas.input ELSE '' END AS input, \
             CASE WHEN steps.position = 0 THEN sagas.output END AS output, \
             CASE WHEN steps.position = 0 THEN sagas.error END AS error"
        ),
        ", ",
        step_columns!(),
        ", clock_timestamp() AS now
          FROM steps JOIN sagas ON sagas.id = steps.saga_id WHERE steps.saga_id = ANY($1)"
    ),
    sqlite: "",
};

/// Whole sagas, ready to be moved on. Those that wait for their end are locked, too.
pub(super) async fn whole(tx: &mut Tx, sagas: BTreeSet<Uuid>) -> sqlx::Result<BTreeMap<Uuid, Run>> {
    let rows = lock(tx, LOCK_FAMILIES, &sagas).await?;
    let steps = tx
        .batch(STEPS)
        .column(rows.keys().copied())
        .all::<RawStep>()
        .await?;
    let mail: Vec<Uuid> = rows
        .values()
        .filter(|saga| saga.inbox > 0)
        .map(|saga| saga.id)
        .collect();
    let signals = if mail.is_empty() {
        vec![]
    } else {
        tx.batch(SIGNALS).column(mail).all::<RawSignal>().await?
    };
    assemble(rows, steps, signals)
}

/// Sagas with only the steps that are named: enough for a claim.
pub(super) async fn partial(
    tx: &mut Tx,
    wanted: &[(Uuid, Key)],
) -> sqlx::Result<BTreeMap<Uuid, Run>> {
    let wanted: BTreeSet<&(Uuid, Key)> = wanted.iter().collect();
    // All the sagas before any step: one statement that locks both goes row by row, and waits for a
    // saga while it holds another's step, which others lock without its saga.
    let sagas = wanted.iter().map(|(saga, _)| *saga).collect();
    let rows = lock(tx, LOCK_SAGAS, &sagas).await?;
    let wanted = wanted.iter().filter(|(saga, _)| rows.contains_key(saga));
    let steps = tx
        .batch(SOME_STEPS)
        .column(wanted.clone().map(|(saga, _)| *saga))
        .column(wanted.map(|(_, key)| key.as_str().to_owned()))
        .all::<RawStep>()
        .await?;
    assemble(rows, steps, vec![])
}

/// Whole sagas as they are at this moment, locked against nobody, and the store's time. What follows
/// from them may be written only where nothing has changed since.
pub(super) async fn seen(
    db: &Db,
    sagas: &BTreeSet<Uuid>,
) -> sqlx::Result<(BTreeMap<Uuid, Run>, Option<DateTime<Utc>>)> {
    let ids: Vec<Uuid> = sagas.iter().copied().collect();
    let (mut rows, mut steps, mut now) = (BTreeMap::new(), vec![], None);
    for seen in db.read::<Seen>(SEEN, &ids).await? {
        now = now.max(Some(seen.now));
        let id = seen.saga.id;
        if seen.step.position == 0 {
            match SagaRow::try_from(seen.saga) {
                Ok(saga) => drop(rows.insert(id, saga)),
                Err(error) => passed_over(id, &error),
            }
        }
        steps.push(seen.step);
    }
    Ok((assemble(rows, steps, vec![])?, now))
}

#[derive(sqlx::FromRow)]
struct Seen {
    #[sqlx(flatten)]
    saga: RawSaga,
    #[sqlx(flatten)]
    step: RawStep,
    now: DateTime<Utc>,
}

async fn lock(
    tx: &mut Tx,
    sql: Sql,
    sagas: &BTreeSet<Uuid>,
) -> sqlx::Result<BTreeMap<Uuid, SagaRow>> {
    let raw = tx
        .batch(sql)
        .column(sagas.iter().copied())
        .all::<Locked>()
        .await?;
    // The store's clock comes with the rows, which saves asking for it.
    if let Some(now) = raw.iter().filter_map(|row| row.now).max() {
        tx.was_told(now);
    }
    let read = |raw: Locked| {
        let id = raw.saga.id;
        SagaRow::try_from(raw.saga)
            .map(|saga| (id, saga))
            .map_err(|error| passed_over(id, &error))
            .ok()
    };
    let wanted = raw.into_iter().filter(|row| sagas.contains(&row.saga.id));
    Ok(wanted.filter_map(read).collect())
}

#[derive(sqlx::FromRow)]
struct Locked {
    #[sqlx(flatten)]
    saga: RawSaga,
    now: Option<DateTime<Utc>>,
}

/// A saga with a word in it that this program does not know, from a newer one: it is left to that
/// one, and nobody else's saga waits for it.
fn passed_over(saga: Uuid, error: &sqlx::Error) {
    tracing::error!(saga.id = %saga, %error, "A saga cannot be read by this version and is passed over");
}

fn assemble(
    mut rows: BTreeMap<Uuid, SagaRow>,
    raw_steps: Vec<RawStep>,
    raw_signals: Vec<RawSignal>,
) -> sqlx::Result<BTreeMap<Uuid, Run>> {
    let mut steps: BTreeMap<Uuid, Vec<StepRow>> = BTreeMap::new();
    for raw in raw_steps {
        let saga = raw.saga_id;
        match StepRow::try_from(raw) {
            Ok(step) => steps.entry(saga).or_default().push(step),
            Err(error) => {
                passed_over(saga, &error);
                rows.remove(&saga);
            }
        }
    }
    let mut signals: BTreeMap<Uuid, Vec<Heard>> = BTreeMap::new();
    for raw in raw_signals {
        signals
            .entry(raw.saga_id)
            .or_default()
            .push(raw.try_into()?);
    }
    let run = |(id, saga): (Uuid, SagaRow)| {
        let mut steps = steps.remove(&id).unwrap_or_default();
        steps.sort_by_key(|step| step.position);
        let mut signals = signals.remove(&id).unwrap_or_default();
        signals.sort_by_key(|signal| signal.id);
        (id, Run::loaded(saga, steps, signals))
    };
    Ok(rows.into_iter().map(run).collect())
}
