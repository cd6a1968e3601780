//! The rows of responses, and the one that starts a forge.

use super::forges::{self, Forging};
use super::surveys::{self, NotOpen, SurveyStatus};
use crate::accounts::erasure;
use crate::mirror::answers::Answers;
use crate::mirror::archetype::Mode;
use saga_core::client::Client;
use saga_core::db::{Db, Tx};
use saga_core::store::StartError;
use saga_core::ticket::Ticket;
use uuid::Uuid;

/// One friend's answers about to be taken.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Chosen by the caller.
    pub id: Uuid,
    /// What was answered.
    pub survey: Uuid,
    /// Checked against the survey's questions.
    pub answers: Answers,
    /// Tells responders of one survey apart, and says nothing about them.
    pub responder_hash: [u8; 32],
    /// The id that a forge would get.
    pub saga: Uuid,
    /// The request.
    pub request_id: String,
}

/// Answers that were taken.
#[derive(Debug)]
pub struct Submitted {
    /// The forge that they started, if they did.
    pub forge: Option<Uuid>,
    /// To publish after the commit.
    pub tickets: Vec<Ticket>,
}

/// Why answers were not taken. The transaction is to be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// There is no such survey.
    #[error("there is no such survey")]
    NotFound,
    /// It takes no more answers.
    #[error("the survey takes no more answers")]
    Closed,
    /// Its time is over.
    #[error("the survey's time is over")]
    Expired,
    /// This responder has answered it.
    #[error("this responder has already answered")]
    Duplicate,
    /// The forge could not be started.
    #[error("the forge could not be started")]
    Start(#[source] StartError),
    /// The store did not take them.
    #[error("the store did not take the answers")]
    Store(#[from] sqlx::Error),
}

const INSERT: &str = "-- responses.insert
    INSERT INTO survey_responses (id, survey_id, ordinal, answers, responder_hash, submitted_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (survey_id, responder_hash) DO NOTHING";
const UP_TO: &str = "-- responses.up_to
    SELECT answers FROM survey_responses WHERE survey_id = $1 AND ordinal <= $2 ORDER BY ordinal";

/// Takes a friend's answers: row, count and, with the answer that makes enough of them, the forge
/// are true together. Of many that come at once exactly one is the last that was missing.
pub async fn submit_response(
    tx: &mut Tx,
    client: &Client,
    given: Submission,
) -> Result<Submitted, SubmitError> {
    let now = tx.now().await?;
    let survey = surveys::lock(tx, given.survey)
        .await?
        .ok_or(SubmitError::NotFound)?;
    survey.open(now).map_err(|why| match why {
        NotOpen::Closed => SubmitError::Closed,
        NotOpen::Expired => SubmitError::Expired,
    })?;
    let answers =
        serde_json::to_string(&given.answers).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let inserted = tx
        .query(INSERT)
        .bind(given.id)
        .bind(survey.id)
        .bind(survey.response_count + 1)
        .bind(answers)
        .bind(given.responder_hash.to_vec())
        .bind(now)
        .execute()
        .await?;
    if inserted == 0 {
        return Err(SubmitError::Duplicate);
    }
    let enough = survey.response_count + 1 >= survey.min_responses;
    let status = if enough {
        SurveyStatus::Ready
    } else {
        SurveyStatus::Collecting
    };
    surveys::count(tx, survey.id, status).await?;
    let none = Submitted {
        forge: None,
        tickets: vec![],
    };
    if !enough || survey.status != SurveyStatus::Collecting {
        return Ok(none);
    }
    // What it would make might come after the erasure has looked.
    if erasure::leaves(tx, survey.owner_id).await? {
        return Err(SubmitError::Closed);
    }
    if forges::is_open(tx, survey.owner_id).await? {
        return Ok(none);
    }
    let forging = Forging {
        saga: given.saga,
        owner: survey.owner_id,
        survey: survey.id,
        mode: Mode::Fated,
        archetype: None,
        request_id: given.request_id,
    };
    let (started, tickets) = forges::start(tx, client, forging)
        .await
        .map_err(SubmitError::Start)?;
    Ok(Submitted {
        forge: started.new.then_some(started.id),
        tickets,
    })
}

/// The first `ordinal` answers to a survey: the same ones however many came since.
pub async fn up_to(db: &Db, survey: Uuid, ordinal: i64) -> sqlx::Result<Vec<Answers>> {
    let rows: Vec<(String,)> = db.query(UP_TO).bind(survey).bind(ordinal).all().await?;
    let read = |(text,): (String,)| {
        serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into()))
    };
    rows.into_iter().map(read).collect()
}
