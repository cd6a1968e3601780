//! `/admin/sagas/{id}/…`: holds a saga, has it go on, tries one of its steps again, skips one.

use super::dead_letters::words;
use crate::asked::Asked;
use crate::auth::Staff;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::params::Id;
use crate::problem::{Code, Problem};
use crate::reference::Links;
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::SecondsFormat;
use saga_core::journal::Key;
use saga_core::run::{Consequence, Hindered, Refused, Skip};
use saga_core::store::audit::{AuditFilter, Decided};
use saga_core::store::{Done, SagaVerb, VerbError};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// That a saga is held, or goes on, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SagaHold)]
pub(crate) struct Hold {
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Only tells what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// That a step is tried again, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepRetry)]
pub(crate) struct Retry {
    /// The step's key, where more than one can be tried.
    step: Option<String>,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Only tells what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// That a step is skipped, how and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StepSkip)]
pub(crate) struct SkipStep {
    /// The step's key, where more than one can be skipped.
    step: Option<String>,
    /// What to go on with, of the step's own type.
    #[serde(default, deserialize_with = "given")]
    output: Option<Value>,
    /// Skips a step that its saga does not call optional.
    #[serde(default)]
    force: bool,
    /// Why, in 500 characters at most.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Another word for `reason`.
    #[schema(max_length = 500)]
    note: Option<String>,
    /// Only tells what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// Reads what is there, `null` too: it is an answer like any other.
pub(super) fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// A reason that has to be given.
pub(super) fn why(
    reason: Option<&str>,
    note: Option<&str>,
    how: &'static str,
) -> Result<String, Problem> {
    let words = words(reason, note)?;
    if words.is_empty() {
        return Err(Problem::field("/reason", "required", how));
    }
    Ok(words)
}

/// Holds a saga: what a worker has goes on to its end, nothing further is taken.
pub(crate) async fn pause(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Hold>,
) -> Result<Response, Problem> {
    let how = "Say why: it is somebody else's work that waits.";
    let reason = why(value.reason.as_deref(), value.note.as_deref(), how)?;
    let wish = Wish::new(caller, id, reason, value.dry_run);
    wish.grant(&state, &asked, &bytes, SagaVerb::Pause).await
}

/// Has a paused saga go on.
pub(crate) async fn resume(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Hold>,
) -> Result<Response, Problem> {
    let reason = words(value.reason.as_deref(), value.note.as_deref())?;
    let wish = Wish::new(caller, id, reason, value.dry_run);
    wish.grant(&state, &asked, &bytes, SagaVerb::Resume).await
}

/// Tries a step again now, without waiting for its hour, or for whoever judges its letter.
pub(crate) async fn retry_step(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Retry>,
) -> Result<Response, Problem> {
    let reason = words(value.reason.as_deref(), value.note.as_deref())?;
    let wish = Wish::new(caller, id, reason, value.dry_run);
    let verb = SagaVerb::RetryStep(value.step.map(Key::stored));
    wish.grant(&state, &asked, &bytes, verb).await
}

/// Has a saga do without an optional step, or answers in a step's place.
pub(crate) async fn skip_step(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<SkipStep>,
) -> Result<Response, Problem> {
    let how = "Say why: the saga goes on with something that no worker did.";
    let reason = why(value.reason.as_deref(), value.note.as_deref(), how)?;
    let wish = Wish::new(caller, id, reason, value.dry_run);
    let verb = SagaVerb::SkipStep(Skip {
        step: value.step.map(Key::stored),
        output: value.output,
        force: value.force,
    });
    wish.grant(&state, &asked, &bytes, verb).await
}

/// A saga after a decision about it, or as it would be.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SagaSteered)]
pub(crate) struct Steered {
    id: Uuid,
    state: &'static str,
    reason: String,
    dry_run: bool,
    consequence: Consequence,
    links: Links,
}

/// Who wants something of a saga, and why.
struct Wish {
    caller: Staff,
    saga: Uuid,
    reason: String,
    dry_run: bool,
}

impl Wish {
    fn new(caller: Staff, saga: Uuid, reason: String, dry_run: bool) -> Self {
        Self {
            caller,
            saga,
            reason,
            dry_run,
        }
    }

    async fn grant(
        &self,
        state: &State,
        asked: &Asked,
        bytes: &[u8],
        verb: SagaVerb,
    ) -> Result<Response, Problem> {
        let command = Command::of(state, &self.caller.account().to_string(), asked, bytes)?;
        let mut tx = state.begin().await?;
        if !self.dry_run
            && let Some(earlier) = command.claim(&mut tx).await?
        {
            return Ok(earlier.into_response());
        }
        let signature = self.caller.signature();
        let who = (signature.as_str(), self.reason.as_str());
        let done = match state.store().decide(&mut tx, self.saga, &verb, who).await {
            Ok(done) => done,
            Err(error) => {
                drop(tx); // on SQLite one writes at a time, and looking again takes its turn
                return Err(hindered(state, self.saga, error).await);
            }
        };
        let steered = self.told(&done);
        if self.dry_run {
            return Ok(axum::Json(steered).into_response());
        }
        let link = format!("/api/v1/admin/sagas/{}", self.saga);
        let given = Given::telling(StatusCode::ACCEPTED, &steered)?.at(link);
        command.keep(&mut tx, &given).await?;
        tx.commit().await?;
        saga_core::fault::point("api.committed", "");
        state.client().publish(done.tickets);
        // What is told of the job from here on is not older than the decision.
        drop(state.jobs().fresh(self.saga).await?);
        Ok(given.into_response())
    }

    fn told(&self, done: &Done) -> Steered {
        let link = format!("/api/v1/admin/sagas/{}", self.saga);
        Steered {
            id: self.saga,
            state: done.state.as_str(),
            reason: self.reason.clone(),
            dry_run: self.dry_run,
            consequence: done.consequence.clone(),
            links: Links::from([("self", link)]),
        }
    }
}

/// Why a wish was not granted, and who decided last.
async fn hindered(state: &State, saga: Uuid, error: VerbError) -> Problem {
    if matches!(error, VerbError::NotFound) {
        return Problem::not_found("saga");
    }
    let problem = misfit(error);
    match last(state, saga, None).await {
        Ok(None) => problem,
        Ok(Some(last)) => problem
            .with("decision", last.verb)
            .with("decided_by", last.actor)
            .with(
                "decided_at",
                last.at.to_rfc3339_opts(SecondsFormat::Secs, true),
            ),
        Err(problem) => problem,
    }
}

/// Why a wish does not fit what it is about.
pub(super) fn misfit(error: VerbError) -> Problem {
    let hindered = match error {
        VerbError::Hindered(hindered) => hindered,
        VerbError::Refused(Refused::Pivoted) => {
            let how = "The saga is past its point of no return and can only go forward; replay the letter as it is.";
            return Problem::new(Code::StateConflict, how);
        }
        VerbError::Edit { pointer, why } => {
            return Problem::field(pointer, "invalid", format!("This edit does not do: {why}."));
        }
        VerbError::TooLate => {
            let how =
                "A letter can be restored for 30 days after it was discarded; submit the job anew.";
            return Problem::new(Code::Expired, how);
        }
        VerbError::Store(error) => return error.into(),
        VerbError::Start(error) => return error.into(),
        VerbError::NotFound => return Problem::not_found("letter"),
        VerbError::Refused(Refused::NotOpen | Refused::Finished) => {
            let how = "Somebody has judged the letter meanwhile; look at it again.";
            return Problem::new(Code::StateConflict, how);
        }
    };
    let words = hindered.to_string();
    let code = match hindered {
        Hindered::UnknownStep(_) => return Problem::field("/step", "unknown", words),
        Hindered::WhichStep(_) => return Problem::field("/step", "ambiguous", words),
        Hindered::NotOptional(_) => return Problem::field("/force", "required", words),
        Hindered::Misfit { .. } => return Problem::field("/output", "invalid", words),
        Hindered::Finished => Code::JobFinished,
        Hindered::State { .. } | Hindered::Step { .. } => Code::StateConflict,
    };
    Problem::new(code, words)
}

/// The last decision about a saga, or the last of one kind.
pub(super) async fn last(
    state: &State,
    saga: Uuid,
    verb: Option<&str>,
) -> Result<Option<Decided>, Problem> {
    let filter = AuditFilter {
        verb: verb.map(str::to_owned),
        target: Some(saga.to_string()),
        limit: 1,
        ..AuditFilter::default()
    };
    Ok(state.store().audit(&filter).await?.into_iter().next())
}
