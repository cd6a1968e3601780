//! `/auth/me`, `/auth/sessions`, `/auth/logout`: what callers see of themselves, and how they go.

use crate::asked::Asked;
use crate::auth::{By, Signed};
use crate::idempotency::{Command, Given};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::accounts::permissions::Permissions;
use domain::accounts::sessions::{self, Session};
use domain::accounts::store;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

const OF_PEOPLE: &str = "Sessions are for whoever signed in; a key has none.";

/// Who a caller is.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Me {
    /// The account; the key of the settings has none.
    id: Option<Uuid>,
    email: Option<String>,
    display_name: Option<String>,
    roles: Vec<String>,
    /// What the roles permit; with `own` behind it for rows of one's own alone.
    permissions: Vec<String>,
    /// What the key is bound to, beyond which it opens nothing.
    key_permissions: Option<Vec<String>>,
    signed_in_by: SignedInBy,
    session_id: Option<Uuid>,
}

/// By what a caller is recognised.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum SignedInBy {
    Session,
    Issuer,
    ApiKey,
    BootstrapKey,
}

/// Tells callers who they are and what they may do.
pub(crate) async fn show(caller: Signed, In(state): In<State>) -> Result<axum::Json<Me>, Problem> {
    let account = match caller.own_account() {
        Some(id) => store::find(state.db(), id).await?,
        None => None,
    };
    let (signed_in_by, session_id) = match caller.by() {
        By::Session(id) => (SignedInBy::Session, Some(*id)),
        By::Issuer => (SignedInBy::Issuer, None),
        By::Key(_) => (SignedInBy::ApiKey, None),
        By::Bootstrap => (SignedInBy::BootstrapKey, None),
    };
    Ok(axum::Json(Me {
        id: caller.own_account(),
        email: caller.email().map(str::to_owned),
        display_name: account.map(|account| account.display_name),
        roles: caller.roles().to_vec(),
        permissions: caller.rights().words(),
        key_permissions: caller.bounds().map(Permissions::words),
        signed_in_by,
        session_id,
    }))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct From {
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A session, as its owner sees it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub(crate) struct Told {
    id: Uuid,
    /// Whether it is the one that asks.
    current: bool,
    /// Where it was opened from, roughly.
    ip_prefix: String,
    /// With which program.
    user_agent: String,
    created_at: DateTime<Utc>,
    /// To a few minutes.
    last_used_at: DateTime<Utc>,
    /// When it ends unless it is refreshed.
    expires_at: DateTime<Utc>,
}

impl Told {
    fn of(session: Session, caller: &Signed) -> Self {
        Self {
            id: session.id,
            current: *caller.by() == By::Session(session.id),
            ip_prefix: session.ip_prefix,
            user_agent: session.user_agent,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
        }
    }
}

/// Lists the caller's sessions, newest first.
pub(crate) async fn sessions(
    caller: Signed,
    In(state): In<State>,
    Params(from): Params<From>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let account = person(&caller, OF_PEOPLE)?;
    let limit = page::limit(from.limit)?;
    let before: Option<Uuid> = page::read(from.cursor.as_deref())?;
    let found = sessions::of_account(state.db(), account, before, limit + 1).await?;
    let told = found.into_iter().map(|session| Told::of(session, &caller));
    let place = |session: &Told| session.id;
    Ok(axum::Json(Page::cut(told.collect(), limit, place)))
}

/// The account of a caller who signed in. What is the person's own business is not for a machine's key.
pub(super) fn person(caller: &Signed, how: &'static str) -> Result<Uuid, Problem> {
    match (caller.by(), caller.own_account()) {
        (By::Session(_) | By::Issuer, Some(account)) => Ok(account),
        (By::Session(_) | By::Issuer | By::Key(_) | By::Bootstrap, _) => {
            Err(Problem::new(Code::Forbidden, how))
        }
    }
}

/// Ends one of the caller's sessions; its tokens open nothing any more.
pub(crate) async fn end(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
) -> Result<StatusCode, Problem> {
    let account = person(&caller, OF_PEOPLE)?;
    let mut tx = state.begin().await?;
    if !sessions::revoke_own(&mut tx, id, account).await? {
        return Err(Problem::not_found("session"));
    }
    tx.commit().await?;
    state.door().forget(id).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the session of the token that the caller shows.
pub(crate) async fn logout(
    caller: Signed,
    In(state): In<State>,
    asked: Asked,
) -> Result<Response, Problem> {
    let By::Session(id) = caller.by() else {
        return Err(Problem::new(
            Code::StateConflict,
            "These credentials are no session of ours: sign out at their issuer, or have the key revoked.",
        ));
    };
    // Each session ends once: whoever asks again in another has another command.
    let command = Command::of(&state, &format!("{} {id}", caller.account()), &asked, b"")?;
    let mut tx = state.begin().await?;
    let given = if let Some(earlier) = command.claim(&mut tx).await? {
        earlier
    } else {
        sessions::revoke(&mut tx, *id).await?;
        let given = Given::new(StatusCode::NO_CONTENT, Value::Null);
        command.keep(&mut tx, &given).await?;
        tx.commit().await?;
        given
    };
    state.door().forget(*id).await;
    Ok(given.mark(StatusCode::NO_CONTENT.into_response()))
}
