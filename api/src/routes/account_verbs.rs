//! `/admin/accounts/{id}/…`: an account is disabled, and enabled again.

use super::accounts::{decided, shown, touched};
use super::dead_letters::Decision;
use crate::asked::Asked;
use crate::auth::{Caller, Staff};
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::params::Id;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use domain::accounts::{sessions, store};
use serde_json::json;
use uuid::Uuid;

/// Has an account do nothing any more, and ends its sessions.
pub(crate) async fn disable(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Problem> {
    if caller.own_account() == Some(id) {
        let how = "This is your own account; have another admin disable it.";
        return Err(Problem::new(Code::StateConflict, how));
    }
    let reason = value.words()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    switch(&state, &caller, &command, (id, false), &reason).await
}

/// Has an account that was disabled do things again.
pub(crate) async fn enable(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Decision>,
) -> Result<Response, Problem> {
    let reason = value.words()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    switch(&state, &caller, &command, (id, true), &reason).await
}

async fn switch(
    state: &State,
    caller: &Caller,
    command: &Command,
    (id, on): (Uuid, bool),
    reason: &str,
) -> Result<Response, Problem> {
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    touched(&mut tx, caller, id).await?;
    if store::switch(&mut tx, id, on).await? {
        let verb = ["account.disable", "account.enable"][usize::from(on)];
        if !on {
            sessions::revoke_all(&mut tx, id).await?;
        }
        let by = caller.signature();
        decided(&mut tx, (&by, reason), verb, (id, json!({}))).await?;
    }
    let given = Given::telling(StatusCode::OK, &shown(&mut tx, id).await?)?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    state.door().look_again();
    Ok(given.into_response())
}
