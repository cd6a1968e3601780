//! `/surveys/{id}/responses`: a friend answers, without an account.

use crate::asked::Asked;
use crate::body::{Json, PUBLIC_BYTES_MAX};
use crate::client::Client;
use crate::idempotency::{Command, Given};
use crate::params::Name;
use crate::problem::{Code, FieldProblem, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::Utc;
use domain::mirror::answers::{self, Answers};
use domain::mirror::questions::QuestionSet;
use domain::mirror::store::responses::{Submission, SubmitError, submit_response};
use domain::mirror::store::surveys::{NotOpen, Shared};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use uuid::Uuid;

const FINGERPRINT_BYTES_MAX: usize = 256;

/// A friend's answers.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewResponse)]
pub(crate) struct Respond {
    /// One answer for each question, by its id.
    #[schema(value_type = std::collections::BTreeMap<String, Value>)]
    answers: Value,
    /// What tells this friend from others at the same address.
    #[schema(max_length = 256)]
    fingerprint: Option<String>,
}

/// That the answers are in.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Thanks {
    status: &'static str,
    message: &'static str,
}

/// Takes a friend's answers; those that make enough of them start the forge, in the same transaction.
pub(crate) async fn create(
    Name(name): Name,
    In(state): In<State>,
    asked: Asked,
    client: Client,
    Json { value, bytes }: Json<Respond, PUBLIC_BYTES_MAX>,
) -> Result<Response, Problem> {
    if value
        .fingerprint
        .as_ref()
        .is_some_and(|print| print.len() > FINGERPRINT_BYTES_MAX)
    {
        let how = format!("Send at most {FINGERPRINT_BYTES_MAX} bytes.");
        return Err(Problem::field("/fingerprint", "too_long", how));
    }
    let (shared, set) = super::surveys::find(&state, &name).await?;
    let survey = shared.survey.id;
    let agent = value.fingerprint.as_deref().unwrap_or(&asked.user_agent);
    let responder_hash = responder(
        state.settings().pepper.reveal().as_bytes(),
        survey,
        &client.address.to_string(),
        agent,
    );
    let who = format!("responder {}", Uuid::new_v5(&survey, &responder_hash));
    let command = Command::of(&state, &who, &asked, &bytes)?;
    let answers = match taken(&shared, &set, &value.answers) {
        Err(problem) if !command.has_key() => return Err(problem),
        judged => judged,
    };
    let mut tx = state.begin().await?;
    // First of all: what was answered before is answered again, though the survey may be over now.
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let submission = Submission {
        id: Uuid::now_v7(),
        survey,
        answers: answers?,
        responder_hash,
        saga: Uuid::now_v7(),
        request_id: asked.request_id,
    };
    let submitted = submit_response(&mut tx, state.client(), submission)
        .await
        .map_err(refused)?;
    let thanks = Thanks {
        status: "success",
        message: "Thank you, your answers are in.",
    };
    let given = Given::telling(StatusCode::CREATED, &thanks)?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    state.client().publish(submitted.tickets);
    Ok(given.into_response())
}

/// The answers, if the survey takes any and these fit.
fn taken(shared: &Shared, set: &QuestionSet, given: &Value) -> Result<Answers, Problem> {
    let open = shared.survey.open(Utc::now());
    open.map_err(super::surveys::not_open)?;
    answers::validate(set, given).map_err(|errors| {
        let told = |error: answers::FieldError| FieldProblem {
            code: serde_json::to_value(error.code)
                .ok()
                .and_then(|code| Some(code.as_str()?.to_owned()))
                .unwrap_or_default()
                .into(),
            pointer: error.pointer,
            detail: error.detail,
        };
        Problem::invalid(errors.into_iter().map(told).collect())
    })
}

/// Tells the responders of one survey apart, and says nothing about them: not whether two surveys were
/// answered by the same one, nor, without the pepper, where they live.
fn responder(pepper: &[u8], survey: Uuid, address: &str, agent: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper).expect("HMAC takes keys of any length");
    mac.update(b"responder\0");
    mac.update(survey.as_bytes());
    mac.update(address.as_bytes());
    mac.update(b"\0");
    mac.update(agent.as_bytes());
    mac.finalize().into_bytes().into()
}

fn refused(error: SubmitError) -> Problem {
    match error {
        SubmitError::NotFound => Problem::not_found("survey"),
        SubmitError::Closed => super::surveys::not_open(NotOpen::Closed),
        SubmitError::Expired => super::surveys::not_open(NotOpen::Expired),
        SubmitError::Duplicate => Problem::new(
            Code::DuplicateResponse,
            "Each friend answers once; your answers are in already.",
        ),
        SubmitError::Start(error) => error.into(),
        SubmitError::Store(error) => error.into(),
    }
}
