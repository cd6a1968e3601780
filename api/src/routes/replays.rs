//! `/admin/replays`: many dead letters replayed as one operation, which can be watched, paused and stopped.

use super::dead_letters::words;
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{FieldProblem, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use saga_core::store::{LetterFilter, NewReplay, Preview, Replay, ReplayedLetter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const LIMIT_DEFAULT: i64 = 1_000;
const LIMIT_MAX: i64 = 10_000;
const RATE_DEFAULT: f64 = 2.0;
const RATE_MIN: f64 = 0.01;
const RATE_MAX: f64 = 100.0;
const CANARY_DEFAULT: i64 = 1;
const CANARY_MAX: i64 = 100;
const RATIO_DEFAULT: f64 = 0.5;

/// Which letters: those that fit everything that is said.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Select {
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<Uuid>,
    /// Every open letter: has to be said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all: bool,
}

impl Select {
    fn filter(&self) -> LetterFilter {
        LetterFilter {
            kind: self.kind.clone(),
            step: self.step.clone(),
            queue: self.queue.clone(),
            class: self.class.clone(),
            fingerprint: self.group.clone(),
            saga_id: self.job,
            ..LetterFilter::default()
        }
    }

    fn says_nothing(&self) -> bool {
        let words = [
            &self.group,
            &self.kind,
            &self.step,
            &self.queue,
            &self.class,
        ];
        words.iter().all(|word| word.is_none()) && self.job.is_none()
    }
}

/// Where the sagas go on.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum From {
    /// At the step that failed: finished steps and paid calls are kept.
    FailedStep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Begin {
    select: Select,
    #[expect(
        dead_code,
        reason = "there is one place to go on from; others are refused by name"
    )]
    from: Option<From>,
    limit: Option<i64>,
    rate_per_s: Option<f64>,
    canary: Option<i64>,
    stop_if_failure_ratio: Option<f64>,
    reason: Option<String>,
    note: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

impl Begin {
    fn checked(&self, by: String) -> Result<NewReplay, Problem> {
        let mut wrong = vec![];
        let mut within = |pointer: &str, fits: bool, how: String| {
            if !fits {
                wrong.push(FieldProblem {
                    pointer: pointer.to_owned(),
                    code: "out_of_range".into(),
                    detail: how,
                });
            }
        };
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        let fits = (1..=LIMIT_MAX).contains(&limit);
        within("/limit", fits, format!("Take 1 to {LIMIT_MAX} letters."));
        let rate = self.rate_per_s.unwrap_or(RATE_DEFAULT);
        let how = format!("Replay {RATE_MIN} to {RATE_MAX} letters a second.");
        within("/rate_per_s", (RATE_MIN..=RATE_MAX).contains(&rate), how);
        let canary = self.canary.unwrap_or(CANARY_DEFAULT);
        let how = format!("Try 0 to {CANARY_MAX} letters first.");
        within("/canary", (0..=CANARY_MAX).contains(&canary), how);
        let ratio = self.stop_if_failure_ratio.unwrap_or(RATIO_DEFAULT);
        let how = "Say a part between 0 and 1.".to_owned();
        within("/stop_if_failure_ratio", (0.0..=1.0).contains(&ratio), how);
        if self.select.says_nothing() != self.select.all {
            wrong.push(FieldProblem {
                pointer: "/select".to_owned(),
                code: "ambiguous".into(),
                detail: "Say which letters (group, kind, step, queue, class, job), or {\"all\": true} and nothing else."
                    .to_owned(),
            });
        }
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        Ok(NewReplay {
            id: Uuid::now_v7(),
            select: self.select.filter(),
            selection: json!(self.select),
            limit,
            pause: Duration::from_secs_f64(1.0 / rate),
            tried_first: canary,
            failure_ratio_max: ratio,
            by,
            reason: words(self.reason.as_deref(), self.note.as_deref())?,
        })
    }
}

/// A replay, as it is told.
#[derive(Serialize)]
pub(crate) struct Told {
    id: Uuid,
    object: &'static str,
    status: String,
    done: bool,
    selected: i64,
    counts: Value,
    select: Value,
    rate_per_s: f64,
    canary: i64,
    stop_if_failure_ratio: f64,
    reason: String,
    started_by: String,
    ended_because: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    links: Value,
}

impl std::convert::From<Replay> for Told {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a pause is at most a hundred seconds"
    )]
    fn from(replay: Replay) -> Self {
        let this = format!("/api/v1/admin/replays/{}", replay.id);
        let verb = |verb: &str| format!("{this}/{verb}");
        let links = json!({"self": this, "letters": verb("letters"), "pause": verb("pause"), "resume": verb("resume"),
            "stop": verb("stop")});
        Self {
            id: replay.id,
            object: "replay",
            status: replay.state,
            done: replay.finished_at.is_some(),
            selected: replay.selected,
            counts: json!({"waiting": replay.waiting, "running": replay.running, "succeeded": replay.succeeded,
                "dead_again": replay.dead_again, "skipped": replay.skipped}),
            select: serde_json::from_str(&replay.selection).unwrap_or_default(),
            rate_per_s: 1e6 / replay.pause_micros as f64,
            canary: replay.tried_first,
            stop_if_failure_ratio: replay.failure_ratio_max,
            reason: replay.reason,
            started_by: replay.started_by,
            ended_because: replay.ended_because,
            created_at: replay.created_at,
            updated_at: replay.updated_at,
            finished_at: replay.finished_at,
            links,
        }
    }
}

/// Begins a replay, or tells what it would do.
pub(crate) async fn begin(
    caller: Staff,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Begin>,
) -> Result<Response, Problem> {
    let new = value.checked(caller.signature())?;
    if value.dry_run {
        let preview = state.store().preview_replay(&new.select, new.limit).await?;
        return Ok(axum::Json(previewed(&preview)).into_response());
    }
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let replay = state.store().begin_replay(&mut tx, &new).await?;
    let body =
        serde_json::to_value(Told::from(replay)).map_err(|error| Problem::internal(&error))?;
    let link = format!("/api/v1/admin/replays/{}", new.id);
    let given = Given::new(StatusCode::ACCEPTED, body).at(link);
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}

fn previewed(preview: &Preview) -> Value {
    let steps: Vec<Value> = preview
        .steps
        .iter()
        .map(|(step, letters)| json!({"step": step, "letters": letters}))
        .collect();
    let selected: i64 = preview.steps.iter().map(|(_, letters)| letters).sum();
    json!({"object": "replay_preview", "dry_run": true, "selected": selected, "runs_again": steps,
        "steps_kept": preview.steps_kept, "paid_answers_kept": preview.answers_kept})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pages {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists replays, newest first.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(pages): Params<Pages>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(pages.limit)?;
    let before: Option<Uuid> = page::read(pages.cursor.as_deref())?;
    let mut found = state.store().replays(before, limit + 1).await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > kept;
    found.truncate(kept);
    let items: Vec<Told> = found.into_iter().map(Told::from).collect();
    let next = items.last().map(|last| last.id).filter(|_| more);
    Ok(axum::Json(Page::new(items, next.as_ref())))
}

/// Tells how a replay is.
pub(crate) async fn show(
    _: Staff,
    Id(id): Id,
    In(state): In<State>,
) -> Result<axum::Json<Told>, Problem> {
    Ok(axum::Json(found(&state, id).await?.into()))
}

pub(super) async fn found(state: &State, id: Uuid) -> Result<Replay, Problem> {
    let replay = state.store().replay_of_many(id).await?;
    replay.ok_or_else(|| Problem::not_found("replay"))
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LetterState {
    Waiting,
    Running,
    Succeeded,
    DeadAgain,
    Skipped,
}

impl LetterState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::DeadAgain => "dead_again",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    state: Option<LetterState>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists the letters of a replay, in their order.
pub(crate) async fn letters(
    _: Staff,
    Id(id): Id,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<ReplayedLetter>>, Problem> {
    found(&state, id).await?;
    let limit = page::limit(filter.limit)?;
    let after: Option<i64> = page::read(filter.cursor.as_deref())?;
    let wanted = filter.state.map(LetterState::as_str);
    let mut items = state
        .store()
        .replayed_letters(id, wanted, after.unwrap_or(0), limit + 1)
        .await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = items.len() > kept;
    items.truncate(kept);
    let next = items.last().map(|last| last.position).filter(|_| more);
    Ok(axum::Json(Page::new(items, next.as_ref())))
}
