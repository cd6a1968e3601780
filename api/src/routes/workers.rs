//! `/admin/workers`: who works, and how one is asked to leave.

use super::dead_letters::Decision;
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::Page;
use crate::params::Name;
use crate::problem::{Code, Problem};
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use saga_core::db::Db;
use saga_core::store::{DrainError, WorkerRow, WorkerState};
use serde::Serialize;

/// A worker, as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Worker)]
pub(crate) struct Item {
    id: String,
    host: String,
    version: String,
    state: WorkerState,
    draining: bool,
    queues: Vec<String>,
    slots: u64,
    busy: u64,
    done_per_minute: u64,
    started_at: DateTime<Utc>,
    seen_at: DateTime<Utc>,
    drain_by: Option<String>,
    drain_at: Option<DateTime<Utc>>,
    links: Links,
}

impl From<WorkerRow> for Item {
    fn from(worker: WorkerRow) -> Self {
        let this = format!("/api/v1/admin/workers/{}", worker.id);
        let shares = worker.shares.iter();
        Self {
            links: Links::from([("drain", format!("{this}/drain"))]),
            draining: worker.state == WorkerState::Draining,
            queues: shares.clone().map(|share| share.queue.clone()).collect(),
            slots: shares.clone().map(|share| share.slots).sum(),
            busy: shares.clone().map(|share| share.busy).sum(),
            done_per_minute: shares.map(|share| share.done).sum(),
            id: worker.id,
            host: worker.host,
            version: worker.version,
            state: worker.state,
            started_at: worker.started_at,
            seen_at: worker.seen_at,
            drain_by: worker.drain_by,
            drain_at: worker.drain_at,
        }
    }
}

/// Lists the workers of the last day, by name. There is no next page: a fleet is not that large.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
) -> Result<axum::Json<Page<Item>>, Problem> {
    let workers = state.store().workers().await?;
    let items = workers.into_iter().map(Item::from).collect();
    Ok(axum::Json(Page::new(items, None::<&()>)))
}

/// Why the worker of an embedded process stays.
const ALONE: &str = "This worker belongs to the one process that there is, and no other could do its steps. To hold them \
    pause their queues: chorus queues pause QUEUE. To end it, stop the process.";

/// Whether this worker is the last that works, beside an API with which it shares a file, and so a process.
async fn is_irreplaceable(state: &State, worker: &str) -> Result<bool, Problem> {
    if let Db::Postgres(_) = state.store().db() {
        return Ok(false);
    }
    let workers = state.store().workers().await?;
    let mut working = (workers.iter()).filter(|worker| worker.state == WorkerState::Working);
    Ok(working.next().is_some_and(|one| one.id == worker) && working.next().is_none())
}

/// Asks one worker to leave, as SIGTERM does: it finishes what it has, and its process ends.
pub(crate) async fn drain(
    caller: Staff,
    Name(worker): Name,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Problem> {
    let words = value.words()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    if is_irreplaceable(&state, &worker).await? {
        return Err(Problem::new(Code::StateConflict, ALONE).with("state", "alone"));
    }
    let drained = state
        .store()
        .drain_worker(&mut tx, &worker, (&caller.signature(), &words))
        .await
        .map_err(refused)?;
    let given = Given::telling(StatusCode::ACCEPTED, &Item::from(drained))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}

fn refused(error: DrainError) -> Problem {
    let (how, state) = match error {
        DrainError::NotFound => return Problem::not_found("worker"),
        DrainError::Store(error) => return error.into(),
        DrainError::Refused(WorkerState::Lost) => (
            "The worker was not seen for half a minute; look at its host. Its steps go to others by themselves.",
            "lost",
        ),
        DrainError::Refused(WorkerState::Draining | WorkerState::Working) => (
            "The worker is on its way out already; it goes when its steps are done.",
            "draining",
        ),
    };
    Problem::new(Code::StateConflict, how).with("state", state)
}
