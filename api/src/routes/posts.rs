//! `/topics/{id}/posts`: what is said about a topic.

use super::topics::visible;
use super::words::{Limits, checked};
use crate::asked::Asked;
use crate::auth::Signed;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page, Paging};
use crate::params::{Id, Params, Part};
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::topics::posts::{BODY_MAX, body};
use domain::topics::store::posts::{self, NewPost, Post};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A post to make, or the other words of one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPost)]
pub(crate) struct Words {
    #[schema(min_length = 1, max_length = 4000)]
    body: String,
}

/// A post.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Post)]
pub(crate) struct Told {
    /// In the order of a topic's posts.
    id: i64,
    /// None is the opening post, which a model wrote.
    author_id: Option<Uuid>,
    author_name: String,
    author_avatar: Option<String>,
    body: String,
    created_at: DateTime<Utc>,
    edited_at: Option<DateTime<Utc>>,
}

impl From<Post> for Told {
    fn from(post: Post) -> Self {
        Self {
            id: post.id,
            author_id: post.author_id,
            author_name: post.author_name,
            author_avatar: post.author_avatar,
            body: post.body,
            created_at: post.created_at,
            edited_at: post.edited_at,
        }
    }
}

const POST: Limits = Limits {
    take: body,
    chars_max: BODY_MAX,
};

/// Lists the posts of a topic, oldest first; those that were deleted are left out.
pub(crate) async fn list(
    caller: Signed,
    Id(topic): Id,
    In(state): In<State>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(paging.limit)?;
    let after: Option<i64> = page::read(paging.cursor.as_deref())?;
    let topic = visible(&state, &caller, topic).await?.id;
    let found = posts::list(state.db(), topic, after.unwrap_or(0), limit + 1).await?;
    let told = found.into_iter().map(Told::from).collect();
    Ok(axum::Json(Page::cut(told, limit, |post: &Told| post.id)))
}

/// Says something about a topic.
pub(crate) async fn create(
    caller: Signed,
    Id(topic): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Words>,
) -> Result<Response, Problem> {
    let body = checked(&value.body, "/body", &POST)?;
    super::erase::staying(&state, caller.account()).await?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let new = NewPost {
        topic,
        author: caller.account(),
        body,
    };
    let post = posts::add(&mut tx, new, &asked.request_id).await?;
    let post = post.ok_or_else(|| Problem::not_found("topic"))?;
    let given = Given::telling(StatusCode::CREATED, &Told::from(post))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    Ok(given.into_response())
}

/// Gives a post of the caller's other words.
pub(crate) async fn edit(
    caller: Signed,
    Part(topic, name): Part,
    In(state): In<State>,
    Json { value, .. }: Json<Words>,
) -> Result<axum::Json<Told>, Problem> {
    let id = number(&name)?;
    let body = checked(&value.body, "/body", &POST)?;
    let other = NewPost {
        topic,
        author: caller.account(),
        body,
    };
    let mut tx = state.begin().await?;
    let post = posts::edit(&mut tx, id, &other).await?;
    let post = post.ok_or_else(|| Problem::not_found("post"))?;
    tx.commit().await?;
    Ok(axum::Json(post.into()))
}

/// Deletes a post of the caller's: its words are gone.
pub(crate) async fn delete(
    caller: Signed,
    Part(topic, name): Part,
    In(state): In<State>,
) -> Result<StatusCode, Problem> {
    let id = number(&name)?;
    let mut tx = state.begin().await?;
    if !posts::delete(&mut tx, topic, id, caller.account()).await? {
        return Err(Problem::not_found("post"));
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn number(name: &str) -> Result<i64, Problem> {
    name.parse().map_err(|_| Problem::not_found("post"))
}
