//! `/personas`: the character that friends' answers became.

use super::character::{AwaitedPersona, Character, MyPersona, Told, word};
use crate::asked::Asked;
use crate::auth::Signed;
use crate::body::Json;
use crate::etag;
use crate::idempotency::{Command, Given};
use crate::jobs::{Seen, Status, answer};
use crate::page::{self, Page, Paging};
use crate::params::{Id, Params};
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::body::Bytes;
use axum::extract::State as In;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::mirror::archetype::{Archetype, Mode};
use domain::mirror::store::forges::{ForgeAgain, ForgeError, forge_again};
use domain::mirror::store::mine::{self, Mine};
use domain::mirror::store::personas;
use domain::mirror::store::surveys::MIN_RESPONSES_MIN;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// Tells the caller how far their persona is. It only looks.
pub(crate) async fn me(
    caller: Signed,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mine = mine::mine(state.db(), caller.account()).await?;
    let (awaited, kept) = (awaited(mine.as_ref()), "private, max-age=1");
    match mine.and_then(|mine| mine.persona) {
        None => etag::telling(&headers, &awaited, kept),
        Some(persona) => {
            let character = Character::of(&state, &persona);
            etag::telling(&headers, &MyPersona { awaited, character }, kept)
        }
    }
}

fn awaited(mine: Option<&Mine>) -> AwaitedPersona {
    let persona = mine.and_then(|mine| mine.persona.as_ref());
    let standing = mine.map(|mine| mine.standing);
    let min_responses = mine
        .map(|mine| mine.min_responses)
        .filter(|min| *min > 0)
        .unwrap_or(MIN_RESPONSES_MIN);
    let job = mine
        .and_then(|mine| mine.saga)
        .map(|saga| format!("/api/v1/jobs/{saga}"));
    AwaitedPersona {
        status: standing.map_or("pending", |standing| word(standing.status)),
        phase: mine.and_then(|mine| mine.phase.clone()),
        responses: mine.map_or(0, |mine| mine.responses),
        min_responses,
        degraded: persona.is_some_and(|persona| persona.degraded),
        // A parked forge is for an operator to try again, or for its owner to cancel.
        retryable: mine.is_some_and(|mine| mine.standing.retryable && !mine.open),
        job,
    }
}

/// Lists every version of the caller's persona, newest first.
pub(crate) async fn list(
    caller: Signed,
    In(state): In<State>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(paging.limit)?;
    let before: Option<i64> = page::read(paging.cursor.as_deref())?;
    let found = personas::versions(state.db(), caller.account(), before, limit + 1).await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let next = (found.len() > kept).then(|| found[kept - 1].version);
    let items = found
        .iter()
        .take(kept)
        .map(|persona| Told::of(&state, persona))
        .collect();
    Ok(axum::Json(Page::new(items, next.as_ref())))
}

/// Shows one version of the caller's persona.
pub(crate) async fn show(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = personas::find_own(state.db(), id, caller.account()).await?;
    let persona = found.ok_or_else(|| Problem::not_found("persona"))?;
    let told = Told::of(&state, &persona);
    etag::telling(&headers, &told, "private, max-age=1")
}

/// Another forge to start.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgeWish)]
pub(crate) struct Wish {
    /// Which survey's answers; the latest that has enough, unless said otherwise.
    survey_id: Option<Uuid>,
    /// `fated` unless said otherwise.
    mode: Option<ForgeMode>,
    /// What it is to be, in mode `alchemic`.
    archetype: Option<Archetype>,
}

/// Whether the stats decide on the archetype, or the owner.
#[derive(Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ForgeModeWish)]
enum ForgeMode {
    Fated,
    Alchemic,
}

impl Wish {
    fn checked(&self) -> Result<Mode, Problem> {
        match (self.mode, self.archetype) {
            (Some(ForgeMode::Alchemic), Some(_)) => Ok(Mode::Alchemic),
            (Some(ForgeMode::Fated) | None, None) => Ok(Mode::Fated),
            (Some(ForgeMode::Alchemic), None) => Err(Problem::field(
                "/archetype",
                "missing",
                "In alchemic mode, say which archetype it is to be.",
            )),
            (Some(ForgeMode::Fated) | None, Some(_)) => Err(Problem::field(
                "/mode",
                "invalid",
                "An archetype is chosen in mode alchemic; send \"mode\": \"alchemic\".",
            )),
        }
    }
}

/// Starts another forge of the caller's answers.
pub(crate) async fn forge(
    caller: Signed,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Wish>,
) -> Result<Response, Problem> {
    let mode = value.checked()?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    let earlier = command.claim(&mut tx).await?;
    let job = if let Some(earlier) = &earlier {
        drop(tx);
        earlier
            .job
            .ok_or_else(|| Problem::internal(&"a kept forge names no job"))?
    } else {
        let wish = ForgeAgain {
            saga: Uuid::now_v7(),
            owner: caller.account(),
            survey: value.survey_id,
            mode,
            archetype: value.archetype,
            request_id: asked.request_id,
        };
        let (started, tickets) = forge_again(&mut tx, state.client(), wish)
            .await
            .map_err(refused)?;
        command.keep(&mut tx, &Given::of_job(started.id)).await?;
        tx.commit().await?;
        saga_core::fault::point("api.committed", "");
        state.client().publish(tickets);
        started.id
    };
    let mut seen = state
        .jobs()
        .fresh(job)
        .await?
        .ok_or_else(|| Problem::no_job("job"))?;
    if let Some(wait) = asked.wait {
        seen = state.jobs().wait(seen, wait).await;
    }
    let response = answer::to_command_with(&seen, generating(&seen), asked.wait);
    Ok(match earlier {
        Some(earlier) => earlier.mark(response),
        None => response,
    })
}

/// The job, in the word that an existing front end reads while it is made.
fn generating(seen: &Seen) -> Bytes {
    if !matches!(seen.status, Status::Queued | Status::Running) {
        return seen.body.clone();
    }
    let mut body: Map<String, Value> = serde_json::from_slice(&seen.body).unwrap_or_default();
    body.insert("status".to_owned(), "generating".into());
    Bytes::from(Value::Object(body).to_string())
}

fn refused(error: ForgeError) -> Problem {
    match error {
        ForgeError::NotFound => Problem::not_found("survey"),
        ForgeError::Closed => {
            Problem::new(Code::SurveyClosed, "The survey is closed; make a new one.")
        }
        ForgeError::Insufficient {
            responses,
            min_responses,
        } => {
            let how = format!(
                "{responses} of {min_responses} friends have answered; share the link with more of them."
            );
            Problem::new(Code::InsufficientResponses, how)
                .with("responses", responses)
                .with("min_responses", min_responses)
        }
        ForgeError::Running { saga } => {
            let job = format!("/api/v1/jobs/{saga}");
            let how = "A forge is under way, or waits for somebody to decide; follow `job`, or give it up with a POST to `cancel`.";
            Problem::new(Code::StateConflict, how)
                .with("cancel", format!("{job}/cancel"))
                .with("job", job)
        }
        ForgeError::Leaving => super::erase::leaving(),
        ForgeError::Start(error) => error.into(),
        ForgeError::Store(error) => error.into(),
    }
}
