//! `/personas`: the character that friends' answers became.

use crate::asked::Asked;
use crate::auth::Signed;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::jobs::{Seen, Status, answer};
use crate::page::{self, Page};
use crate::params::{Id, Params};
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::body::Bytes;
use axum::extract::State as In;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::mirror::archetype::{Archetype, Mode};
use domain::mirror::standing::PersonaStatus;
use domain::mirror::store::forges::{ForgeAgain, ForgeError, forge_again};
use domain::mirror::store::mine::{self, Mine};
use domain::mirror::store::personas::{self, Persona};
use domain::mirror::store::surveys::MIN_RESPONSES_MIN;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The word for where a persona is. That a forge is accepted and no worker has it yet is not a
/// stage of its own for its owner: the job tells it.
pub(super) fn word(status: PersonaStatus) -> &'static str {
    match status {
        PersonaStatus::Queued => PersonaStatus::Pending.as_str(),
        PersonaStatus::Pending
        | PersonaStatus::Synthesizing
        | PersonaStatus::GeneratingImage
        | PersonaStatus::Ready
        | PersonaStatus::Failed => status.as_str(),
    }
}

/// Tells the caller how far their persona is. It only looks.
pub(crate) async fn me(
    caller: Signed,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mine = mine::mine(state.db(), caller.account()).await?;
    let body = Bytes::from(told_mine(&state, mine.as_ref()).to_string());
    let tag = crate::etag::tag(&body);
    Ok(crate::etag::json(&headers, body, tag, "private, max-age=1"))
}

fn told_mine(state: &State, mine: Option<&Mine>) -> Value {
    let persona = mine.and_then(|mine| mine.persona.as_ref());
    let mut body = persona.map_or_else(Map::new, |persona| told(state, persona));
    let standing = mine.map(|mine| mine.standing);
    let min_responses = mine
        .map(|mine| mine.min_responses)
        .filter(|min| *min > 0)
        .unwrap_or(MIN_RESPONSES_MIN);
    let job = mine
        .and_then(|mine| mine.saga)
        .map(|saga| format!("/api/v1/jobs/{saga}"));
    let own = json!({
        "status": standing.map_or("pending", |standing| word(standing.status)),
        "phase": mine.and_then(|mine| mine.phase.clone()),
        "responses": mine.map_or(0, |mine| mine.responses),
        "min_responses": min_responses,
        "degraded": persona.is_some_and(|persona| persona.degraded),
        // A parked forge is for an operator to try again, or for its owner to cancel.
        "retryable": mine.is_some_and(|mine| mine.standing.retryable && !mine.open),
        "job": job,
    });
    if let Value::Object(own) = own {
        body.extend(own);
    }
    Value::Object(body)
}

fn told(state: &State, persona: &Persona) -> Map<String, Value> {
    let text = persona.text.as_ref();
    let link = |media: Option<Uuid>, variant| {
        media.map(|id| super::media::link(state.settings(), id, variant))
    };
    let body = json!({
        "persona_id": persona.id,
        "survey_id": persona.survey_id,
        "version": persona.version,
        "is_current": persona.is_current,
        "status": word(persona.status),
        "mode": persona.mode,
        "responses": persona.responses,
        "name": text.map(|text| &text.name),
        "title": text.map(|text| &text.title),
        "traits": text.map(|text| &text.traits),
        "persona_prompt": text.map(|text| &text.persona_prompt),
        "greeting": text.map(|text| &text.greeting),
        "archetype": persona.archetype,
        "rarity": persona.rarity,
        "stats": persona.stats,
        "provider": persona.provider,
        "illustration_url": link(persona.illustration_media_id, "1024"),
        "card_url": link(persona.card_media_id, "1080"),
        "bond_level": persona.bond_level,
        "visibility": persona.visibility,
        "degraded": persona.degraded,
        "created_at": persona.created_at,
        "updated_at": persona.updated_at,
    });
    if let Value::Object(body) = body {
        body
    } else {
        Map::new()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists every version of the caller's persona, newest first.
pub(crate) async fn list(
    caller: Signed,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Value>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let before: Option<i64> = page::read(filter.cursor.as_deref())?;
    let found = personas::versions(state.db(), caller.account(), before, limit + 1).await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let next = (found.len() > kept).then(|| found[kept - 1].version);
    let items = found
        .iter()
        .take(kept)
        .map(|persona| Value::Object(told(&state, persona)))
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
    let body = Bytes::from(Value::Object(told(&state, &persona)).to_string());
    let tag = crate::etag::tag(&body);
    Ok(crate::etag::json(&headers, body, tag, "private, max-age=1"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    survey_id: Option<Uuid>,
    mode: Option<ForgeMode>,
    archetype: Option<Archetype>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
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
        ForgeError::Start(error) => error.into(),
        ForgeError::Store(error) => error.into(),
    }
}
