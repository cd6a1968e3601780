//! `/auth/refresh`: how people stay.

use super::sign_in::KIND;
use crate::asked::Asked;
use crate::auth::opened::{self, Opened};
use crate::auth::{disabled, secrets};
use crate::body::{Json, PUBLIC_BYTES_MAX};
use crate::idempotency::Command;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::response::{IntoResponse as _, Response};
use domain::accounts::{sessions, store};
use saga_core::db::Tx;
use saga_core::store::audit::{self, Entry};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A refresh token, to be spent.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefreshToken)]
pub(crate) struct Refresh {
    /// The one that came last.
    refresh_token: String,
}

/// A new pair of tokens.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TokenPair)]
pub(crate) struct Pair {
    /// To be sent as `Authorization: Bearer`.
    access_token: String,
    /// For the next refresh, once.
    refresh_token: String,
    token_type: &'static str,
    /// Seconds that the access token is good for.
    expires_in: u64,
}

impl From<Opened> for Pair {
    fn from(opened: Opened) -> Self {
        Self {
            access_token: opened.access,
            refresh_token: opened.refresh,
            token_type: KIND,
            expires_in: opened.expires_in,
        }
    }
}

/// Gives a new pair of tokens for a refresh token, which counts once. One that was used before ends its
/// session: of the two who have it, nobody knows which one is the owner. Whoever lost the answer asks again
/// under the same key, and gets another pair if nobody has used the first.
pub(crate) async fn refresh(
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Refresh, PUBLIC_BYTES_MAX>,
) -> Result<Response, Problem> {
    if !secrets::is_refresh(&value.refresh_token) {
        return Err(unknown());
    }
    let old = secrets::hash(&value.refresh_token);
    let account = sessions::owner(state.db(), old).await?;
    let account = account.ok_or_else(unknown)?;
    let command = Command::of(&state, &account.to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    let opened = match command.claim(&mut tx).await? {
        Some(earlier) => opened::again(&state, &mut tx, &command, account, earlier).await?,
        None => rotate(&state, &mut tx, &command, old).await?,
    };
    let Some(opened) = opened else {
        drop(tx); // the key is not this command's, which did nothing
        end(&state, old).await?;
        return Err(unknown());
    };
    let found = store::find_in(&mut tx, account).await?;
    if found.is_none_or(|account| account.disabled_at.is_some()) {
        return Err(disabled()); // rolled back: the token is not spent
    }
    tx.commit().await?;
    let given = opened.given.clone();
    let told = axum::Json(Pair::from(opened));
    Ok(given.mark(told.into_response()))
}

/// A new pair for a token that was not used yet; none for any other.
async fn rotate(
    state: &State,
    tx: &mut Tx,
    command: &Command,
    old: [u8; 32],
) -> Result<Option<Opened>, Problem> {
    let new = secrets::refresh();
    let life = opened::life(state);
    let Some(whose) = sessions::rotate(tx, old, secrets::hash(&new), life).await? else {
        return Ok(None);
    };
    let opened = opened::hand_out(state, tx, command, whose, new).await?;
    Ok(Some(opened))
}

/// Ends the session of a token that was used twice.
async fn end(state: &State, old: [u8; 32]) -> Result<(), Problem> {
    let mut tx = state.begin().await?;
    let Some((session, account)) = sessions::end_reused(&mut tx, old).await? else {
        return Ok(()); // too old, or over
    };
    let entry = Entry {
        actor: "the server",
        verb: "session.revoke",
        target_kind: "session",
        target_id: session.to_string(),
        reason: "a refresh token was used twice",
        detail: json!({"account_id": account}),
    };
    audit::write(&mut tx, &entry).await?;
    tx.commit().await?;
    state.door().forget(session).await;
    tracing::warn!(%session, %account, "A refresh token was used twice: its session is over");
    Ok(())
}

fn unknown() -> Problem {
    let how = "The refresh token is none of ours, or over; sign in again.";
    Problem::new(Code::InvalidToken, how)
}
