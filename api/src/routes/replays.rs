//! `/admin/replays`: many dead letters replayed as one operation, which can be watched, paused and stopped.

use super::new_replay::{Begin, GoOn, Select};
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::Problem;
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use saga_core::prices::dollars;
use saga_core::store::{Preview, Replay, ReplayedLetter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A replay, as it is told.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Replay)]
pub(crate) struct Told {
    id: Uuid,
    object: &'static str,
    status: String,
    done: bool,
    selected: i64,
    counts: Counts,
    /// As it was asked for.
    #[schema(value_type = Select)]
    select: Value,
    from: GoOn,
    rate_per_s: f64,
    canary: i64,
    stop_if_failure_ratio: f64,
    reason: String,
    started_by: String,
    ended_because: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    links: Links,
}

/// Its letters, by what became of them.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReplayCounts)]
struct Counts {
    waiting: i64,
    running: i64,
    succeeded: i64,
    dead_again: i64,
    skipped: i64,
}

impl From<Replay> for Told {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a pause is at most a hundred seconds"
    )]
    fn from(replay: Replay) -> Self {
        let this = format!("/api/v1/admin/replays/{}", replay.id);
        let verb = |verb: &str| format!("{this}/{verb}");
        let links = Links::from([
            ("letters", verb("letters")),
            ("pause", verb("pause")),
            ("resume", verb("resume")),
            ("stop", verb("stop")),
            ("self", this.clone()),
        ]);
        Self {
            id: replay.id,
            object: "replay",
            status: replay.state,
            done: replay.finished_at.is_some(),
            selected: replay.selected,
            counts: Counts {
                waiting: replay.waiting,
                running: replay.running,
                succeeded: replay.succeeded,
                dead_again: replay.dead_again,
                skipped: replay.skipped,
            },
            select: serde_json::from_str(&replay.selection).unwrap_or_default(),
            from: if replay.from_start {
                GoOn::Start
            } else {
                GoOn::FailedStep
            },
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
        let store = state.store();
        let preview = store.preview_replay(&new.select, new.limit, new.from_start);
        let preview = preview.await?;
        return Ok(axum::Json(Previewed::from(preview)).into_response());
    }
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let replay = state.store().begin_replay(&mut tx, &new).await?;
    let link = format!("/api/v1/admin/replays/{}", new.id);
    let given = Given::telling(StatusCode::ACCEPTED, &Told::from(replay))?.at(link);
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}

/// What a replay would do.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReplayPreview)]
pub(crate) struct Previewed {
    object: &'static str,
    dry_run: bool,
    selected: i64,
    runs_again: Vec<StepLetters>,
    /// Finished steps that keep their answers.
    steps_kept: i64,
    /// Paid answers that are used again.
    paid_answers_kept: i64,
    /// What the paid calls cost that are made again, in dollars.
    spends_again_usd: String,
    /// What those cost that are not, in dollars.
    saves_usd: String,
}

/// How many letters a step has.
#[derive(Serialize, utoipa::ToSchema)]
struct StepLetters {
    step: String,
    letters: i64,
}

impl From<Preview> for Previewed {
    fn from(preview: Preview) -> Self {
        let steps = preview.steps.into_iter();
        let runs_again: Vec<StepLetters> = steps
            .map(|(step, letters)| StepLetters { step, letters })
            .collect();
        Self {
            object: "replay_preview",
            dry_run: true,
            selected: runs_again.iter().map(|step| step.letters).sum(),
            runs_again,
            steps_kept: preview.steps_kept,
            paid_answers_kept: preview.answers_kept,
            spends_again_usd: dollars(preview.again_micros),
            saves_usd: dollars(preview.saved_micros),
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Pages {
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
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
    let found = state.store().replays(before, limit + 1).await?;
    let found = found.into_iter().map(Told::from).collect();
    Ok(axum::Json(Page::cut(found, limit, |told: &Told| told.id)))
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

#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReplayedState)]
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

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// That became this.
    #[param(inline)]
    state: Option<LetterState>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
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
    let found = state
        .store()
        .replayed_letters(id, wanted, after.unwrap_or(0), limit + 1)
        .await?;
    let place = |letter: &ReplayedLetter| letter.position;
    Ok(axum::Json(Page::cut(found, limit, place)))
}
