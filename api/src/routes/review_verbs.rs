//! `/reviews/{id}/…`: the three answers to what a saga asks.

use super::reviews::{Review, Standing, find};
use crate::asked::Asked;
use crate::auth::Signed;
use crate::body::Json;
use crate::idempotency::{Command, Given};
use crate::params::Id;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::SecondsFormat;
use saga_core::review::Decision;
use saga_core::store::{ReviewError, ReviewRow, Verdict};
use serde::Deserialize;
use uuid::Uuid;

/// Longest notes, in characters.
const NOTES_CHARS_MAX: usize = 2_000;

/// That something is approved or rejected, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReviewDecision)]
pub(crate) struct Plain {
    /// Why, in 2,000 characters at most.
    #[schema(max_length = 2000)]
    notes: Option<String>,
}

/// That something is to be made again, and how.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReviewRevision)]
pub(crate) struct Revision {
    /// What is to be changed, in 2,000 characters at most.
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 2000)]
    notes: String,
}

/// Lets the job go on.
pub(crate) async fn approve(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Plain>,
) -> Result<Response, Problem> {
    let wish = Wish::of(id, Decision::Approved, value.notes)?;
    wish.grant(&caller, &state, &asked, &bytes).await
}

/// Has the job make it again, by notes.
pub(crate) async fn revise(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Revision>,
) -> Result<Response, Problem> {
    let wish = Wish::of(id, Decision::ChangesRequested, Some(value.notes))?;
    if wish.notes.is_none() {
        let how = "Say what is to be changed: it is made again by that.";
        return Err(Problem::field("/notes", "missing", how));
    }
    wish.grant(&caller, &state, &asked, &bytes).await
}

/// Has the job go no further.
pub(crate) async fn reject(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Plain>,
) -> Result<Response, Problem> {
    let wish = Wish::of(id, Decision::Rejected, value.notes)?;
    wish.grant(&caller, &state, &asked, &bytes).await
}

/// What somebody wants of a review.
struct Wish {
    review: Uuid,
    decision: Decision,
    notes: Option<String>,
}

impl Wish {
    fn of(review: Uuid, decision: Decision, notes: Option<String>) -> Result<Self, Problem> {
        let notes = notes.map(|notes| notes.trim().to_owned());
        let notes = notes.filter(|notes| !notes.is_empty());
        if notes
            .as_ref()
            .is_some_and(|notes| notes.chars().count() > NOTES_CHARS_MAX)
        {
            let how = format!("Say it in {NOTES_CHARS_MAX} characters.");
            return Err(Problem::field("/notes", "too_long", how));
        }
        Ok(Self {
            review,
            decision,
            notes,
        })
    }

    async fn grant(
        &self,
        caller: &Signed,
        state: &State,
        asked: &Asked,
        bytes: &[u8],
    ) -> Result<Response, Problem> {
        let found = find(caller, state, self.review).await?;
        if !Standing::of(caller, &found).decides {
            return Err(not_yours(&found));
        }
        let command = Command::of(state, &caller.account().to_string(), asked, bytes)?;
        let mut tx = state.begin().await?;
        if let Some(earlier) = command.claim(&mut tx).await? {
            return Ok(earlier.into_response());
        }
        let signature = caller.signature();
        let verdict = Verdict {
            decision: self.decision,
            by: &signature,
            notes: self.notes.as_deref(),
        };
        let store = state.store();
        let decided = store.decide_review(&mut tx, self.review, &verdict).await;
        let (review, tickets) = match decided {
            Ok(decided) => decided,
            Err(error) => {
                drop(tx); // on SQLite one writes at a time, and looking again takes its turn
                return self.refused(caller, state, &command, error).await;
            }
        };
        let saga = review.saga_id;
        let given = Given::telling(StatusCode::OK, &Review::of(caller, review))?;
        command.keep(&mut tx, &given).await?;
        tx.commit().await?;
        saga_core::fault::point("api.committed", "");
        state.client().publish(tickets);
        drop(state.jobs().fresh(saga).await?);
        Ok(given.into_response())
    }

    async fn refused(
        &self,
        caller: &Signed,
        state: &State,
        command: &Command,
        error: ReviewError,
    ) -> Result<Response, Problem> {
        match error {
            ReviewError::NotFound => Err(Problem::not_found("review")),
            ReviewError::Store(error) => Err(error.into()),
            ReviewError::NoRoundsLeft => Err(Problem::new(
                Code::StateConflict,
                "It cannot be sent back, or not once more: approve it or reject it.",
            )),
            ReviewError::Decided(_) => {
                let review = find(caller, state, self.review).await?;
                // It was this command, whose answer was lost before it could be kept under its key.
                let same = review.state == self.decision.as_str() && review.notes == self.notes;
                let mine = review.decided_by.as_deref() == Some(caller.signature().as_str());
                if !(command.has_key() && same && mine) {
                    return Err(already(&review));
                }
                let given = Given::telling(StatusCode::OK, &Review::of(caller, review))?;
                command.keep_after(state, &given).await?;
                Ok(given.into_response())
            }
        }
    }
}

/// Says why somebody who knows of a review may not decide it.
fn not_yours(review: &ReviewRow) -> Problem {
    let how = if review.four_eyes {
        "You asked for this review: somebody else has to decide it.".to_owned()
    } else {
        let permission = &review.permission;
        format!("This needs the permission {permission}; ask somebody who holds it to decide.")
    };
    Problem::new(Code::Forbidden, how)
}

/// Says who was first, and when.
fn already(review: &ReviewRow) -> Problem {
    let at = review.decided_at.unwrap_or(review.expires_at);
    let when = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let state = &review.state;
    let problem = match &review.decided_by {
        Some(by) => {
            let how = format!("{by} has decided at {when}: the review is {state}.");
            Problem::new(Code::AlreadyResolved, how).with("resolved_by", by.clone())
        }
        None => Problem::new(
            Code::AlreadyResolved,
            format!("The review is {state} since {when}: nobody need decide it any more."),
        ),
    };
    problem
        .with("state", state.clone())
        .with("resolved_at", when)
}
