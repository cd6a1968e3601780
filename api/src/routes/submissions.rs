//! `/submissions`: ideas, which nobody but their author sees.

use super::words::{Limits, checked};
use crate::asked::Asked;
use crate::auth::{Signed, Staff};
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::topics::store::submissions::{self, Changed, Submission};
use domain::topics::submissions::{SEEDS_MAX, SubmissionState, TEXT_MAX, text};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An idea to hand in, or the other text of one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSubmission)]
pub(crate) struct Idea {
    #[schema(min_length = 1, max_length = 1000)]
    text: String,
}

/// Ideas that give a pool a start.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSeeds)]
pub(crate) struct Seeds {
    #[schema(min_items = 1, max_items = 50)]
    texts: Vec<String>,
}

/// An idea, as its author is told.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Submission)]
pub(crate) struct Told {
    id: Uuid,
    text: String,
    state: SubmissionState,
    /// The topic that was made of it, once it is archived.
    topic_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    edited_at: Option<DateTime<Utc>>,
}

impl From<Submission> for Told {
    fn from(idea: Submission) -> Self {
        Self {
            id: idea.id,
            text: idea.text,
            state: idea.state,
            topic_id: idea.topic_id,
            created_at: idea.created_at,
            edited_at: idea.edited_at,
        }
    }
}

const IDEA: Limits = Limits {
    take: text,
    chars_max: TEXT_MAX,
};

/// Hands in an idea. Whoever has one in the pool already changes that one.
pub(crate) async fn create(
    caller: Signed,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Idea>,
) -> Result<Response, Problem> {
    let text = checked(&value.text, "/text", &IDEA)?;
    super::erase::staying(&state, caller.account()).await?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let (id, author) = (Uuid::now_v7(), caller.account());
    let ideas = [(id, text)];
    if !submissions::hand_in(&mut tx, author, &ideas, false, &asked.request_id).await? {
        let there = submissions::current_in(&mut tx, author).await?;
        let how = "You have an idea in the pool: change it, or take it back, and hand in another once it is used.";
        let problem = Problem::new(Code::LiveSubmissionExists, how);
        let id = there.map(|idea| idea.id.to_string());
        return Err(problem.with("submission_id", id));
    }
    let there = submissions::current_in(&mut tx, author).await?;
    let there = there.ok_or_else(|| Problem::internal(&"an idea just handed in is not there"))?;
    let given = Given::telling(StatusCode::CREATED, &Told::from(there))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    Ok(given.into_response())
}

/// What was put into the pool.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Seeded {
    /// In the order of their texts.
    ids: Vec<Uuid>,
}

/// Puts ideas into the pool for a start. They do not count as the curator's own.
pub(crate) async fn seed(
    caller: Staff,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Seeds>,
) -> Result<Response, Problem> {
    if !(1..=SEEDS_MAX).contains(&value.texts.len()) {
        let how = format!("Send 1 to {SEEDS_MAX} texts.");
        return Err(Problem::field("/texts", "out_of_range", how));
    }
    let idea = |(at, given): (usize, &String)| {
        let text = checked(given, &format!("/texts/{at}"), &IDEA)?;
        Ok((Uuid::now_v7(), text))
    };
    let texts = value.texts.iter().enumerate();
    let ideas: Vec<(Uuid, String)> = texts.map(idea).collect::<Result<_, Problem>>()?;
    super::erase::staying(&state, caller.account()).await?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    submissions::hand_in(&mut tx, caller.account(), &ideas, true, &asked.request_id).await?;
    let ids = ideas.into_iter().map(|(id, _)| id).collect();
    let given = Given::telling(StatusCode::CREATED, &Seeded { ids })?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    Ok(given.into_response())
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// `true`: all your ideas, newest first, as a page; otherwise the one in the pool.
    history: Option<bool>,
    /// How many of the history, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of the ideas that somebody had.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SubmissionHistory)]
pub(crate) struct History {
    items: Vec<Told>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// Shows the caller's idea in the pool, or the history of all of them.
pub(crate) async fn mine(
    caller: Signed,
    In(state): In<State>,
    Params(which): Params<Which>,
) -> Result<Response, Problem> {
    let limit = page::limit(which.limit)?;
    let before: Option<Uuid> = page::read(which.cursor.as_deref())?;
    if which.history == Some(true) {
        let found = submissions::list(state.db(), caller.account(), before, limit + 1).await?;
        let told = found.into_iter().map(Told::from).collect();
        let page = Page::cut(told, limit, |idea: &Told| idea.id);
        let (items, next_cursor) = page.into_parts();
        return Ok(axum::Json(History { items, next_cursor }).into_response());
    }
    Ok(
        match submissions::current(state.db(), caller.account()).await? {
            Some(idea) => axum::Json(Told::from(idea)).into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        },
    )
}

/// Gives the caller's idea another text, as long as it is live.
pub(crate) async fn edit(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, .. }: Json<Idea>,
) -> Result<axum::Json<Told>, Problem> {
    let text = checked(&value.text, "/text", &IDEA)?;
    let mut tx = state.begin().await?;
    let changed = submissions::edit(&mut tx, caller.account(), id, text, &asked.request_id).await?;
    let told = done(changed)?;
    tx.commit().await?;
    Ok(axum::Json(told))
}

/// Takes the caller's idea back, as long as it is live.
pub(crate) async fn withdraw(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
) -> Result<axum::Json<Told>, Problem> {
    let mut tx = state.begin().await?;
    let changed = submissions::withdraw(&mut tx, caller.account(), id, &asked.request_id).await?;
    let told = done(changed)?;
    tx.commit().await?;
    Ok(axum::Json(told))
}

fn done(changed: Changed) -> Result<Told, Problem> {
    let state = match changed {
        Changed::Done(idea) => return Ok(idea.into()),
        Changed::NotThere => return Err(Problem::not_found("submission")),
        Changed::NotLive(state) => state,
    };
    let how = match state {
        SubmissionState::Claimed => {
            "A round is looking at this idea; try again once it is live or archived."
        }
        SubmissionState::Archived => "A topic was made of this idea; hand in another.",
        SubmissionState::Withdrawn | SubmissionState::Live => {
            "This idea was taken back; hand in another."
        }
    };
    Err(Problem::new(Code::StateConflict, how).with("state", state.as_str()))
}
