//! `DELETE /auth/me`: an account goes, with everything that it owns.

use super::me::person;
use crate::asked::Asked;
use crate::auth::Signed;
use crate::jobs::answer;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::response::Response;
use domain::accounts::erase::{Erase, EraseAccount};
use domain::accounts::{erased_identities, erasure, identities};
use saga_core::Saga as _;
use saga_core::store::NewSaga;
use saga_core::store::audit::{self, Entry};
use serde_json::json;
use uuid::Uuid;

const OF_PEOPLE: &str =
    "An account is erased by whoever signs in to it; no key, and no machine, may do that.";

/// Begins to erase the caller's account. Whoever asks twice is told of the same job, which its owner may
/// cancel for as long as nothing is gone.
pub(crate) async fn erase(
    caller: Signed,
    In(state): In<State>,
    asked: Asked,
) -> Result<Response, Problem> {
    let account = person(&caller, OF_PEOPLE)?;
    let input = serde_json::to_value(Erase { account }).map_err(|e| Problem::internal(&e))?;
    let new = NewSaga {
        id: Uuid::now_v7(),
        kind: EraseAccount::KIND.to_owned(),
        input,
        owner_id: Some(account),
        request_id: asked.request_id,
        trace: saga_core::trace::current(),
        singleton: Some(account.to_string()),
        replay_of: None,
    };
    let mut tx = state.begin().await?;
    let (started, tickets) = state.client().start_in(&mut tx, new).await?;
    if started.new {
        erasure::asked(&mut tx, started.id, account).await?;
        for (issuer, subject) in identities::of_account(&mut tx, account).await? {
            let hash = state.door().identity_hash(&issuer, &subject);
            erased_identities::note(&mut tx, account, hash).await?;
        }
        let who = account.to_string();
        let entry = Entry {
            actor: &who,
            verb: "account.erase",
            target_kind: "account",
            target_id: who.clone(),
            reason: "its owner asks for it",
            detail: json!({"job": started.id}),
        };
        audit::write(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    state.client().publish(tickets);
    let seen = state.jobs().fresh(started.id).await?;
    let mut seen = seen.ok_or_else(|| Problem::no_job("job"))?;
    if let Some(wait) = asked.wait {
        seen = state.jobs().wait(seen, wait).await;
    }
    Ok(answer::to_command(&seen, asked.wait))
}

/// Refuses to make anything more for an account that is about to go, or is gone.
pub(super) async fn staying(state: &State, account: Uuid) -> Result<(), Problem> {
    if erasure::find(state.db(), account).await?.is_none() {
        return Ok(());
    }
    Err(leaving())
}

/// Answers whoever wants something made for an account that is about to go, or is gone.
pub(super) fn leaving() -> Problem {
    let how = "This account is being erased, as its owner asked; nothing is made for it any more.";
    Problem::new(Code::InvalidToken, how)
}
