//! Accounts that a token may name before anybody has written them down.

use crate::auth::Caller;
use crate::problem::{Code, Problem};
use crate::state::State;
use domain::accounts::{erasure, store};
use moka::future::Cache;
use uuid::Uuid;

/// Accounts that need not be looked up again.
const KNOWN_MAX: u64 = 10_000;

/// Accounts that are known to exist.
pub(crate) struct Accounts(Cache<Uuid, ()>);

impl Default for Accounts {
    fn default() -> Self {
        Self(Cache::new(KNOWN_MAX))
    }
}

impl Accounts {
    /// Makes sure that rows may name the caller as their owner.
    pub(crate) async fn ensure(&self, state: &State, caller: &Caller) -> Result<(), Problem> {
        let id = caller.account();
        if erasure::find(state.db(), id).await?.is_some() {
            return Err(unknown());
        }
        if self.0.contains_key(&id) {
            return Ok(());
        }
        if store::find(state.db(), id).await?.is_none() {
            let Some(email) = caller.email() else {
                return Err(unknown());
            };
            let mut tx = state.begin().await?;
            if store::find_or_create(&mut tx, id, email, store::NAME_DEFAULT)
                .await?
                .id
                != id
            {
                return Err(unknown());
            }
            tx.commit().await?;
        }
        self.0.insert(id, ()).await;
        Ok(())
    }
}

fn unknown() -> Problem {
    Problem::new(
        Code::InvalidToken,
        "The account of this token does not exist; get a new token for your address.",
    )
}
