//! What operators do to a replay under way: pause, resume, stop.

use super::dead_letters::Decision;
use super::replays::{Told, found};
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::params::Id;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use saga_core::store::ReplayVerb;
use uuid::Uuid;

/// Begins no further letter until it is resumed.
pub(crate) async fn pause(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    body: Json<Decision>,
) -> Result<Response, Problem> {
    let wish = Wish {
        caller,
        id,
        verb: ReplayVerb::Pause,
    };
    wish.grant(&state, &asked, body).await
}

/// Goes on.
pub(crate) async fn resume(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    body: Json<Decision>,
) -> Result<Response, Problem> {
    let wish = Wish {
        caller,
        id,
        verb: ReplayVerb::Resume,
    };
    wish.grant(&state, &asked, body).await
}

/// Begins no further letter at all.
pub(crate) async fn stop(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    body: Json<Decision>,
) -> Result<Response, Problem> {
    let wish = Wish {
        caller,
        id,
        verb: ReplayVerb::Stop,
    };
    wish.grant(&state, &asked, body).await
}

/// What somebody wants of a replay.
struct Wish {
    caller: Staff,
    id: Uuid,
    verb: ReplayVerb,
}

impl Wish {
    async fn grant(
        self,
        state: &State,
        asked: &Asked,
        Json { value, bytes }: Json<Decision>,
    ) -> Result<Response, Problem> {
        let (by, reason) = (self.caller.signature(), value.words()?);
        let command = Command::of(state, &self.caller.account().to_string(), asked, &bytes)?;
        if let Some(earlier) = command.earlier(state).await? {
            return Ok(earlier.into_response());
        }
        let steered = state.store().steer_replay(self.id, self.verb, &by, &reason);
        let steered = steered.await?;
        let replay = found(state, self.id).await?;
        // Asking twice is fine.
        let so_already = match self.verb {
            ReplayVerb::Pause => replay.state == "paused",
            ReplayVerb::Resume => replay.state == "running",
            ReplayVerb::Stop => matches!(replay.state.as_str(), "stopping" | "stopped"),
        };
        if !steered && !so_already {
            let how = format!("The replay is {}; look at it again.", replay.state);
            let problem = Problem::new(Code::StateConflict, how);
            return Err(problem.with("replay_status", replay.state));
        }
        let body = serde_json::to_value(Told::from(replay));
        let given = Given::new(StatusCode::OK, body.map_err(|e| Problem::internal(&e))?);
        command.keep_after(state, &given).await?;
        Ok(given.into_response())
    }
}
