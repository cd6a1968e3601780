//! `/admin/api-keys`: what machines show in place of a token.

use super::accounts::{may_make, no_key};
use super::dead_letters::words;
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
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

const NAME_CHARS_MAX: usize = 80;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists keys, newest first, without what would open anything.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(from): Params<From>,
) -> Result<axum::Json<Page<Value>>, Problem> {
    let limit = page::limit(from.limit)?;
    let before: Option<Uuid> = page::read(from.cursor.as_deref())?;
    let found = keys::list(state.db(), before, limit + 1).await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > kept;
    let items: Vec<Value> = found.iter().take(kept).map(told).collect();
    let next = found.iter().take(kept).next_back().map(|last| last.id);
    Ok(axum::Json(Page::new(items, next.filter(|_| more).as_ref())))
}

fn told(key: &Key) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "account_id": key.account_id,
        "scopes": key.scopes.split(' ').collect::<Vec<_>>(),
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    name: String,
    scopes: Vec<String>,
    account_id: Option<Uuid>,
    expires_at: Option<DateTime<Utc>>,
    reason: Option<String>,
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
    let mut given = Given::new(StatusCode::CREATED, told(&key));
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    given.body["key"] = json!(made.secret);
    Ok(given.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    reason: Option<String>,
    note: Option<String>,
}

/// Has a key open nothing from now on.
pub(crate) async fn revoke(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    Json { value, .. }: Json<Why>,
) -> Result<axum::Json<Value>, Problem> {
    let reason = words(value.reason.as_deref(), value.note.as_deref())?;
    let mut tx = state.begin().await?;
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
    tx.commit().await?;
    state.door().look_again();
    Ok(axum::Json(told(&key)))
}
