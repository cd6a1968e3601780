//! `/admin/dead-letters`: steps that gave up, for a person to judge.

use super::events::Told as EventTold;
use super::saga::{Tried, attempts};
use crate::auth::Staff;
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::Problem;
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use chrono::{DateTime, Utc};
use saga_core::journal::Key;
use saga_core::store::{Letter, LetterFilter, PaidCall};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

const REASON_CHARS_MAX: usize = 500;
/// Events of the history that are told with a letter: the newest.
const HISTORY_MAX: i64 = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// In this state; `status` means the same.
    #[serde(alias = "status")]
    #[param(inline)]
    state: Option<LetterState>,
    /// Of a job of this kind.
    kind: Option<String>,
    /// Of this step.
    step: Option<String>,
    /// Of this queue.
    queue: Option<String>,
    /// That failed in this way.
    class: Option<String>,
    /// Of this group: alike in kind, step, class and message.
    group: Option<String>,
    /// Of this job.
    job: Option<Uuid>,
    /// Whose message holds this text; `q` means the same.
    #[serde(alias = "q")]
    text: Option<String>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LetterState {
    Open,
    Replayed,
    Skipped,
    Discarded,
    Expired,
}

impl LetterState {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Skipped => "skipped",
            Self::Discarded => "discarded",
            Self::Expired => "expired",
        }
    }
}

/// A letter, as it is listed.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DeadLetter)]
pub(crate) struct Item {
    id: Uuid,
    job: Option<Uuid>,
    kind: String,
    step: String,
    step_key: Option<String>,
    queue: String,
    class: String,
    message: String,
    group: String,
    attempts: i64,
    worker: Option<String>,
    state: String,
    created_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    resolved_by: Option<String>,
    reason: Option<String>,
    links: Links,
}

impl From<Letter> for Item {
    fn from(letter: Letter) -> Self {
        let this = format!("/api/v1/admin/dead-letters/{}", letter.id);
        let job = letter.saga_id.map(|saga| format!("/api/v1/jobs/{saga}"));
        let verb = |verb: &str| format!("{this}/{verb}");
        let links = Links::from([
            ("job", job),
            ("replay", Some(verb("replay"))),
            ("skip", Some(verb("skip"))),
            ("discard", Some(verb("discard"))),
            ("restore", Some(verb("restore"))),
            ("self", Some(this)),
        ]);
        Self {
            id: letter.id,
            job: letter.saga_id,
            kind: letter.kind,
            step: letter.step,
            step_key: letter.step_key,
            queue: letter.queue,
            class: letter.class,
            message: letter.message,
            group: letter.fingerprint,
            attempts: letter.attempts,
            worker: letter.worker,
            state: letter.state,
            created_at: letter.created_at,
            resolved_at: letter.resolved_at,
            resolved_by: letter.resolved_by,
            reason: letter.reason,
            links,
        }
    }
}

/// Lists letters, newest first.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Item>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let from: Option<(DateTime<Utc>, Uuid)> = page::read(filter.cursor.as_deref())?;
    let wanted = LetterFilter {
        state: filter.state.map(|state| state.as_str().to_owned()),
        kind: filter.kind,
        step: filter.step,
        queue: filter.queue,
        class: filter.class,
        fingerprint: filter.group,
        saga_id: filter.job,
        text: filter.text,
        before: from.map(|(at, _)| at),
        before_id: from.map(|(_, id)| id),
        limit: limit + 1,
    };
    let found = state.store().letters(&wanted).await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > kept;
    let items: Vec<Item> = found.into_iter().take(kept).map(Item::from).collect();
    let next = items
        .last()
        .map(|last| (last.created_at, last.id))
        .filter(|_| more);
    Ok(axum::Json(Page::new(items, next.as_ref())))
}

/// A letter with everything that helps to judge it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = DeadLetterDetail)]
pub(crate) struct Detail {
    #[serde(flatten)]
    item: Item,
    /// Of the step; the data of a person, so only an admin is told.
    input: Option<Value>,
    replays: usize,
    /// The job that was begun again from it.
    replayed_as: Option<Uuid>,
    job_state: Option<&'static str>,
    parked_until: Option<DateTime<Utc>>,
    /// The tries at the step, the latest first: by whom, from when to when, and the error with its causes.
    tries: Vec<Tried>,
    /// The job's calls of models: what is answered is paid for, and not asked again.
    calls: Vec<PaidCall>,
    /// What happened to the job: the newest events.
    history: Vec<EventTold>,
}

/// Tells one letter in full.
pub(crate) async fn show(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
) -> Result<axum::Json<Detail>, Problem> {
    let letter = state
        .store()
        .letter(id)
        .await?
        .ok_or_else(|| Problem::not_found("letter"))?;
    let (mut input, mut replays, mut job_state, mut parked_until) = (None, 0, None, None);
    let (mut tries, mut history, mut calls, mut newest) = (vec![], vec![], vec![], 0);
    if let Some(saga) = letter.saga_id {
        if let Some(run) = state.store().view(&[saga]).await?.remove(&saga) {
            let at = letter
                .step_key
                .as_ref()
                .and_then(|key| run.find(&Key::stored(key.clone())));
            input = at
                .map(|at| run.steps[at].input.clone())
                .or_else(|| Some(run.saga.input.clone()));
            (job_state, parked_until) = (Some(run.saga.state.as_str()), run.saga.parked_until);
            newest = run.saga.seq;
        }
        let all = LetterFilter {
            saga_id: Some(saga),
            limit: HISTORY_MAX,
            ..LetterFilter::default()
        };
        let same = |other: &&Letter| other.step_key == letter.step_key && other.state == "replayed";
        replays = state
            .store()
            .letters(&all)
            .await?
            .iter()
            .filter(same)
            .count();
        let before = (newest - HISTORY_MAX).max(0);
        let events = state.store().events(saga, before, HISTORY_MAX).await?;
        history = events.iter().cloned().map(EventTold::from).collect();
        let step = letter.step_key.as_deref().unwrap_or_default();
        tries = attempts(events).remove(step).unwrap_or_default();
        tries.reverse();
        calls = state.store().paid_calls(saga).await?;
    }
    let input = input.filter(|_| caller.is_admin());
    let saga: Vec<Uuid> = letter.saga_id.into_iter().collect();
    let replayed_as = state.store().replayed_as(&saga).await?.into_values().next();
    Ok(axum::Json(Detail {
        item: letter.into(),
        input,
        replays,
        replayed_as,
        job_state,
        parked_until,
        tries,
        calls,
        history,
    }))
}

/// Why a letter is decided as it is.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecisionReason)]
pub(crate) struct Decision {
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl Decision {
    pub(super) fn words(&self) -> Result<String, Problem> {
        words(self.reason.as_deref(), self.note.as_deref())
    }
}

/// The reason for a decision, or the note, which is another word for it.
pub(super) fn words(reason: Option<&str>, note: Option<&str>) -> Result<String, Problem> {
    let (field, words) = match (reason, note) {
        (Some(reason), _) => ("/reason", reason.trim()),
        (None, note) => ("/note", note.unwrap_or("").trim()),
    };
    if words.chars().count() > REASON_CHARS_MAX {
        return Err(Problem::field(
            field,
            "too_long",
            format!("Say it in {REASON_CHARS_MAX} characters."),
        ));
    }
    Ok(words.to_owned())
}
