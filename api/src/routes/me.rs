//! `/auth/me`, `/auth/sessions`, `/auth/logout`: what callers see of themselves, and how they go.

use crate::auth::{By, Signed};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use domain::accounts::permissions::Permissions;
use domain::accounts::sessions::{self, Session};
use domain::accounts::store;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Tells callers who they are and what they may do.
pub(crate) async fn show(
    caller: Signed,
    In(state): In<State>,
) -> Result<axum::Json<Value>, Problem> {
    let account = match caller.own_account() {
        Some(id) => store::find(state.db(), id).await?,
        None => None,
    };
    let (by, session) = match caller.by() {
        By::Session(id) => ("session", Some(*id)),
        By::Issuer => ("issuer", None),
        By::Key(_) => ("api_key", None),
        By::Bootstrap => ("bootstrap_key", None),
    };
    Ok(axum::Json(json!({
        "id": caller.own_account(),
        "email": caller.email(),
        "display_name": account.map(|account| account.display_name),
        "roles": caller.roles(),
        "permissions": caller.rights().words(),
        "key_permissions": caller.bounds().map(Permissions::words),
        "signed_in_by": by,
        "session_id": session,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct From {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists the caller's sessions, newest first.
pub(crate) async fn sessions(
    caller: Signed,
    In(state): In<State>,
    Params(from): Params<From>,
) -> Result<axum::Json<Page<Value>>, Problem> {
    let account = person(&caller)?;
    let limit = page::limit(from.limit)?;
    let before: Option<Uuid> = page::read(from.cursor.as_deref())?;
    let found = sessions::of_account(state.db(), account, before, limit + 1).await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > kept;
    let told = |session: &Session| {
        json!({
            "id": session.id,
            "current": *caller.by() == By::Session(session.id),
            "ip_prefix": session.ip_prefix,
            "user_agent": session.user_agent,
            "created_at": session.created_at,
            "last_used_at": session.last_used_at,
            "expires_at": session.expires_at,
        })
    };
    let items: Vec<Value> = found.iter().take(kept).map(told).collect();
    let next = found.iter().take(kept).next_back().map(|last| last.id);
    Ok(axum::Json(Page::new(items, next.filter(|_| more).as_ref())))
}

/// The account of a caller who signed in. What is a person's own business is not that of a machine's key.
pub(super) fn person(caller: &Signed) -> Result<Uuid, Problem> {
    match (caller.by(), caller.own_account()) {
        (By::Session(_) | By::Issuer, Some(account)) => Ok(account),
        (By::Session(_) | By::Issuer | By::Key(_) | By::Bootstrap, _) => Err(Problem::new(
            Code::Forbidden,
            "This is for whoever signed in; an API key has no part in it.",
        )),
    }
}

/// Ends one of the caller's sessions; its tokens open nothing any more.
pub(crate) async fn end(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
) -> Result<StatusCode, Problem> {
    let account = person(&caller)?;
    let mut tx = state.begin().await?;
    if !sessions::revoke_own(&mut tx, id, account).await? {
        return Err(Problem::not_found("session"));
    }
    tx.commit().await?;
    state.door().forget(id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the session of the token that the caller shows.
pub(crate) async fn logout(caller: Signed, In(state): In<State>) -> Result<StatusCode, Problem> {
    let By::Session(id) = caller.by() else {
        return Err(Problem::new(
            Code::StateConflict,
            "These credentials are no session of ours: sign out at their issuer, or have the key revoked.",
        ));
    };
    let mut tx = state.begin().await?;
    sessions::revoke(&mut tx, *id).await?;
    tx.commit().await?;
    state.door().forget(*id).await;
    Ok(StatusCode::NO_CONTENT)
}
