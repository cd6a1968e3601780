//! `/admin/dead-letters/{id}/…`: a person replays a letter, skips its step, discards it, restores it.

use super::dead_letters::{Item, words};
use super::new_replay::GoOn;
use super::saga_verbs::{given, misfit, why};
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
use chrono::SecondsFormat;
use saga_core::run::{Consequence, Refused};
use saga_core::store::{Judgement, Letter, VerbError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What of the input is to be another.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterEdit)]
struct Edit {
    /// A JSON merge patch on the job's input.
    input: Value,
}

/// That a letter is replayed, how and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterReplay)]
pub(crate) struct Replay {
    #[serde(default)]
    from: GoOn,
    edit: Option<Edit>,
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

/// That a letter's step is skipped, how and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterSkip)]
pub(crate) struct Skip {
    /// What to go on with, of the step's own type.
    #[serde(default, deserialize_with = "given")]
    output: Option<Value>,
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

/// That a letter is given up, or taken up again, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterDecision)]
pub(crate) struct Plain {
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

/// Tries a letter's step again, finished steps and paid calls kept; or, with an edit or from the start,
/// begins a new job from the input.
pub(crate) async fn replay(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Replay>,
) -> Result<Response, Problem> {
    let judgement = match (value.edit, value.from) {
        (Some(edit), GoOn::FailedStep | GoOn::Start) => Judgement::ReplayEdited(edit.input),
        (None, GoOn::FailedStep) => Judgement::Replay,
        (None, GoOn::Start) => Judgement::ReplayFromStart,
    };
    let wish = Wish {
        letter: id,
        reason: words(value.reason.as_deref(), value.note.as_deref())?,
        dry_run: value.dry_run,
        judgement,
        caller,
    };
    wish.grant(&state, &asked, &bytes).await
}

/// Puts an answer in the place of a letter's step; its job goes on with that.
pub(crate) async fn skip(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Skip>,
) -> Result<Response, Problem> {
    let how = "Say why: the job goes on with something that no worker did.";
    let reason = why(value.reason.as_deref(), value.note.as_deref(), how)?;
    let Some(output) = value.output else {
        let how = "Give the answer to go on with, of the step's own type.";
        return Err(Problem::field("/output", "missing", how));
    };
    let wish = Wish {
        letter: id,
        reason,
        dry_run: value.dry_run,
        judgement: Judgement::Skip(output),
        caller,
    };
    wish.grant(&state, &asked, &bytes).await
}

/// Gives a letter's step up: undo begins.
pub(crate) async fn discard(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Plain>,
) -> Result<Response, Problem> {
    let wish = Wish {
        letter: id,
        reason: words(value.reason.as_deref(), value.note.as_deref())?,
        dry_run: value.dry_run,
        judgement: Judgement::Discard,
        caller,
    };
    wish.grant(&state, &asked, &bytes).await
}

/// Takes a discarded letter up again. What was undone stays so: a new job begins from the same input.
pub(crate) async fn restore(
    caller: Staff,
    Id(id): Id,
    In(state): In<State>,
    asked: Asked,
    Json { value, bytes }: Json<Plain>,
) -> Result<Response, Problem> {
    let wish = Wish {
        letter: id,
        reason: words(value.reason.as_deref(), value.note.as_deref())?,
        dry_run: value.dry_run,
        judgement: Judgement::Restore,
        caller,
    };
    wish.grant(&state, &asked, &bytes).await
}

/// What a decision about a letter would come to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LetterForeseen)]
pub(crate) struct Foreseen {
    dead_letter: Uuid,
    dry_run: bool,
    mode: &'static str,
    consequence: Option<Consequence>,
}

/// A letter that was decided about, and the job that goes on.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = LetterJudged)]
pub(crate) struct Judged {
    dead_letter: Uuid,
    job_id: Option<Uuid>,
    replay_of: Option<Uuid>,
    /// `in_place`, `new_job`, `edited_copy`, or `reopened` for a message that nobody could read.
    mode: &'static str,
    job: Option<String>,
}

/// Who wants what of a letter, and why.
struct Wish {
    caller: Staff,
    letter: Uuid,
    judgement: Judgement,
    reason: String,
    dry_run: bool,
}

impl Wish {
    async fn grant(&self, state: &State, asked: &Asked, bytes: &[u8]) -> Result<Response, Problem> {
        let command = Command::of(state, &self.caller.account().to_string(), asked, bytes)?;
        let mut tx = state.begin().await?;
        if !self.dry_run
            && let Some(earlier) = command.claim(&mut tx).await?
        {
            return Ok(earlier.into_response());
        }
        let signature = self.caller.signature();
        let who = (signature.as_str(), self.reason.as_str());
        let store = state.store();
        let judged = match store
            .judge(&mut tx, self.letter, &self.judgement, who)
            .await
        {
            Ok(judged) if self.dry_run => {
                let foreseen = Foreseen {
                    dead_letter: self.letter,
                    dry_run: true,
                    mode: judged.mode,
                    consequence: judged.consequence,
                };
                return Ok(axum::Json(foreseen).into_response());
            }
            Ok(judged) => judged,
            Err(error) => {
                drop(tx); // on SQLite one writes at a time, and looking again takes its turn
                return self.refused(state, &command, error).await;
            }
        };
        let given = self.told(judged.letter, judged.saga, judged.mode)?;
        command.keep(&mut tx, &given).await?;
        tx.commit().await?;
        saga_core::fault::point("api.committed", "");
        state.client().publish(judged.tickets);
        self.refresh(state, judged.saga).await?;
        Ok(given.into_response())
    }

    /// The answer, by how the letter is now.
    fn told(
        &self,
        letter: Letter,
        job: Option<Uuid>,
        mode: &'static str,
    ) -> Result<Given, Problem> {
        if self.judgement == Judgement::Discard {
            return Given::telling(StatusCode::OK, &Item::from(letter));
        }
        let link = job.map(|job| format!("/api/v1/jobs/{job}"));
        let judged = Judged {
            dead_letter: letter.id,
            job_id: job,
            replay_of: letter.saga_id,
            mode,
            job: link.clone(),
        };
        let given = Given::telling(StatusCode::ACCEPTED, &judged)?;
        Ok(match link {
            Some(link) => given.at(link),
            None => given,
        })
    }

    /// What is told of the jobs from here on is not older than the decision.
    async fn refresh(&self, state: &State, job: Option<Uuid>) -> Result<(), Problem> {
        let letter = state.store().letter(self.letter).await?;
        let old = letter.and_then(|letter| letter.saga_id);
        for job in job.into_iter().chain(old.filter(|old| Some(*old) != job)) {
            drop(state.jobs().fresh(job).await?);
        }
        Ok(())
    }

    async fn refused(
        &self,
        state: &State,
        command: &Command,
        error: VerbError,
    ) -> Result<Response, Problem> {
        let closed = matches!(
            error,
            VerbError::Refused(Refused::NotOpen | Refused::Finished)
        );
        if !closed {
            return Err(misfit(error));
        }
        let letter = state.store().letter(self.letter).await?;
        let letter = letter.ok_or_else(|| Problem::not_found("letter"))?;
        // A dry run takes no key's turn, so nothing was lost of it.
        let repeated = !self.dry_run && command.has_key() && self.decided(&letter);
        if !repeated {
            return Err(already(&letter));
        }
        // It was this command, whose answer was lost before it could be kept under its key.
        let saga: Vec<Uuid> = letter.saga_id.into_iter().collect();
        let begun = state.store().replayed_as(&saga).await?.into_values().next();
        let mode = match (&self.judgement, begun) {
            (_, None) => "in_place",
            (Judgement::ReplayEdited(_), Some(_)) => "edited_copy",
            (_, Some(_)) => "new_job",
        };
        let job = begun.or(letter.saga_id);
        let given = self.told(letter, job, mode)?;
        command.keep_after(state, &given).await?;
        Ok(given.into_response())
    }

    /// Whether this caller has decided it so, in the same words.
    fn decided(&self, letter: &Letter) -> bool {
        let how = match self.judgement {
            Judgement::Replay
            | Judgement::ReplayFromStart
            | Judgement::ReplayEdited(_)
            | Judgement::Restore => "replayed",
            Judgement::Skip(_) => "skipped",
            Judgement::Discard => "discarded",
        };
        letter.state == how
            && letter.resolved_by.as_deref() == Some(self.caller.signature().as_str())
            && letter.reason.as_deref().unwrap_or("") == self.reason
    }
}

/// Says who was first, and when.
fn already(letter: &Letter) -> Problem {
    let (Some(by), Some(at)) = (&letter.resolved_by, letter.resolved_at) else {
        let how = match letter.saga_id {
            Some(_) => {
                "The letter is open, and its job is not where this can be done; look at it again."
            }
            None => "This was an unreadable message; it can only be discarded, and restored.",
        };
        return Problem::new(Code::StateConflict, how);
    };
    let when = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let how = format!(
        "{by} has decided at {when}: the letter is {}.",
        letter.state
    );
    Problem::new(Code::AlreadyResolved, how)
        .with("state", letter.state.clone())
        .with("resolved_by", by.clone())
        .with("resolved_at", when)
}
