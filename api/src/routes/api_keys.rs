//! `/admin/api-keys`: what machines show in place of a token.

use super::accounts::{may_make, no_key};
use super::dead_letters::{Decision, words};
use crate::asked::Asked;
use crate::auth::{Staff, secrets};
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{FieldProblem, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::accounts::keys::{self, Key, NewKey};
use domain::accounts::{permissions, roles, store};
use saga_core::store::audit::{self, Entry};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

const NAME_CHARS_MAX: usize = 80;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Pages {
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A key, without what would open anything.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct Told {
    id: Uuid,
    name: String,
    /// How it begins.
    prefix: String,
    /// For whom it speaks.
    account_id: Uuid,
    scopes: Vec<String>,
    created_by: String,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    /// To a few minutes.
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl From<Key> for Told {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            account_id: key.account_id,
            scopes: key.scopes.split(' ').map(str::to_owned).collect(),
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that was just made.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ApiKeyMade)]
pub(crate) struct Made {
    #[serde(flatten)]
    told: Told,
    /// The key itself, told this once: not when the answer is one of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
}

/// Lists keys, newest first, without what would open anything.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(pages): Params<Pages>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(pages.limit)?;
    let before: Option<Uuid> = page::read(pages.cursor.as_deref())?;
    let found = keys::list(state.db(), before, limit + 1).await?;
    let found = found.into_iter().map(Told::from).collect();
    Ok(axum::Json(Page::cut(found, limit, |last: &Told| last.id)))
}

/// A key to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
pub(crate) struct New {
    /// What it is for.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// What it may do, as far as its account may.
    #[schema(min_items = 1)]
    scopes: Vec<String>,
    /// For whom it speaks; for you unless said otherwise.
    account_id: Option<Uuid>,
    /// From when on it opens nothing; never unless said otherwise.
    expires_at: Option<DateTime<Utc>>,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl New {
    fn problems(&self, account: Option<Uuid>) -> Vec<FieldProblem> {
        let mut wrong = vec![];
        let mut field = |pointer: String, code: &'static str, detail: String| {
            wrong.push(FieldProblem {
                pointer,
                code: code.into(),
                detail,
            });
        };
        let name = self.name.trim();
        if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || name.contains(char::is_control)
        {
            let how = format!("Give 1 to {NAME_CHARS_MAX} plain characters.");
            field("/name".to_owned(), "invalid", how);
        }
        let known: Vec<&str> = permissions::scopes().collect();
        let choice = || format!("Give some of: {}.", known.join(", "));
        if self.scopes.is_empty() {
            field("/scopes".to_owned(), "missing", choice());
        }
        for (at, scope) in self.scopes.iter().enumerate() {
            if !known.contains(&scope.as_str()) {
                field(format!("/scopes/{at}"), "unknown_scope", choice());
            }
        }
        if self.expires_at.is_some_and(|expires| expires <= Utc::now()) {
            let how = "Give a time that is yet to come, or none.";
            field("/expires_at".to_owned(), "out_of_range", how.to_owned());
        }
        if account.is_none() {
            let how = "Name the account that the key is to speak for.";
            field("/account_id".to_owned(), "missing", how.to_owned());
        }
        wrong
    }
}

/// Makes a key, and tells it this once. It may do what its scopes say and its account may, never more.
pub(crate) async fn create(
    caller: Staff,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<New>,
) -> Result<Response, Problem> {
    no_key(&caller)?;
    let reason = words(value.reason.as_deref(), value.note.as_deref())?;
    let account = value.account_id.or(caller.own_account());
    let wrong = value.problems(account);
    let Some(account) = account.filter(|_| wrong.is_empty()) else {
        return Err(Problem::invalid(wrong));
    };
    let by = caller.signature();
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response()); // without the key, which nobody kept
    }
    if store::find_in(&mut tx, account).await?.is_none() {
        let how = "There is no such account; see /api/v1/admin/accounts.";
        return Err(Problem::field("/account_id", "unknown_account", how));
    }
    may_make(&caller, &roles::names(&mut tx, account).await?)?;
    let made = secrets::key();
    let new = NewKey {
        id: Uuid::now_v7(),
        account,
        name: value.name.trim().to_owned(),
        prefix: made.prefix,
        hash: secrets::hash(&made.secret),
        scopes: value.scopes,
        by: by.clone(),
        expires_at: value.expires_at,
    };
    let key = keys::create(&mut tx, new).await?;
    let detail = json!({"account_id": account, "scopes": key.scopes, "prefix": key.prefix});
    let entry = Entry {
        actor: &by,
        verb: "key.create",
        target_kind: "key",
        target_id: key.id.to_string(),
        reason: &reason,
        detail,
    };
    audit::write(&mut tx, &entry).await?;
    let mut told = Made {
        told: Told::from(key),
        key: None,
    };
    let kept = Given::telling(StatusCode::CREATED, &told)?;
    told.key = Some(made.secret);
    let given = Given::telling(StatusCode::CREATED, &told)?;
    command.keep(&mut tx, &kept).await?;
    tx.commit().await?;
    Ok(given.into_response())
}

/// Has a key open nothing from now on.
pub(crate) async fn revoke(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Problem> {
    let reason = value.words()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let revoked = keys::revoke(&mut tx, id).await?;
    let (key, changed) = revoked.ok_or_else(|| Problem::not_found("key"))?;
    if changed {
        let entry = Entry {
            actor: &caller.signature(),
            verb: "key.revoke",
            target_kind: "key",
            target_id: id.to_string(),
            reason: &reason,
            detail: json!({"prefix": key.prefix}),
        };
        audit::write(&mut tx, &entry).await?;
    }
    let given = Given::telling(StatusCode::OK, &Told::from(key))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    state.door().look_again();
    Ok(given.into_response())
}
