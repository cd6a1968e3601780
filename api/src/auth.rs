//! Who calls: the first thing that every protected route asks, before it reads anything else.

use crate::context::Context;
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::token::{Rejected, Verified, Verifier};
use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, header, request::Parts};
use chrono::Utc;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};
use std::{ops::Deref, sync::Arc, time::Duration};
use uuid::Uuid;

/// Tokens whose signature need not be checked again.
const KNOWN_MAX: u64 = 10_000;
const KNOWN_FOR: Duration = Duration::from_hours(1);

/// Whoever calls.
#[derive(Debug)]
pub(crate) struct Caller(Verified);

impl Caller {
    /// The account.
    pub(crate) fn account(&self) -> Uuid {
        self.0.grant.account
    }
    /// Its address, if the token tells it.
    pub(crate) fn email(&self) -> Option<&str> {
        self.0.grant.email.as_deref()
    }
    /// How decisions are signed.
    pub(crate) fn signature(&self) -> String {
        self.email()
            .map_or_else(|| self.account().to_string(), str::to_owned)
    }
    /// Whether it may do everything.
    pub(crate) fn is_admin(&self) -> bool {
        self.has("admin")
    }
    /// Whether it may look after other people's jobs.
    pub(crate) fn is_staff(&self) -> bool {
        self.is_admin() || self.has("operator")
    }
    /// Whether rows of `owner` are its to see.
    pub(crate) fn may_see(&self, owner: Option<Uuid>) -> bool {
        owner == Some(self.account()) || self.is_admin()
    }
    fn has(&self, role: &str) -> bool {
        self.0.grant.roles.iter().any(|one| one == role)
    }
}

/// Recognises callers by their tokens, and remembers those whose signature held.
#[derive(Clone)]
pub(crate) struct Door {
    verifier: Verifier,
    known: Cache<[u8; 32], Arc<Caller>>,
}

impl Door {
    pub(crate) fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            known: Cache::builder()
                .max_capacity(KNOWN_MAX)
                .time_to_live(KNOWN_FOR)
                .build(),
        }
    }

    async fn recognise(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
        let token = bearer(headers)?;
        // Only its hash is kept: a copy of this process's memory is no bunch of keys.
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = Utc::now();
        if let Some(caller) = self.known.get(&hash).await {
            return if now < caller.0.until {
                Ok(caller)
            } else {
                Err(rejected(Rejected::Expired))
            };
        }
        let caller = Arc::new(Caller(self.verifier.verify(token, now).map_err(rejected)?));
        self.known.insert(hash, Arc::clone(&caller)).await;
        Ok(caller)
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = given.next() else {
        let how = "Send a token: `Authorization: Bearer …`. `chorus token --email YOU` makes one.";
        return Err(Problem::new(Code::MissingCredentials, how));
    };
    let split = first.to_str().ok().and_then(|value| value.split_once(' '));
    match (split, given.next()) {
        (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Problem::new(
            Code::InvalidToken,
            "Send exactly one `Authorization: Bearer …` header.",
        )),
    }
}

fn rejected(why: Rejected) -> Problem {
    match why {
        Rejected::Invalid => Problem::new(
            Code::InvalidToken,
            "The token is none of ours; get a new one.",
        ),
        Rejected::Expired => Problem::new(
            Code::TokenExpired,
            "Tokens live for 24 hours; get a new one.",
        ),
    }
}

/// A caller with a valid token. Goes first among a handler's arguments.
pub(crate) struct Signed(pub(crate) Arc<Caller>);

/// A caller with the role `admin` or `operator`. Goes first among a handler's arguments.
pub(crate) struct Staff(pub(crate) Arc<Caller>);

impl Deref for Signed {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
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
        let caller = state.door().recognise(&parts.headers).await?;
        if let Some(context) = parts.extensions.get::<Context>() {
            context.note_account(caller.account());
        }
        Ok(Self(caller))
    }
}

impl FromRequestParts<State> for Staff {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Signed(caller) = Signed::from_request_parts(parts, state).await?;
        if caller.is_staff() {
            return Ok(Self(caller));
        }
        Err(Problem::new(
            Code::Forbidden,
            "This needs the role admin or operator.",
        ))
    }
}
