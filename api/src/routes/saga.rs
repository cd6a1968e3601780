//! `/admin/sagas/{id}`: everything about one saga, and why it is where it is.

use super::events::{EventPage, Told as EventTold};
use super::saga_verbs;
use super::sagas::Item;
use crate::auth::Staff;
use crate::page;
use crate::params::{Id, Params};
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use chrono::{DateTime, SecondsFormat, Utc};
use process::probe::Check;
use saga_core::journal::Failure;
use saga_core::run::{Outside, Reason, Run, StepRow};
use saga_core::state::{SagaState, StepState};
use saga_core::store::{JobEvent, Letter, LetterFilter, PaidCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Letters that are told with a saga: the newest.
const LETTERS_MAX: i64 = 100;
/// Events of the history from which attempts are told: the newest.
const HISTORY_MAX: i64 = 2_000;

/// Everything about a saga but its history, which has pages of its own.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SagaDetail)]
pub(crate) struct Detail {
    #[serde(flatten)]
    item: Item,
    why: Vec<Reason>,
    /// The saga that began it and waits for it.
    parent: Option<Uuid>,
    /// The sagas that it began, in order.
    children: Vec<Uuid>,
    /// The saga that was begun again from its letter.
    replayed_as: Option<Uuid>,
    /// Of the saga; the data of a person, so only an admin is told.
    input: Option<Value>,
    output: Option<Value>,
    singleton: Option<String>,
    pivoted: bool,
    unheard_signals: i64,
    events: i64,
    steps: Vec<StepTold>,
    letters: Vec<Letter>,
    calls: Vec<PaidCall>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SagaStep)]
struct StepTold {
    key: String,
    role: &'static str,
    name: String,
    queue: Option<String>,
    state: &'static str,
    attempt: i64,
    crashes: i64,
    turn: i64,
    tickets: i64,
    worker: Option<String>,
    letter: Option<Uuid>,
    /// The last failure; its message is the error and its causes, down to the root.
    error: Option<Failure>,
    attempts: Vec<Tried>,
    input: Option<Value>,
    output: Option<Value>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    /// When the sweeper looks at it: the end of a lease, of a pause, of a ticket's time.
    wake_at: Option<DateTime<Utc>>,
}

/// One try at a step, as the history has it.
#[derive(Default, Serialize, utoipa::ToSchema)]
#[schema(as = StepAttempt)]
pub(super) struct Tried {
    attempt: Option<i64>,
    worker: Option<String>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    /// `succeeded`, `retrying`, `failed`, `lost`, `throttled` or `released`; none while it lasts.
    outcome: Option<String>,
    class: Option<String>,
    /// The error and its causes, down to the root.
    message: Option<String>,
}

/// Tells one saga in full.
pub(crate) async fn show(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
) -> Result<axum::Json<Detail>, Problem> {
    let store = state.store();
    let run = store.view(&[id]).await?.remove(&id);
    let run = run.ok_or_else(|| Problem::no_job("saga"))?;
    let why = why(&state, &run).await?;
    let replayed_as = store.replayed_as(&[id]).await?.remove(&id);
    let of_saga = LetterFilter {
        saga_id: Some(id),
        limit: LETTERS_MAX,
        ..LetterFilter::default()
    };
    let (letters, calls) = (store.letters(&of_saga).await?, store.paid_calls(id).await?);
    let oldest = (run.saga.seq - HISTORY_MAX).max(0);
    let mut attempts = attempts(store.events(id, oldest, HISTORY_MAX).await?);
    let admin = caller.is_admin();
    let children = run.children().collect();
    let steps = run.steps.into_iter().map(|step| {
        let attempts = attempts.remove(step.key.as_str()).unwrap_or_default();
        StepTold::of(step, attempts, admin)
    });
    let (steps, mut saga) = (steps.collect(), run.saga);
    Ok(axum::Json(Detail {
        why,
        parent: saga.parent.as_ref().map(|parent| parent.id),
        children,
        replayed_as,
        input: admin.then(|| saga.input.take()),
        output: saga.output.take().filter(|_| admin),
        singleton: saga.singleton.take(),
        pivoted: saga.pivoted,
        unheard_signals: saga.inbox,
        events: saga.seq,
        steps,
        letters,
        calls,
        item: saga.into(),
    }))
}

/// Asks the outside what the saga's rows do not tell, and judges.
async fn why(state: &State, run: &Run) -> Result<Vec<Reason>, Problem> {
    let now = state.db().now().await?;
    let mut outside = Outside {
        broker_up: match state.probe().report().broker {
            Check::Ok => Some(true),
            Check::Down(_) => Some(false),
            Check::Unknown => None,
        },
        ..Outside::default()
    };
    let ready = |step: &&StepRow| step.state == StepState::Ready;
    let queues: BTreeSet<&String> = run
        .steps
        .iter()
        .filter(ready)
        .filter_map(|step| step.queue.as_ref())
        .collect();
    if !queues.is_empty() {
        outside.oldest_unconfirmed = state.store().oldest_unconfirmed(now).await?;
    }
    outside.children = where_children_are(state, run).await?;
    for switch in state.store().queue_switches().await? {
        if switch.paused {
            let who = who(&switch.decided_by, switch.decided_at, &switch.reason);
            outside.paused.insert(switch.queue, who);
        }
    }
    for switch in state.store().kind_switches().await? {
        if switch.kind == run.saga.kind && switch.mode.keeps(&run.saga) {
            let who = who(&switch.decided_by, switch.decided_at, &switch.reason);
            outside.kind_off = Some(who);
        }
    }
    let limits = state.store().kind_limits().await?;
    if let Some(limit) = limits.iter().find(|limit| limit.kind == run.saga.kind) {
        outside.kind_limit = Some(format!("{} has {}", limit.kind, limit.told()));
        outside.in_line = state.store().in_line(run.saga.id).await?;
    }
    if run.saga.state == SagaState::Paused {
        let pause = saga_verbs::last(state, run.saga.id, Some("saga.pause")).await?;
        outside.held = pause.map(|pause| who(&pause.actor, pause.at, &pause.reason));
    }
    for queue in queues {
        if let Some(consumers) = state.probe().consumers(queue).await {
            outside.consumers.insert(queue.clone(), consumers);
        }
    }
    Ok(run.why(now, &outside))
}

/// Where those of a saga's children are that have not ended.
async fn where_children_are(
    state: &State,
    run: &Run,
) -> Result<BTreeMap<Uuid, SagaState>, Problem> {
    let ids: Vec<Uuid> = run.children().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = state.store().view(&ids).await?.into_values();
    let open = found.filter(|child| !child.saga.state.is_final());
    Ok(open
        .map(|child| (child.saga.id, child.saga.state))
        .collect())
}

/// Who decided, when and why, in a sentence.
fn who(by: &str, at: DateTime<Utc>, reason: &str) -> String {
    let when = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let colon = if reason.is_empty() { "" } else { ": " };
    format!("{by} at {when}{colon}{reason}")
}

impl StepTold {
    fn of(step: StepRow, attempts: Vec<Tried>, admin: bool) -> Self {
        Self {
            key: step.key.to_string(),
            role: step.role.as_str(),
            name: step.step,
            queue: step.queue,
            state: step.state.as_str(),
            attempt: step.attempt,
            crashes: step.crashes,
            turn: step.turn,
            tickets: step.tickets,
            worker: step.worker,
            letter: step.letter_id,
            error: step.error,
            attempts,
            input: admin.then_some(step.input),
            output: step.output.filter(|_| admin),
            created_at: step.created_at,
            started_at: step.started_at,
            finished_at: step.finished_at,
            wake_at: step.wake_at,
        }
    }
}

/// The tries at each step, in order, by what the history says of their beginnings and ends.
pub(super) fn attempts(history: Vec<JobEvent>) -> BTreeMap<String, Vec<Tried>> {
    let mut all: BTreeMap<String, Vec<Tried>> = BTreeMap::new();
    for event in history {
        let (Some(step), Some(what)) = (event.step, event.name.strip_prefix("step.")) else {
            continue;
        };
        let data = event.data.unwrap_or_default();
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        let of_step = all.entry(step).or_default();
        if what == "started" {
            of_step.push(Tried {
                attempt: data["attempt"].as_i64(),
                worker: text("worker"),
                started_at: Some(event.at),
                ..Tried::default()
            });
            continue;
        }
        // Timers and waits end without ever having been tried; what failed was, though its beginning is too long ago
        // to be in this part of the history.
        let under_way = of_step.last().is_some_and(|last| last.outcome.is_none());
        if !under_way && ["failed", "retrying", "lost"].contains(&what) {
            of_step.push(Tried::default());
        }
        if let Some(last) = of_step.last_mut().filter(|last| last.outcome.is_none()) {
            last.ended_at = Some(event.at);
            last.outcome = Some(what.to_owned());
            last.class = text("class");
            last.message = text("message");
        }
    }
    all
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct From {
    /// The id of the last event that you have; a page's `next_cursor`.
    #[serde(alias = "cursor")]
    starting_after: Option<i64>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// Tells a saga's history page by page, with who and where.
pub(crate) async fn events(
    _: Staff,
    Id(id): Id,
    In(state): In<State>,
    Params(from): Params<From>,
) -> Result<axum::Json<EventPage>, Problem> {
    let limit = page::limit(from.limit)?;
    let after = from.starting_after.unwrap_or(0);
    let mut found = state.store().events(id, after, limit + 1).await?;
    if found.is_empty() && state.store().view(&[id]).await?.is_empty() {
        return Err(Problem::no_job("saga"));
    }
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > kept;
    found.truncate(kept);
    let next = found
        .last()
        .map(|last| last.seq.to_string())
        .filter(|_| more);
    Ok(axum::Json(EventPage {
        items: found.into_iter().map(EventTold::from).collect(),
        next_cursor: next,
    }))
}
