//! `/surveys`: what an owner asks their friends.

use crate::asked::Asked;
use crate::auth::{Caller, Signed};
use crate::body::Json;
use crate::etag;
use crate::idempotency::{Command, Given};
use crate::page::{self, Page, Paging};
use crate::params::{Name, Params};
use crate::problem::{Code, FieldProblem, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use domain::mirror::questions::{DEFAULT_SET, Question, QuestionSet};
use domain::mirror::standing::PersonaStatus;
use domain::mirror::store::mine;
use domain::mirror::store::surveys::{
    self, MIN_RESPONSES_MAX, MIN_RESPONSES_MIN, NewSurvey, NotOpen, Shared, Survey, SurveyStatus,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const TITLE_CHARS_MAX: usize = 120;
/// How often another slug is tried; a collision of two is one in 2^50.
const SLUGS_MAX: usize = 3;

/// A survey to make.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSurvey)]
pub(crate) struct Wanted {
    /// What friends read above the questions.
    #[schema(min_length = 1, max_length = 120)]
    title: Option<String>,
    /// How many friends make a persona; 3 unless said otherwise.
    #[schema(minimum = 3, maximum = 50)]
    min_responses: Option<i64>,
    /// Which questions; there is one set so far.
    question_set: Option<String>,
}

impl Wanted {
    fn checked(self) -> Result<(Option<String>, i64, String), Problem> {
        let title = self.title.map(|title| title.trim().to_owned());
        let min_responses = self.min_responses.unwrap_or(MIN_RESPONSES_MIN);
        let set = self.question_set.unwrap_or_else(|| DEFAULT_SET.to_owned());
        let mut errors = vec![];
        let mut refuse = |pointer: &str, code: &'static str, detail: String| {
            errors.push(FieldProblem {
                pointer: pointer.to_owned(),
                code: code.into(),
                detail,
            });
        };
        let chars = title.as_deref().map_or(1, |title| title.chars().count());
        if !(1..=TITLE_CHARS_MAX).contains(&chars)
            || title
                .as_deref()
                .is_some_and(|title| title.contains(char::is_control))
        {
            refuse(
                "/title",
                "out_of_range",
                format!("Send 1 to {TITLE_CHARS_MAX} plain characters, or leave it out."),
            );
        }
        if !(MIN_RESPONSES_MIN..=MIN_RESPONSES_MAX).contains(&min_responses) {
            let detail =
                format!("Send a whole number from {MIN_RESPONSES_MIN} to {MIN_RESPONSES_MAX}.");
            refuse("/min_responses", "out_of_range", detail);
        }
        if question_set(&set).is_none() {
            refuse(
                "/question_set",
                "unknown_option",
                format!("Send {DEFAULT_SET}, or leave it out."),
            );
        }
        if errors.is_empty() {
            Ok((title, min_responses, set))
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

/// Finds a set of questions by its id.
pub(super) fn question_set(id: &str) -> Option<QuestionSet> {
    (id == DEFAULT_SET).then(QuestionSet::friends)
}

/// Makes a survey.
pub(crate) async fn create(
    caller: Signed,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Wanted>,
) -> Result<Response, Problem> {
    let (title, min_responses, question_set_id) = value.checked()?;
    super::erase::staying(&state, caller.account()).await?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    for _ in 0..SLUGS_MAX {
        let mut tx = state.begin().await?;
        if let Some(earlier) = command.claim(&mut tx).await? {
            return Ok(earlier.into_response());
        }
        let new = NewSurvey {
            id: Uuid::now_v7(),
            owner_id: caller.account(),
            slug: surveys::slug(randomness()),
            title: title.clone(),
            question_set_id: question_set_id.clone(),
            min_responses,
        };
        let survey = match surveys::create(&mut tx, new).await {
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => continue,
            other => other?,
        };
        let given = Given::telling(StatusCode::CREATED, &Told::of(&state, &survey))?
            .at(format!("/api/v1/surveys/{}", survey.id));
        command.keep(&mut tx, &given).await?;
        tx.commit().await?;
        saga_core::fault::point("api.committed", "");
        return Ok(given.into_response());
    }
    Err(Problem::internal(&"no free slug was found"))
}

/// Ten bytes of the operating system's randomness, away from the fixed bits of the ids they come in.
fn randomness() -> [u8; 10] {
    let (one, other) = (Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes());
    let mut bytes = [0; 10];
    bytes[..5].copy_from_slice(&one[..5]);
    bytes[5..].copy_from_slice(&other[..5]);
    bytes
}

/// A survey, as its owner is told. Nothing says who has answered, or when.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Survey)]
pub(crate) struct Told {
    survey_id: Uuid,
    /// Where friends find its questions.
    survey_url: String,
    slug: String,
    title: Option<String>,
    question_set: String,
    status: SurveyStatus,
    min_responses: i64,
    response_count: i64,
    expires_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
}

impl Told {
    fn of(state: &State, survey: &Survey) -> Self {
        Self {
            survey_id: survey.id,
            survey_url: format!(
                "{}/api/v1/surveys/{}",
                state.settings().public_url,
                survey.slug
            ),
            slug: survey.slug.clone(),
            title: survey.title.clone(),
            question_set: survey.question_set_id.clone(),
            status: survey.status,
            min_responses: survey.min_responses,
            response_count: survey.response_count,
            expires_at: survey.expires_at,
            created_at: survey.created_at,
        }
    }
}

/// Lists the caller's surveys, newest first.
pub(crate) async fn list(
    caller: Signed,
    In(state): In<State>,
    Params(paging): Params<Paging>,
) -> Result<axum::Json<Page<Told>>, Problem> {
    let limit = page::limit(paging.limit)?;
    let before: Option<Uuid> = page::read(paging.cursor.as_deref())?;
    let found = surveys::list(state.db(), caller.account(), before, limit + 1).await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let next = (found.len() > kept).then(|| found[kept - 1].id);
    let items = found
        .iter()
        .take(kept)
        .map(|survey| Told::of(&state, survey))
        .collect();
    Ok(axum::Json(Page::new(items, next.as_ref())))
}

/// A survey, as a friend sees it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PublicSurvey)]
pub(crate) struct Public {
    survey_id: Uuid,
    title: Option<String>,
    owner_name: String,
    questions: Vec<Question>,
    expires_at: DateTime<Utc>,
}

/// Shows a friend what is asked; never how many have answered.
pub(crate) async fn show(
    Name(name): Name,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (shared, set) = find(&state, &name).await?;
    shared.survey.open(Utc::now()).map_err(not_open)?;
    let Shared { survey, owner_name } = shared;
    let public = Public {
        survey_id: survey.id,
        title: survey.title,
        owner_name,
        questions: set.questions,
        expires_at: survey.expires_at,
    };
    etag::telling(&headers, &public, "public, max-age=300")
}

/// A survey with its questions, whether it takes answers or not.
pub(super) async fn find(state: &State, name: &str) -> Result<(Shared, QuestionSet), Problem> {
    let shared = surveys::find_shared(state.db(), name)
        .await?
        .ok_or_else(|| Problem::not_found("survey"))?;
    let set = question_set(&shared.survey.question_set_id);
    let set = set.ok_or_else(|| {
        Problem::internal(&"a survey asks questions that this program does not know")
    })?;
    Ok((shared, set))
}

pub(super) fn not_open(why: NotOpen) -> Problem {
    match why {
        NotOpen::Closed => Problem::new(
            Code::SurveyClosed,
            "The survey is closed; ask its owner for a new link.",
        ),
        NotOpen::Expired => Problem::new(
            Code::Expired,
            "The survey's time is over; ask its owner for a new link.",
        ),
    }
}

/// A survey of the caller's own, by id or slug.
async fn own(state: &State, caller: &Caller, name: &str) -> Result<Survey, Problem> {
    let survey = surveys::find_own(state.db(), name, caller.account()).await?;
    survey.ok_or_else(|| Problem::not_found("survey"))
}

/// How far a survey is, and the persona of it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SurveyProgress)]
pub(crate) struct Progress {
    survey_id: Uuid,
    status: SurveyStatus,
    response_count: i64,
    min_responses: i64,
    /// Whether another forge may be started now.
    can_forge: bool,
    #[schema(value_type = PersonaStatus)]
    persona_status: &'static str,
}

/// Tells an owner how far a survey is.
pub(crate) async fn status(
    caller: Signed,
    Name(name): Name,
    In(state): In<State>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let survey = own(&state, &caller, &name).await?;
    let mine = mine::mine(state.db(), caller.account()).await?;
    let at_rest = !mine.as_ref().is_some_and(|mine| mine.open);
    let persona = mine.map_or(PersonaStatus::Pending, |mine| mine.standing.status);
    let progress = Progress {
        survey_id: survey.id,
        status: survey.status,
        response_count: survey.response_count,
        min_responses: survey.min_responses,
        can_forge: survey.is_sufficient() && survey.status != SurveyStatus::Archived && at_rest,
        persona_status: super::character::word(persona),
    };
    etag::telling(&headers, &progress, "private, max-age=1")
}

/// Closes a survey for good. Closing twice is fine.
pub(crate) async fn close(
    caller: Signed,
    Name(name): Name,
    In(state): In<State>,
    asked: Asked,
    Json { bytes, .. }: Json<super::jobs::Nothing>,
) -> Result<Response, Problem> {
    let survey = own(&state, &caller, &name).await?;
    let command = Command::of(&state, &caller.account().to_string(), &asked, &bytes)?;
    let mut tx = state.begin().await?;
    if let Some(earlier) = command.claim(&mut tx).await? {
        return Ok(earlier.into_response());
    }
    let closed = surveys::close(&mut tx, caller.account(), survey.id).await?;
    let closed = closed.ok_or_else(|| Problem::not_found("survey"))?;
    let given = Given::telling(StatusCode::OK, &Told::of(&state, &closed))?;
    command.keep(&mut tx, &given).await?;
    tx.commit().await?;
    saga_core::fault::point("api.committed", "");
    Ok(given.into_response())
}
