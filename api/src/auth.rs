//! Who calls and what they may do: the first thing that every protected route asks, before it reads anything else.

mod caller;
mod credentials;
mod discovery;
mod door;
mod issuers;
mod jwks;
pub(crate) mod opened;
pub(crate) mod passwords;
pub(crate) mod secrets;
pub mod table;

pub(crate) use caller::{By, Caller};
pub(crate) use door::{Door, disabled, refused};
pub(crate) use issuers::Issuers;

use crate::context::Context;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use domain::accounts::permissions::Reach;
use std::{ops::Deref, sync::Arc};
use table::Need;
use uuid::Uuid;

/// A caller who has the permission that the table asks for at this route, if only for rows of their own.
/// Goes first among a handler's arguments.
pub(crate) struct Signed {
    caller: Arc<Caller>,
    reach: Reach,
}

/// A caller who has the permission that the table asks for at this route, for everybody's rows. Goes first
/// among a handler's arguments.
pub(crate) struct Staff(Signed);

impl Signed {
    /// Whether rows of `owner` are theirs to see here.
    pub(crate) fn may_see(&self, owner: Option<Uuid>) -> bool {
        owner == Some(self.account()) || self.reach == Reach::All
    }
    /// Whose rows a query is to find; `None` for everybody's.
    pub(crate) fn owner(&self) -> Option<Uuid> {
        match self.reach {
            Reach::Own => Some(self.account()),
            Reach::All => None,
        }
    }
}

impl Deref for Signed {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl Deref for Staff {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequestParts<State> for Signed {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let caller = match parts.extensions.remove::<Arc<Caller>>() {
            Some(caller) => caller, // its requests were counted on the way here
            None => state.door().recognise(&parts.headers).await?,
        };
        if let (Some(context), Some(account)) =
            (parts.extensions.get::<Context>(), caller.own_account())
        {
            context.note_account(account);
        }
        let route = parts
            .extensions
            .get::<MatchedPath>()
            .map_or("", MatchedPath::as_str);
        let reach = match table::need(parts.method.as_str(), route) {
            Some(Need::Anybody) => Reach::Own,
            Some(Need::Own(permission)) => permitted(&caller, permission, Reach::Own)?,
            Some(Need::All(permission)) => permitted(&caller, permission, Reach::All)?,
            // A route that nobody thought about is not thereby open.
            Some(Need::Nobody) | None => {
                let what = format!("{} {route} is in no table of permissions", parts.method);
                return Err(Problem::internal(&what));
            }
        };
        Ok(Self { caller, reach })
    }
}

impl FromRequestParts<State> for Staff {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let signed = Signed::from_request_parts(parts, state).await?;
        if signed.reach == Reach::All {
            return Ok(Self(signed));
        }
        Err(Problem::internal(
            &"a route of staff asks for less than all",
        ))
    }
}

fn permitted(caller: &Caller, permission: &str, least: Reach) -> Result<Reach, Problem> {
    let reach = caller.reach(permission).filter(|reach| *reach >= least);
    reach.ok_or_else(|| {
        Problem::new(
            Code::Forbidden,
            format!("This needs the permission {permission}; ask an admin for a role that has it."),
        )
    })
}
