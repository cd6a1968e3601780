//! `/admin/queues`: how each queue stands, how many workers it would do well to have, and its switch.

use super::dead_letters::Decision;
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::Page;
use crate::params::{Name, Params};
use crate::problem::{Code, Problem};
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use process::QUEUES;
use saga_core::scale::{Wish, advise};
use saga_core::store::{QueueLoad, QueueSwitch};
use serde::{Deserialize, Serialize};

const TARGET_SECONDS_DEFAULT: u64 = 30;
const TARGET_SECONDS_MAX: u64 = 86_400;

/// A queue, as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Queue)]
pub(crate) struct Item {
    name: String,
    ready: u64,
    running: u64,
    delayed: u64,
    oldest_seconds: Option<u64>,
    consumers: u64,
    busy_workers: u64,
    slots: u64,
    done_per_minute: u64,
    step_ms: Option<u64>,
    drain_estimate_seconds: Option<u64>,
    paused: bool,
    switched: Option<Switched>,
    links: Links,
}

/// Who paused a queue, or had it go on.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = QueueSwitched)]
struct Switched {
    reason: String,
    by: String,
    at: DateTime<Utc>,
}

impl From<&QueueSwitch> for Switched {
    fn from(switch: &QueueSwitch) -> Self {
        Self {
            reason: switch.reason.clone(),
            by: switch.decided_by.clone(),
            at: switch.decided_at,
        }
    }
}

impl From<QueueLoad> for Item {
    fn from(load: QueueLoad) -> Self {
        let this = format!("/api/v1/admin/queues/{}", load.name);
        let verb = if load.paused() { "resume" } else { "pause" };
        Self {
            links: Links::from([
                ("scale", format!("{this}/scale")),
                (verb, format!("{this}/{verb}")),
                ("self", this),
            ]),
            paused: load.paused(),
            switched: load.switch.as_ref().map(Switched::from),
            name: load.name,
            ready: load.ready,
            running: load.running,
            delayed: load.delayed,
            oldest_seconds: load.oldest_seconds,
            consumers: load.consumers,
            busy_workers: load.busy_workers,
            slots: load.slots,
            done_per_minute: load.done_per_minute,
            step_ms: load.step_ms,
            drain_estimate_seconds: load.drain_estimate_seconds,
        }
    }
}

/// Lists the queues, by name. There are a handful, so there is no next page.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
) -> Result<axum::Json<Page<Item>>, Problem> {
    let loads = state.store().queue_loads(&QUEUES).await?;
    let items = loads.into_iter().map(Item::from).collect();
    Ok(axum::Json(Page::new(items, None::<&()>)))
}

/// Tells how one queue stands.
pub(crate) async fn show(
    _: Staff,
    Name(name): Name,
    In(state): In<State>,
) -> Result<axum::Json<Item>, Problem> {
    Ok(axum::Json(load(&state, &name).await?.into()))
}

async fn load(state: &State, name: &str) -> Result<QueueLoad, Problem> {
    let loads = state.store().queue_loads(&QUEUES).await?;
    let load = loads.into_iter().find(|load| load.name == name);
    load.ok_or_else(|| Problem::not_found("queue"))
}

/// What a scaler wishes for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// How long the queue may take to run dry; 30 unless said otherwise.
    #[param(minimum = 1, maximum = 86400)]
    target_seconds: Option<u64>,
    /// Not fewer than this.
    min: Option<u64>,
    /// Not more than this.
    max: Option<u64>,
}

impl Wanted {
    fn wish(&self) -> Result<Wish, Problem> {
        let refused = |how: String| Problem::new(Code::BadParameter, how);
        let (target_seconds, min) = (
            self.target_seconds.unwrap_or(TARGET_SECONDS_DEFAULT),
            self.min.unwrap_or(0),
        );
        if !(1..=TARGET_SECONDS_MAX).contains(&target_seconds) {
            return Err(refused(format!(
                "target_seconds: from 1 to {TARGET_SECONDS_MAX}."
            )));
        }
        if let Some(max) = self.max.filter(|max| *max < min) {
            return Err(refused(format!(
                "max: {max} is less than min, {min}; make it at least that."
            )));
        }
        Ok(Wish {
            target_seconds,
            min,
            max: self.max,
        })
    }
}

/// How many workers a queue has, and would do well to have.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Scale {
    desired_workers: u64,
    current_workers: u64,
    busy_workers: u64,
    reason: String,
}

/// Tells a scaler how many workers there should be.
pub(crate) async fn scale(
    _: Staff,
    Name(name): Name,
    Params(wanted): Params<Wanted>,
    In(state): In<State>,
) -> Result<axum::Json<Scale>, Problem> {
    let wish = wanted.wish()?;
    let load = load(&state, &name).await?;
    let advice = advise(&load, &wish);
    Ok(axum::Json(Scale {
        desired_workers: advice.workers,
        current_workers: load.consumers,
        busy_workers: load.busy_workers,
        reason: advice.reason,
    }))
}

/// Has the workers leave a queue's steps alone; those under way go on to their end.
pub(crate) async fn pause(
    caller: Staff,
    Name(name): Name,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Problem> {
    let words = value.words()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    switch(&state, &name, true, (&caller.signature(), &words), &command).await
}

/// Has the workers take a queue's steps again.
pub(crate) async fn resume(
    caller: Staff,
    Name(name): Name,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Problem> {
    let words = value.words()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    switch(
        &state,
        &name,
        false,
        (&caller.signature(), &words),
        &command,
    )
    .await
}

async fn switch(
    state: &State,
    name: &str,
    paused: bool,
    decision: (&str, &str),
    command: &Command,
) -> Result<Response, Problem> {
    let before = load(state, name).await?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let switched = state
        .store()
        .switch_queue(&mut tx, name, paused, decision)
        .await?;
    let Some(switch) = switched else {
        drop(tx); // on SQLite one writes at a time, and looking again takes its turn
        return Err(refused(&load(state, name).await?, paused));
    };
    let after = QueueLoad {
        switch: Some(switch),
        ..before
    };
    let given = Given::telling(StatusCode::OK, &Item::from(after))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    Ok(given.into_response())
}

/// Says who was first, and when.
fn refused(load: &QueueLoad, paused: bool) -> Problem {
    let state = if paused { "paused" } else { "running" };
    let how = match &load.switch {
        Some(switch) => {
            let when = switch
                .decided_at
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            format!(
                "{} has decided at {when}: the queue is {state}.",
                switch.decided_by
            )
        }
        None => "Nobody has paused the queue: it is running.".to_owned(),
    };
    Problem::new(Code::StateConflict, how).with("state", state)
}
