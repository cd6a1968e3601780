//! `Idempotency-Key`: the same command twice is one command, and gets one answer.

use crate::asked::Asked;
use crate::keyed;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::accounts::idempotency::{self, Claim, CommandKey, Kept};
use saga_core::db::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Says that an answer is one of before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Commands with a key that this process is at.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<BTreeSet<(String, String)>>>);

/// A command's place among [`InFlight`], given up when it is dropped.
struct Turn {
    all: InFlight,
    name: (String, String),
}

impl InFlight {
    fn enter(&self, key: &CommandKey) -> Option<Turn> {
        let name = (key.scope.clone(), key.key.clone());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.clone()).then(|| Turn {
            all: self.clone(),
            name,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.all
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.name);
    }
}

/// A command, with or without a key.
pub(crate) struct Command(Option<Keyed>);

struct Keyed {
    key: CommandKey,
    /// Keyed: a body may be a password, which a plain hash would let anybody find by trying.
    body_hash: String,
    /// As builds wrote it that did not key it; their rows are kept for a day.
    older: String,
    _turn: Turn,
}

/// What a command answered.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) status: StatusCode,
    /// The job that it started, if it did; that is told as it is now.
    pub(crate) job: Option<Uuid>,
    pub(crate) body: Value,
    location: Option<String>,
    replayed: bool,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    job: Option<Uuid>,
    location: Option<String>,
    body: Value,
}

impl Command {
    /// Takes a command up. `who` tells callers apart.
    pub(crate) fn of(
        state: &State,
        who: &str,
        asked: &Asked,
        body: &[u8],
    ) -> Result<Self, Problem> {
        let Some(key) = &asked.key else {
            return Ok(Self(None));
        };
        let scope = format!("{who} {} {}", asked.method, asked.uri.path());
        let key = CommandKey {
            scope,
            key: key.clone(),
        };
        let Some(turn) = state.in_flight().enter(&key) else {
            return Err(under_way());
        };
        let keyed = keyed::hash(&state.settings().pepper, "command body", &[body]);
        Ok(Self(Some(Keyed {
            key,
            body_hash: domain::hash::hexadecimal(&keyed),
            older: domain::hash::name(body),
            _turn: turn,
        })))
    }

    /// Whether it has a key.
    pub(crate) fn has_key(&self) -> bool {
        self.0.is_some()
    }

    /// Looks for the answer of before, in the command's transaction. If there is none, the key is this
    /// command's, once its answer is kept and the transaction committed.
    pub(crate) async fn claim(&self, tx: &mut Tx) -> Result<Option<Given>, Problem> {
        let Some(keyed) = &self.0 else {
            return Ok(None);
        };
        let hashes = (&*keyed.body_hash, &*keyed.older);
        match idempotency::claim(tx, &keyed.key, hashes).await? {
            Claim::Fresh => Ok(None),
            Claim::Done(kept) => Given::read(&kept).map(Some),
            Claim::UnderWay => Err(under_way()),
            Claim::Reused => Err(Problem::new(
                Code::IdempotencyKeyReused,
                "This Idempotency-Key came with another body before; use a new key for a new request.",
            )),
        }
    }

    /// Keeps the answer, in the command's transaction.
    pub(crate) async fn keep(&self, tx: &mut Tx, given: &Given) -> Result<(), Problem> {
        let Some(Keyed { key, .. }) = &self.0 else {
            return Ok(());
        };
        Ok(idempotency::keep(tx, key, &given.kept()).await?)
    }

    /// As [`Command::claim`], for a command that the engine does in a transaction of its own: doing it
    /// again after a crash in between does no harm.
    pub(crate) async fn earlier(&self, state: &State) -> Result<Option<Given>, Problem> {
        if self.0.is_none() {
            return Ok(None);
        }
        let mut tx = state.begin().await?;
        self.claim(&mut tx).await // rolled back: nothing is kept yet
    }

    /// As [`Command::keep`], after the engine did it.
    pub(crate) async fn keep_after(&self, state: &State, given: &Given) -> Result<(), Problem> {
        if self.0.is_none() {
            return Ok(());
        }
        let mut tx = state.begin().await?;
        if self.claim(&mut tx).await?.is_none() {
            self.keep(&mut tx, given).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl Given {
    /// An answer with a JSON body.
    pub(crate) fn new(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            job: None,
            body,
            location: None,
            replayed: false,
        }
    }
    /// An answer that tells this.
    pub(crate) fn telling(status: StatusCode, told: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_value(told).map_err(|error| Problem::internal(&error))?;
        Ok(Self::new(status, body))
    }
    /// An answer that is a job.
    pub(crate) fn of_job(job: Uuid) -> Self {
        Self {
            job: Some(job),
            ..Self::new(StatusCode::ACCEPTED, Value::Null)
        }
    }
    /// Says where what was made is found.
    pub(crate) fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }
    /// Marks a response as one of before, if this is one.
    pub(crate) fn mark(&self, mut response: Response) -> Response {
        if self.replayed {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }

    fn kept(&self) -> Kept {
        let stored = Stored {
            job: self.job,
            location: self.location.clone(),
            body: self.body.clone(),
        };
        let response = serde_json::to_string(&stored).unwrap_or_default();
        Kept {
            status: i64::from(self.status.as_u16()),
            response,
        }
    }

    fn read(kept: &Kept) -> Result<Self, Problem> {
        let Stored {
            job,
            location,
            body,
        } = serde_json::from_str(&kept.response).map_err(|error| Problem::internal(&error))?;
        let status = u16::try_from(kept.status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok());
        Ok(Self {
            status: status.unwrap_or(StatusCode::OK),
            job,
            body,
            location,
            replayed: true,
        })
    }
}

impl IntoResponse for Given {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(&self.body)).into_response();
        let location = self
            .location
            .as_deref()
            .and_then(|location| HeaderValue::from_str(location).ok());
        if let Some(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        self.mark(response)
    }
}

fn under_way() -> Problem {
    let how =
        "The first request with this Idempotency-Key is not answered yet; ask again in a second.";
    Problem::new(Code::IdempotencyInProgress, how).retry_after(1)
}
