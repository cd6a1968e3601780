//! `/topics`: what became of ideas, for everybody who signed in.

use crate::asked::Asked;
use crate::auth::{Caller, Signed, Staff};
use crate::body::Json;
use crate::etag;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page, Paging};
use crate::params::{Id, Params};
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::accounts::permissions::Reach;
use domain::topics::store::topics::{self, Topic, TopicState};
use saga_core::store::audit::{self, Entry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// The file of a cover that lists show.
const COVER: &str = "512";

/// A topic.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Topic)]
pub(crate) struct Told {
    id: Uuid,
    /// An open question.
    title: String,
    summary: String,
    /// Where its picture is; whoever has the link may look.
    cover_url: Option<String>,
    /// Retracted ones are shown to those who may retract them.
    state: TopicState,
    /// The opening post included.
    post_count: i64,
    /// How many ideas it was made of.
    ideas: i64,
    published_at: DateTime<Utc>,
    /// What it is among all that jobs made.
    artefact_id: Uuid,
}

impl Told {
    pub(super) fn of(state: &State, topic: Topic) -> Self {
        let link = |id| super::media::link(state.settings(), id, COVER);
        Self {
            id: topic.id,
            title: topic.title,
            summary: topic.summary,
            cover_url: topic.cover_media_id.map(link),
            state: topic.state,
            post_count: topic.post_count,
            ideas: topic.ideas,
            published_at: topic.published_at,
            artefact_id: topic.artefact_id,
        }
    }
}

/// Whether somebody sees topics that were retracted.
pub(super) fn sees_retracted(caller: &Caller) -> bool {
    caller.reach("topics.retract") == Some(Reach::All)
}

/// A topic that this caller may see.
pub(super) async fn visible(state: &State, caller: &Caller, id: Uuid) -> Result<Topic, Problem> {
    let found = topics::find(state.db(), id, sees_retracted(caller)).await?;
    found.ok_or_else(|| Problem::not_found("topic"))
}

/// Lists topics, newest first.
pub(crate) async fn list(
    caller: Signed,
    In(state): In<State>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(paging.limit)?;
    let before: Option<(DateTime<Utc>, Uuid)> = page::read(paging.cursor.as_deref())?;
    let retracted = sees_retracted(&caller);
    let found = topics::list(state.db(), retracted, before, limit + 1).await?;
    let told = found.into_iter().map(|topic| Told::of(&state, topic));
    let place = |topic: &Told| (topic.published_at, topic.id);
    Ok(axum::Json(Page::cut(told.collect(), limit, place)))
}

/// Shows a topic.
pub(crate) async fn show(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topic = visible(&state, &caller, id).await?;
    let told = Told::of(&state, topic);
    etag::telling(&headers, &told, "private, max-age=1")
}

/// Why a topic is taken back.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Retraction)]
pub(crate) struct Retraction {
    /// For the audit.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Takes a topic back. Its ideas stay archived. Retracting twice is fine.
pub(crate) async fn retract(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Retraction>,
) -> Result<Response, Problem> {
    let reason = super::dead_letters::words(value.reason.as_deref(), None)?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let (topic, changed) = topics::retract(&mut tx, id, &asked.request_id)
        .await?
        .ok_or_else(|| Problem::not_found("topic"))?;
    if changed {
        let entry = Entry {
            actor: &caller.signature(),
            verb: "topic.retract",
            target_kind: "topic",
            target_id: id.to_string(),
            reason: &reason,
            detail: json!({}),
        };
        audit::write(&mut tx, &entry).await?;
    }
    let given = Given::telling(StatusCode::OK, &Told::of(&state, topic))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    Ok(given.into_response())
}
