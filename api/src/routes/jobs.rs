//! `/jobs`: what becomes of accepted commands.

use crate::asked::Asked;
use crate::auth::Signed;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::jobs::{Job, Seen, Status, answer};
use crate::page::{self, LIMIT_MAX, Page};
use crate::params::{Id, Params};
use crate::prefer::Wait;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use saga_core::run::{Refused, SagaRow};
use saga_core::store::{Cancel, ControlError, NewSaga};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// Most pages of the store that one filtered page is made of.
const READS_MAX: usize = 10;

/// A job to start.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewJob {
    /// A `demo.*` kind; every other kind has a route of its own.
    kind: String,
    /// What the kind takes: `{}` unless said otherwise.
    #[serde(default = "nothing")]
    input: Value,
}

fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

/// Kinds without a route of their own; the crash suite's are in no release.
fn is_open(state: &State, kind: &str) -> bool {
    let drill = cfg!(feature = "faults") && kind.starts_with("drill.");
    state.settings().demo_kinds && (kind.starts_with("demo.") || drill)
}

/// Starts a job of a `demo.*` kind.
pub(crate) async fn create(
    caller: Signed,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<NewJob>,
) -> Result<Response, Problem> {
    if !is_open(&state, &value.kind) {
        let how = "Only demo.* kinds can be started here, where they are switched on; every other kind has a route.";
        return Err(Problem::field("/kind", "unknown_kind", how));
    }
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let new = NewSaga {
        id: Uuid::now_v7(),
        kind: value.kind,
        input: value.input,
        owner_id: Some(caller.account()),
        request_id: asked.request_id,
        trace: saga_core::trace::current(),
        singleton: None,
        replay_of: None,
    };
    if command.has_key() {
        return create_once(&state, &command, new, asked.wait).await;
    }
    let started = state.client().start(new.clone()).await?;
    saga_core::fault::point("api.committed", "");
    let seen = state.jobs().accepted(new, started.at);
    Ok(told(&state, seen, asked.wait).await)
}

async fn create_once(
    state: &State,
    command: &Command,
    new: NewSaga,
    wait: Option<Wait>,
) -> Result<Response, Problem> {
    state.store().check(&new)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        drop(tx);
        return replayed(state, &earlier, wait).await;
    }
    let (started, tickets) = state.client().start_in(&mut tx, new.clone()).await?;
    command.keep(&mut tx, &Given::of_job(started.id)).await?;
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    state.client().publish(tickets);
    let seen = state.jobs().accepted(new, started.at);
    Ok(told(state, seen, wait).await)
}

async fn told(state: &State, seen: Arc<Seen>, wait: Option<Wait>) -> Response {
    let seen = match wait {
        Some(wait) => state.jobs().wait(seen, wait).await,
        None => seen,
    };
    answer::to_command(&seen, wait)
}

/// The answer of before: the same job, as it is now.
async fn replayed(state: &State, earlier: &Given, wait: Option<Wait>) -> Result<Response, Problem> {
    let Some(job) = earlier.job else {
        return Ok(earlier.clone().into_response());
    };
    let seen = state
        .jobs()
        .fresh(job)
        .await?
        .ok_or_else(|| Problem::no_job("job"))?;
    Ok(earlier.mark(told(state, seen, wait).await))
}

/// A job that the caller may see.
pub(super) async fn visible(
    state: &State,
    caller: &Signed,
    id: Uuid,
) -> Result<Arc<Seen>, Problem> {
    let seen = state.jobs().get(id).await?;
    seen.filter(|seen| caller.may_see(seen.owner))
        .ok_or_else(|| Problem::no_job("job"))
}

/// Tells how a job is; waits for its end as long as the caller would.
pub(crate) async fn show(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut seen = visible(&state, &caller, id).await?;
    let wait = Wait::of(&headers);
    if let Some(wait) = wait {
        seen = state.jobs().wait(seen, wait).await;
    }
    Ok(answer::to_question(&seen, &headers, wait))
}

/// Turns a job round: what was done is taken back.
pub(crate) async fn cancel(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { bytes, .. }: Json<Nothing>,
) -> Result<Response, Problem> {
    let seen = visible(&state, &caller, id).await?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    if let Some(earlier) = command.earlier(&state).await? {
        return replayed(&state, &earlier, asked.wait).await;
    }
    let by = if seen.owner == Some(caller.account()) {
        "its owner".to_owned()
    } else {
        caller.signature()
    };
    let cancel = Cancel {
        by: &by,
        actor: &by, // an owner's address is nobody's business years later
        reason: "",
    };
    match state.store().cancel(id, &cancel).await {
        Ok((_, tickets)) => {
            saga_core::fault::point("api.committed", "");
            state.client().publish(tickets);
        }
        Err(ControlError::Refused(Refused::Finished)) => {}
        Err(ControlError::Refused(Refused::Pivoted)) => {
            let how =
                "The job is past its point of no return and can only go forward; wait for its end.";
            return Err(Problem::new(Code::StateConflict, how));
        }
        Err(ControlError::Store(error)) => return Err(error.into()),
        Err(ControlError::NotFound) => return Err(Problem::no_job("job")),
        Err(error @ (ControlError::Refused(Refused::NotOpen) | ControlError::Start(_))) => {
            return Err(Problem::internal(&error));
        }
    }
    let seen = state
        .jobs()
        .fresh(id)
        .await?
        .ok_or_else(|| Problem::no_job("job"))?;
    if seen.done && seen.status != Status::Canceled {
        return Err(Problem::new(
            Code::JobFinished,
            "The job has ended; there is nothing to cancel.",
        ));
    }
    command.keep_after(&state, &Given::of_job(id)).await?;
    Ok(told(&state, seen, asked.wait).await)
}

/// A command that says everything by its address.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Of this kind.
    kind: Option<String>,
    /// That are there.
    #[param(inline)]
    status: Option<Status>,
    /// Accepted later than this.
    created_after: Option<DateTime<Utc>>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Lists the caller's jobs, newest first.
pub(crate) async fn list(
    caller: Signed,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Job>>, Problem> {
    let limit = usize::try_from(page::limit(filter.limit)?).unwrap_or_default();
    let mut before: Option<Uuid> = page::read(filter.cursor.as_deref())?;
    let mut found: Vec<Uuid> = vec![];
    let mut more = false;
    'pages: for read in 0..READS_MAX {
        let kind = filter.kind.as_deref();
        let rows = state
            .store()
            .of_owner(caller.account(), kind, None, before, LIMIT_MAX + 1)
            .await?;
        more = i64::try_from(rows.len()).is_ok_and(|rows| rows > LIMIT_MAX);
        let page = rows.len() - usize::from(more);
        for row in rows.iter().take(page) {
            if found.len() == limit {
                more = true;
                break 'pages;
            }
            before = Some(row.id);
            if fits(row, &filter) {
                found.push(row.id);
            }
        }
        if !more || read + 1 == READS_MAX {
            break;
        }
    }
    let mut jobs = state.jobs().envelopes(&found).await?;
    let items = found.iter().filter_map(|id| jobs.remove(id)).collect();
    Ok(axum::Json(Page::new(
        items,
        before.filter(|_| more).as_ref(),
    )))
}

fn fits(row: &SagaRow, filter: &Filter) -> bool {
    filter.status.is_none_or(|status| Status::of(row) == status)
        && filter
            .created_after
            .is_none_or(|after| row.created_at > after)
}
