//! Replays of many letters: which ones is decided once, at the start; people watch, pause and stop them.

mod turn;

pub use turn::ReplayTurn;

use super::audit::{self, Entry};
use super::rows::text;
use super::{LetterFilter, Store};
use crate::db::{Durability, Query, Tx};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// A replay of many letters about to begin.
#[derive(Debug, Clone)]
pub struct NewReplay {
    /// Chosen by the caller.
    pub id: Uuid,
    /// Which letters; only open ones of sagas are taken, the oldest first. Pages do not apply.
    pub select: LetterFilter,
    /// What the caller asked for, kept as it was said.
    pub selection: Value,
    /// Whether each saga begins again from its input, as a new one; else its step is tried again.
    pub from_start: bool,
    /// Letters at most.
    pub limit: i64,
    /// From one letter to the next: the rate is never above its inverse.
    pub pause: Duration,
    /// How many are tried, and must go well, before the others follow.
    pub tried_first: i64,
    /// The part of those that ended that may be dead again; above it the replay stops.
    pub failure_ratio_max: f64,
    /// Who wants it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A replay of many letters.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Replay {
    /// Its id.
    pub id: Uuid,
    /// `running`, `paused`, `stopping` (nothing new begins), `stopped` or `done`.
    pub state: String,
    /// What the caller asked for, as JSON.
    pub selection: String,
    /// Why.
    pub reason: String,
    /// Who began it.
    pub started_by: String,
    /// Whether the sagas begin again, as new ones.
    pub from_start: bool,
    /// Microseconds from one letter to the next.
    pub pause_micros: i64,
    /// How many are tried before the others follow.
    pub tried_first: i64,
    /// The part that may be dead again.
    pub failure_ratio_max: f64,
    /// How many letters were selected.
    pub selected: i64,
    /// Of these: not begun.
    pub waiting: i64,
    /// Their step is under way.
    pub running: i64,
    /// Their step went well.
    pub succeeded: i64,
    /// Their step gave up once more.
    pub dead_again: i64,
    /// Decided by somebody else, overtaken, or never begun.
    pub skipped: i64,
    /// Why it stopped before its end.
    pub ended_because: Option<String>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When anything last happened.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// One letter of a replay.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct ReplayedLetter {
    /// The letter.
    pub letter_id: Uuid,
    /// Its saga; once it has begun again as a new one, that.
    pub saga_id: Uuid,
    /// Its place, from 1.
    pub position: i64,
    /// `waiting`, `running`, `succeeded`, `dead_again` or `skipped`.
    pub state: String,
    /// When it was replayed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was known how that ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What a replay would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Letters that it would take, by the step that would run again.
    pub steps: Vec<(String, i64)>,
    /// Finished steps of their sagas, which do not run again.
    pub steps_kept: i64,
    /// Stored answers to paid calls of the steps that run again, which are not paid for again.
    pub answers_kept: i64,
    /// What is known of the money that is spent once more by that, in millionths of a dollar.
    pub again_micros: i64,
    /// What is known of the money that is saved, since what it paid for is kept.
    pub saved_micros: i64,
}

/// What a person may want of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayVerb {
    /// Begin nothing until it is resumed.
    Pause,
    /// Go on.
    Resume,
    /// Begin nothing any more.
    Stop,
}

// The letters of `LetterFilter`, as far as they can be replayed and no other replay has them.
macro_rules! chosen {
    () => {
        " FROM letters
         WHERE state = 'open' AND saga_id IS NOT NULL
           AND ($1 IS NULL OR kind = $1) AND ($2 IS NULL OR saga_id = $2) AND ($3 IS NULL OR step = $3)
           AND ($4 IS NULL OR queue = $4) AND ($5 IS NULL OR class = $5) AND ($6 IS NULL OR fingerprint = $6)
           AND NOT EXISTS (SELECT 1 FROM replay_letters other WHERE other.letter_id = letters.id AND other.state = 'waiting')
         ORDER BY created_at, id LIMIT $7"
    };
}
// One statement, so that what comes later is not part of it. Who is a moment later than another replay
// of the same letters gets those that it left.
const FREEZE: &str = concat!(
    "-- replays.freeze
    INSERT INTO replay_letters (replay_id, letter_id, saga_id, step_key, position, state)
    SELECT $8, chosen.id, chosen.saga_id, chosen.step_key, chosen.position, 'waiting'
      FROM (SELECT id, saga_id, step_key, row_number() OVER (ORDER BY created_at, id) AS position",
    chosen!(),
    ") AS chosen WHERE TRUE ON CONFLICT DO NOTHING"
);
const PREVIEW_STEPS: &str = concat!(
    "-- replays.preview_steps
    SELECT step, count(*) FROM (SELECT id, step",
    chosen!(),
    ") AS chosen GROUP BY step ORDER BY 2 DESC, step"
);
const PREVIEW_KEPT: &str = concat!(
    "-- replays.preview_kept
    SELECT count(*) FROM steps
     WHERE role = 'work' AND state = 'done' AND saga_id IN (SELECT saga_id FROM (SELECT saga_id",
    chosen!(),
    ") AS chosen)"
);
const PREVIEW_ANSWERS: &str = concat!(
    "-- replays.preview_answers
    SELECT count(*) FROM effects e JOIN (SELECT saga_id, step_key",
    chosen!(),
    ") AS chosen ON e.saga_id = chosen.saga_id AND e.step_key = chosen.step_key WHERE e.state = 'answered'"
);
// Of the sagas' paid calls the last round of each: what was answered is kept, unless all begins again.
const PREVIEW_MONEY: &str = concat!(
    "-- replays.preview_money
    SELECT CAST(COALESCE(SUM(CASE WHEN e.state = 'answered' AND NOT $8 THEN 0 ELSE c.cost_micros END), 0) AS BIGINT),
           CAST(COALESCE(SUM(CASE WHEN e.state = 'answered' AND NOT $8 THEN c.cost_micros ELSE 0 END), 0) AS BIGINT)
      FROM effects e
      JOIN charges c ON c.saga_id = e.saga_id AND c.step_key = e.step_key AND c.name = e.name AND c.round = e.round
     WHERE NOT EXISTS (SELECT 1 FROM effects later WHERE later.saga_id = e.saga_id AND later.step_key = e.step_key
                          AND later.name = e.name AND later.round > e.round)
       AND e.saga_id IN (SELECT saga_id FROM (SELECT saga_id",
    chosen!(),
    ") AS chosen)"
);
const INSERT: &str = "-- replays.insert
    INSERT INTO replays (id, state, selection, reason, started_by, pause_micros, tried_first, failure_ratio_max, selected,
                         waiting, running, succeeded, dead_again, skipped, next_at, turn_at, created_at, updated_at,
                         from_start)
    VALUES ($1, 'running', $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0, $8, $8, $8, $8, $9)";
const SELECTED: &str = "-- replays.selected
    UPDATE replays SET selected = $2, waiting = $2 WHERE id = $1";
macro_rules! columns {
    () => {
        "id, state, selection, reason, started_by, from_start, pause_micros, tried_first, failure_ratio_max, selected, waiting, running, \
         succeeded, dead_again, skipped, ended_because, created_at, updated_at, finished_at"
    };
}
const FIND: &str = concat!(
    "-- replays.find\n SELECT ",
    columns!(),
    " FROM replays WHERE id = $1"
);
const LIST: &str = concat!(
    "-- replays.list\n SELECT ",
    columns!(),
    " FROM replays WHERE $1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2"
);
const LETTERS: &str = "-- replays.letters
    SELECT letter_id, saga_id, position, state, started_at, finished_at FROM replay_letters
     WHERE replay_id = $1 AND ($2 IS NULL OR state = $2) AND position > $3 ORDER BY position LIMIT $4";
const PAUSE: &str = "-- replays.pause
    UPDATE replays SET state = 'paused', updated_at = $2 WHERE id = $1 AND state = 'running'";
const RESUME: &str = "-- replays.resume
    UPDATE replays SET state = 'running', turn_at = $2, updated_at = $2 WHERE id = $1 AND state = 'paused'";
const STOP: &str = "-- replays.stop
    UPDATE replays SET state = 'stopping', ended_because = $3, skipped = skipped + waiting, waiting = 0, turn_at = $2,
           updated_at = $2
     WHERE id = $1 AND state IN ('running', 'paused')";
const SKIP_REST: &str = "-- replays.skip_rest
    UPDATE replay_letters SET state = 'skipped', finished_at = $2 WHERE replay_id = $1 AND state = 'waiting'";

impl Store {
    /// Begins a replay in the caller's transaction. With no letters it ends at its first turn.
    pub async fn begin_replay(&self, tx: &mut Tx, new: &NewReplay) -> sqlx::Result<Replay> {
        let now = tx.now().await?;
        let pause = TimeDelta::from_std(new.pause).unwrap_or(TimeDelta::MAX);
        tx.query(INSERT)
            .bind(new.id)
            .bind(text(&new.selection))
            .bind(new.reason.clone())
            .bind(new.by.clone())
            .bind(pause.num_microseconds().unwrap_or(i64::MAX).max(1))
            .bind(new.tried_first)
            .bind(new.failure_ratio_max)
            .bind(now)
            .bind(new.from_start)
            .execute()
            .await?;
        let freeze = chosen(tx.query(FREEZE), &new.select, new.limit).bind(new.id);
        let selected = i64::try_from(freeze.execute().await?).unwrap_or(i64::MAX);
        tx.query(SELECTED)
            .bind(new.id)
            .bind(selected)
            .execute()
            .await?;
        let mut detail = new.selection.clone();
        detail["selected"] = selected.into();
        detail["from_start"] = new.from_start.into();
        write_down(tx, "replay.start", new.id, (&new.by, &new.reason), detail).await?;
        tx.query(FIND).bind(new.id).one().await
    }

    /// What a replay of these letters would do, without doing it.
    pub async fn preview_replay(
        &self,
        select: &LetterFilter,
        limit: i64,
        from_start: bool,
    ) -> sqlx::Result<Preview> {
        let counted = |sql: &'static str| chosen(self.db.query(sql), select, limit);
        let money = counted(PREVIEW_MONEY).bind(from_start);
        let (again_micros, saved_micros) = money.one().await?;
        let (steps_kept, answers_kept) = if from_start {
            (0, 0)
        } else {
            let steps = counted(PREVIEW_KEPT).scalar().await?;
            (steps, counted(PREVIEW_ANSWERS).scalar().await?)
        };
        Ok(Preview {
            steps: counted(PREVIEW_STEPS).all().await?,
            steps_kept,
            answers_kept,
            again_micros,
            saved_micros,
        })
    }

    /// One replay.
    pub async fn replay_of_many(&self, id: Uuid) -> sqlx::Result<Option<Replay>> {
        self.db.query(FIND).bind(id).optional().await
    }

    /// Replays, newest first, older than `before`.
    pub async fn replays(&self, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Replay>> {
        self.db.query(LIST).bind(before).bind(limit).all().await
    }

    /// The letters of a replay after this place, in their order.
    pub async fn replayed_letters(
        &self,
        id: Uuid,
        state: Option<&str>,
        after: i64,
        limit: i64,
    ) -> sqlx::Result<Vec<ReplayedLetter>> {
        self.db
            .query(LETTERS)
            .bind(id)
            .bind(state.map(str::to_owned))
            .bind(after)
            .bind(limit)
            .all()
            .await
    }

    /// Pauses, resumes or stops a replay; false when it is not in a state for that.
    pub async fn steer_replay(
        &self,
        id: Uuid,
        verb: ReplayVerb,
        by: &str,
        reason: &str,
    ) -> sqlx::Result<bool> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let (steered, name) = match verb {
            ReplayVerb::Pause => {
                let paused = tx.query(PAUSE).bind(id).bind(now).execute().await?;
                (paused, "replay.pause")
            }
            ReplayVerb::Resume => {
                let resumed = tx.query(RESUME).bind(id).bind(now).execute().await?;
                (resumed, "replay.resume")
            }
            ReplayVerb::Stop => {
                let colon = if reason.is_empty() { "" } else { ": " };
                let why = format!("stopped by {by}{colon}{reason}");
                (stop(&mut tx, id, why, now).await?, "replay.stop")
            }
        };
        if steered == 1 {
            write_down(&mut tx, name, id, (by, reason), json!({})).await?;
        }
        tx.commit().await?;
        Ok(steered == 1)
    }
}

/// Lets a replay begin nothing any more; what is under way is watched to its end.
async fn stop(tx: &mut Tx, id: Uuid, why: String, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let stopped = tx
        .query(STOP)
        .bind(id)
        .bind(now)
        .bind(why)
        .execute()
        .await?;
    if stopped == 1 {
        tx.query(SKIP_REST).bind(id).bind(now).execute().await?;
    }
    Ok(stopped)
}

async fn write_down(
    tx: &mut Tx,
    verb: &'static str,
    replay: Uuid,
    (by, reason): (&str, &str),
    detail: Value,
) -> sqlx::Result<()> {
    let entry = Entry {
        actor: by,
        verb,
        target_kind: "replay",
        target_id: replay.to_string(),
        reason,
        detail,
    };
    audit::write(tx, &entry).await
}

fn chosen<'e>(query: Query<'e>, select: &LetterFilter, limit: i64) -> Query<'e> {
    query
        .bind(select.kind.clone())
        .bind(select.saga_id)
        .bind(select.step.clone())
        .bind(select.queue.clone())
        .bind(select.class.clone())
        .bind(select.fingerprint.clone())
        .bind(limit)
}
