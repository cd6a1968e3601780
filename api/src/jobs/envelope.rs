//! The one envelope in which every kind of job is told.

use super::backlog::Place;
use chrono::{DateTime, Utc};
use saga_core::Usage;
use saga_core::journal::{Class, Failure};
use saga_core::prices::dollars;
use saga_core::run::{Ending, Role, Run, SagaRow, StepRow};
use saga_core::state::{SagaState, StepState};
use saga_core::store::Spent;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// A job, as it is told.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Job {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) status: Status,
    pub(crate) done: bool,
    phase: Option<String>,
    progress: Progress,
    pub(super) queue: Option<Place>,
    waiting_for: Option<WaitingFor>,
    degraded: bool,
    undoing: bool,
    attempt: i64,
    next_attempt_at: Option<DateTime<Utc>>,
    pub(crate) result: Option<Value>,
    error: Option<JobError>,
    pub(crate) dead_letter: Option<Uuid>,
    usage: Option<Spending>,
    pub(crate) created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    deadline_at: Option<DateTime<Utc>>,
    /// The job that began this one and waits for it.
    parent: Option<Uuid>,
    /// The jobs that this one began, in order.
    children: Vec<Uuid>,
    /// The job that was begun again as this one.
    replay_of: Option<Uuid>,
    /// The job as which this one was begun again.
    replayed_as: Option<Uuid>,
    pub(crate) links: Links,
}

/// Where a job is, for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = JobStatus)]
pub(crate) enum Status {
    Queued,
    Running,
    Waiting,
    Paused,
    Parked,
    Canceling,
    Succeeded,
    Failed,
    Canceled,
}

/// How far a job is, in steps: those that are known of so far.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct Progress {
    completed: usize,
    total: usize,
}

/// What a job waits for.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct WaitingFor {
    /// `signal`, `timer`, `review`, `children` or `budget`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The signal, the step, the point of the review, or the kind of the first child.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    until: Option<DateTime<Utc>>,
}

/// What a job's paid calls took and cost, those in vain included.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct Spending {
    input_tokens: u64,
    output_tokens: u64,
    images: u64,
    /// Null where it is not known, which is not nothing.
    cost_usd: Option<String>,
}

/// Why a job failed, or stands still.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct JobError {
    code: String,
    class: Class,
    message: String,
    retryable: bool,
}

/// Where to go from a job.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = JobLinks)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    pub(crate) this: String,
    events: String,
    cancel: String,
    subject: Option<&'static str>,
}

impl Status {
    /// What a caller is told of a saga's state.
    pub(crate) fn of(saga: &SagaRow) -> Self {
        match (saga.state, saga.ending) {
            (SagaState::Queued, _) => Self::Queued,
            (SagaState::Running, _) | (SagaState::Undoing, Some(Ending::Failed) | None) => {
                Self::Running
            }
            (SagaState::Waiting, _) => Self::Waiting,
            (SagaState::Paused, _) => Self::Paused,
            (SagaState::Parked | SagaState::Stuck, _) => Self::Parked,
            (SagaState::Undoing, Some(Ending::Canceled)) => Self::Canceling,
            (SagaState::Succeeded, _) => Self::Succeeded,
            (SagaState::Undone, Some(Ending::Canceled)) => Self::Canceled,
            (SagaState::Undone, Some(Ending::Failed) | None) => Self::Failed,
        }
    }
}

impl Job {
    /// Tells a saga; `place` is where its first step stands in its queue, `spent` what its paid calls cost.
    pub(super) fn of(run: &Run, place: Option<Place>, spent: Option<&Spent>) -> Self {
        let saga = &run.saga;
        let status = Status::of(saga);
        let undoing = saga.ending.is_some() && !saga.state.is_final();
        let current = current(run, undoing);
        let retrying = current.filter(|step| step.state == StepState::Retrying);
        Self {
            id: saga.id,
            kind: saga.kind.clone(),
            status,
            done: saga.state.is_final(),
            phase: saga.phase.clone(),
            progress: progress(run),
            queue: place.filter(|_| status == Status::Queued),
            waiting_for: waiting_for(run)
                .filter(|_| status == Status::Waiting)
                .or_else(|| over_budget(run)),
            degraded: saga.degraded,
            undoing,
            attempt: current.map_or(0, |step| step.attempt),
            next_attempt_at: retrying.and_then(|step| step.wake_at),
            result: saga.output.clone().filter(|_| status == Status::Succeeded),
            error: saga
                .error
                .as_ref()
                .filter(|_| status != Status::Succeeded)
                .map(|failure| error(failure, status)),
            dead_letter: dead_letter(run),
            usage: usage(run, spent),
            created_at: saga.created_at,
            started_at: saga.started_at,
            finished_at: saga.finished_at,
            deadline_at: saga.deadline_at,
            parent: saga.parent.as_ref().map(|parent| parent.id),
            children: run.children().collect(),
            replay_of: saga.replay_of,
            replayed_as: None,
            links: links(saga),
        }
    }

    /// The same, begun again as `job`.
    pub(super) fn replayed_as(self, job: Option<Uuid>) -> Self {
        Self {
            replayed_as: job,
            ..self
        }
    }
}

/// The step that a caller asks about: the one at work, else the next, else the one that failed.
fn current(run: &Run, undoing: bool) -> Option<&StepRow> {
    let role = if undoing { Role::Undo } else { Role::Work };
    let steps = || run.steps.iter().filter(move |step| step.role == role);
    let order = [
        StepState::Leased,
        StepState::Retrying,
        StepState::Ready,
        StepState::Failed,
    ];
    let first = order
        .iter()
        .find_map(|state| steps().find(|step| step.state == *state));
    first.or_else(|| steps().max_by_key(|step| step.settled))
}

fn progress(run: &Run) -> Progress {
    let work = |step: &&StepRow| matches!(step.role, Role::Work | Role::Child);
    let work = || run.steps.iter().filter(work);
    let over = |step: &&StepRow| {
        // A failure counts once the saga went on without the step.
        step.state == StepState::Done || step.state == StepState::Failed && step.letter_id.is_none()
    };
    let (asked, completed) = (work().count(), work().filter(over).count());
    let total = if run.saga.state == SagaState::Succeeded {
        completed
    } else {
        // A saga tells its steps one by one.
        asked
            .max(domain::catalog::plan(&run.saga.kind).len())
            .max(1)
    };
    Progress { completed, total }
}

/// Whether a saga can have paid for anything: it has told so, or a step of it went wrong.
pub(super) fn may_have_spent(run: &Run) -> bool {
    let trouble = run.steps.iter().any(|step| step.error.is_some());
    trouble || told(run).is_some()
}

/// What the steps' answers say that they took.
fn told(run: &Run) -> Option<Usage> {
    let each = run.steps.iter().filter_map(|step| {
        let told = step.output.as_ref()?.get("usage")?;
        Usage::deserialize(told).ok()
    });
    each.reduce(|all, one| all + one)
}

/// What the saga's paid calls took and cost, those in vain included. A cost that is not known is null,
/// never nothing.
fn usage(run: &Run, spent: Option<&Spent>) -> Option<Spending> {
    let all = spent.map(|spent| spent.usage).or_else(|| told(run))?;
    let cost = spent.and_then(|spent| spent.cost_micros);
    Some(Spending {
        input_tokens: all.input_tokens,
        output_tokens: all.output_tokens,
        images: all.images,
        cost_usd: cost.map(dollars),
    })
}

fn waiting_for(run: &Run) -> Option<WaitingFor> {
    let open = |role: Role| {
        run.steps
            .iter()
            .find(move |step| step.role == role && step.state == StepState::Waiting)
    };
    let until = open(Role::Timer).and_then(|timer| timer.wake_at);
    match (open(Role::Listen), until) {
        (Some(news), until) => Some(WaitingFor {
            kind: "signal",
            name: Some(news.step.clone()),
            until,
        }),
        (None, until @ Some(_)) => Some(WaitingFor {
            kind: "timer",
            name: None,
            until,
        }),
        (None, None) if open(Role::Review).is_some() => {
            open(Role::Review).map(|review| WaitingFor {
                kind: "review",
                name: Some(review.step.clone()),
                until: review.wake_at,
            })
        }
        (None, None) => open(Role::Child).map(|child| WaitingFor {
            kind: "children",
            name: Some(child.step.clone()),
            until: None,
        }),
    }
}

/// A step that a cap holds up. Whose cap and how much is the operator's business.
fn over_budget(run: &Run) -> Option<WaitingFor> {
    let broke = |step: &&StepRow| {
        let class = step.error.as_ref().map(|error| error.class);
        step.state == StepState::Retrying && class == Some(Class::OverBudget)
    };
    let step = run.steps.iter().find(broke)?;
    Some(WaitingFor {
        kind: "budget",
        name: Some(step.key.to_string()),
        until: step.wake_at,
    })
}

fn dead_letter(run: &Run) -> Option<Uuid> {
    let role = match run.saga.state {
        SagaState::Parked => Role::Work,
        SagaState::Stuck => Role::Undo,
        SagaState::Queued
        | SagaState::Running
        | SagaState::Waiting
        | SagaState::Paused
        | SagaState::Undoing
        | SagaState::Succeeded
        | SagaState::Undone => return None,
    };
    let failed = |step: &&StepRow| step.role == role && step.state == StepState::Failed;
    run.steps
        .iter()
        .filter(failed)
        .find_map(|step| step.letter_id)
        .or(run.saga.letter_id)
}

fn error(failure: &Failure, status: Status) -> JobError {
    let retryable = match failure.class {
        Class::Transient
        | Class::Throttled
        | Class::OverBudget
        | Class::Content
        | Class::Poison => true,
        Class::Permanent | Class::Diverged | Class::Verdict => false,
    };
    JobError {
        code: code(failure, status),
        class: failure.class,
        message: failure.message.clone(),
        retryable,
    }
}

/// A word for programs: a verdict brings its own before a colon, the rest follows from the class.
fn code(failure: &Failure, status: Status) -> String {
    if matches!(status, Status::Canceled | Status::Canceling) {
        return "canceled".to_owned();
    }
    let fallback = match failure.class {
        Class::Verdict => {
            let word = failure.message.split([':', ' ']).next().unwrap_or("");
            let is_word = !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte));
            return if is_word {
                word.to_owned()
            } else {
                "failed".to_owned()
            };
        }
        Class::Transient | Class::Permanent => "step_failed",
        Class::Throttled => "throttled",
        Class::OverBudget => "budget_exhausted",
        Class::Content => "unusable_answer",
        Class::Poison => "step_crashed",
        Class::Diverged => "diverged",
    };
    fallback.to_owned()
}

fn links(saga: &SagaRow) -> Links {
    let this = format!("/api/v1/jobs/{}", saga.id);
    let subject = (saga.kind == "persona.forge").then_some("/api/v1/personas/me");
    Links {
        events: format!("{this}/events"),
        cancel: format!("{this}/cancel"),
        this,
        subject,
    }
}
