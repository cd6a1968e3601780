//! `/admin/sagas`: finds sagas, and cancels them, for those who run the fleet.

use super::saga_verbs::why;
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{Code, Problem};
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::journal::Failure;
use saga_core::run::{Consequence, Ending, Refused, Run, SagaRow};
use saga_core::state::SagaState;
use saga_core::store::{Cancel, ControlError, Place, SagaFilter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Of this kind.
    kind: Option<String>,
    /// In this state, or `live`: not ended.
    state: Option<String>,
    /// Of this account.
    owner: Option<Uuid>,
    /// Begun longer ago than this, such as `90s`, `10m`, `2h` or `7d`.
    #[param(pattern = "^[0-9]+[smhd]$")]
    older_than: Option<String>,
    /// Begun by this request; `correlation_id` means the same.
    #[serde(alias = "correlation_id")]
    request_id: Option<String>,
    /// Whose error holds this text.
    text: Option<String>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A saga, as it is listed: nothing of what it was given or made.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Saga)]
pub(crate) struct Item {
    id: Uuid,
    kind: String,
    state: &'static str,
    ending: Option<&'static str>,
    phase: Option<String>,
    degraded: bool,
    owner: Option<Uuid>,
    request_id: String,
    error: Option<Failure>,
    replay_of: Option<Uuid>,
    parked_until: Option<DateTime<Utc>>,
    deadline_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    links: Links,
}

impl From<SagaRow> for Item {
    fn from(saga: SagaRow) -> Self {
        let this = format!("/api/v1/admin/sagas/{}", saga.id);
        let paused = saga.state == SagaState::Paused;
        let verb = if paused { "resume" } else { "pause" };
        let links = Links::from([
            ("events", format!("{this}/events")),
            ("cancel", format!("{this}/cancel")),
            (verb, format!("{this}/{verb}")),
            ("retry_step", format!("{this}/retry-step")),
            ("skip_step", format!("{this}/skip-step")),
            ("job", format!("/api/v1/jobs/{}", saga.id)),
            ("self", this),
        ]);
        Self {
            id: saga.id,
            kind: saga.kind,
            state: saga.state.as_str(),
            ending: saga.ending.map(Ending::as_str),
            phase: saga.phase,
            degraded: saga.degraded,
            owner: saga.owner_id,
            request_id: saga.request_id,
            error: saga.error,
            replay_of: saga.replay_of,
            parked_until: saga.parked_until,
            deadline_at: saga.deadline_at,
            created_at: saga.created_at,
            started_at: saga.started_at,
            updated_at: saga.updated_at,
            finished_at: saga.finished_at,
            links,
        }
    }
}

/// Lists sagas, newest first. A page may be short, or empty, and still have a next one: a search
/// looks through so many sagas at a time.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Item>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let before: Option<Place> = page::read(filter.cursor.as_deref())?;
    let (wanted, live) = in_state(filter.state.as_deref())?;
    let wanted = SagaFilter {
        kind: filter.kind,
        state: wanted,
        live,
        owner_id: filter.owner,
        older_than: filter.older_than.as_deref().map(age).transpose()?,
        request_id: filter.request_id,
        text: filter.text.filter(|text| !text.is_empty()),
        before,
        limit,
    };
    let found = state.store().search(&wanted).await?;
    let items = found.sagas.into_iter().map(Item::from).collect();
    Ok(axum::Json(Page::new(items, found.next.as_ref())))
}

/// A state, or every state in which a saga has not ended.
fn in_state(word: Option<&str>) -> Result<(Option<SagaState>, bool), Problem> {
    let named = |word: &str| {
        let mut all = SagaState::ALL.into_iter();
        all.find(|state| state.as_str() == word)
    };
    match word.map(|word| (word, named(word))) {
        None => Ok((None, false)),
        Some(("live", _)) => Ok((None, true)),
        Some((_, Some(state))) => Ok((Some(state), false)),
        Some((_, None)) => {
            let words = SagaState::ALL.map(SagaState::as_str).join(", ");
            let how = format!("state: ask for live (not ended), or for one of {words}.");
            Err(Problem::new(Code::BadParameter, how))
        }
    }
}

/// A number and its unit: `90s`, `10m`, `2h`, `7d`.
fn age(text: &str) -> Result<TimeDelta, Problem> {
    let split = text.char_indices().next_back();
    let read = split.and_then(|(at, unit)| {
        let number: i64 = text[..at].parse().ok().filter(|number| *number >= 0)?;
        match unit {
            's' => TimeDelta::try_seconds(number),
            'm' => TimeDelta::try_minutes(number),
            'h' => TimeDelta::try_hours(number),
            'd' => TimeDelta::try_days(number),
            _ => None,
        }
    });
    read.ok_or_else(|| {
        let how = "older_than: a number and a unit, such as 90s, 10m, 2h or 7d.";
        Problem::new(Code::BadParameter, how)
    })
}

/// That a saga ends, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SagaEnd)]
pub(crate) struct End {
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Only tells what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// What a cancellation would come to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SagaEndForeseen)]
pub(crate) struct Foreseen {
    id: Uuid,
    dry_run: bool,
    consequence: Consequence,
}

/// A saga that is being cancelled.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SagaCanceling)]
pub(crate) struct Canceling {
    id: Uuid,
    state: &'static str,
    reason: String,
    links: Links,
}

/// Turns a saga round, whoever's it is: what was done is taken back.
pub(crate) async fn cancel(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<End>,
) -> Result<Response, Problem> {
    let how = "Say why: it is somebody else's work that ends.";
    let reason = why(value.reason.as_deref(), value.note.as_deref(), how)?;
    if value.dry_run {
        let consequence = state.store().foresee_cancel(id).await.map_err(refused)?;
        let foreseen = Foreseen {
            id,
            dry_run: true,
            consequence,
        };
        return Ok(axum::Json(foreseen).into_response());
    }
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    if let Some(earlier) = command.earlier(&state).await? {
        return Ok(earlier.into_response());
    }
    let cancel = Cancel {
        by: "an operator",
        actor: &caller.signature(),
        reason: &reason,
    };
    let now = match state.store().cancel(id, &cancel).await {
        Ok((now, tickets)) => {
            saga_core::fault::point("api.committed", "");
            state.client().publish(tickets);
            now
        }
        Err(ControlError::Refused(Refused::Finished)) => {
            // With a key it may have been this very command, whose answer was lost.
            let ended = state.store().view(&[id]).await?.remove(&id);
            let canceled = |run: &Run| run.saga.ending == Some(Ending::Canceled);
            let ended = ended.filter(|run| command.has_key() && canceled(run));
            let finished = || refused(Refused::Finished.into());
            ended.ok_or_else(finished)?.saga.state
        }
        Err(error) => return Err(refused(error)),
    };
    // What is told of the job from here on is not older than the decision.
    drop(state.jobs().fresh(id).await?);
    let link = format!("/api/v1/admin/sagas/{id}");
    let ending = Canceling {
        id,
        state: now.as_str(),
        reason,
        links: Links::from([("self", link.clone())]),
    };
    let given = Given::telling(StatusCode::ACCEPTED, &ending)?.at(link);
    command.keep_after(&state, &given).await?;
    Ok(given.into_response())
}

fn refused(error: ControlError) -> Problem {
    match error {
        ControlError::NotFound => Problem::no_job("saga"),
        ControlError::Store(error) => error.into(),
        ControlError::Refused(Refused::Finished) => {
            let how = "The saga has ended; there is nothing to cancel.";
            Problem::new(Code::JobFinished, how)
        }
        ControlError::Refused(Refused::Pivoted) => {
            let how = "The saga is past its point of no return and can only go forward.";
            Problem::new(Code::StateConflict, how)
        }
        error @ (ControlError::Refused(Refused::NotOpen) | ControlError::Start(_)) => {
            Problem::internal(&error)
        }
    }
}
