//! The latest forge of each account: how one is started, and never a second beside it.

use super::surveys::{self, Survey, SurveyStatus};
use crate::accounts::erasure;
use crate::mirror::archetype::{Archetype, Mode};
use crate::mirror::forge::{Forge, ForgePersona};
use saga_core::Saga as _;
use saga_core::client::Client;
use saga_core::db::Tx;
use saga_core::store::{NewSaga, StartError, Started};
use saga_core::ticket::Ticket;
use uuid::Uuid;

/// A forge about to be started.
#[derive(Debug, Clone)]
pub struct Forging {
    /// The id it gets.
    pub saga: Uuid,
    /// Whose persona.
    pub owner: Uuid,
    /// From which answers.
    pub survey: Uuid,
    /// How the archetype is found.
    pub mode: Mode,
    /// The chosen one, in alchemic mode.
    pub archetype: Option<Archetype>,
    /// The request.
    pub request_id: String,
}

/// An owner's wish for another forge.
#[derive(Debug, Clone)]
pub struct ForgeAgain {
    /// The id it gets.
    pub saga: Uuid,
    /// Who wishes.
    pub owner: Uuid,
    /// Which answers; by default those of the owner's newest survey that has enough.
    pub survey: Option<Uuid>,
    /// How the archetype is found.
    pub mode: Mode,
    /// The chosen one, in alchemic mode.
    pub archetype: Option<Archetype>,
    /// The request.
    pub request_id: String,
}

/// Why there is no other forge. The transaction is to be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The owner has no such survey.
    #[error("there is no such survey")]
    NotFound,
    /// The survey was closed.
    #[error("the survey is closed")]
    Closed,
    /// Too few have answered; an owner without any survey has 0 of 3.
    #[error("{responses} of {min_responses} answers are there")]
    Insufficient {
        /// How many have.
        responses: i64,
        /// How many must.
        min_responses: i64,
    },
    /// One is under way, or waits for somebody to decide.
    #[error("a forge is under way")]
    Running {
        /// Which.
        saga: Uuid,
    },
    /// The owner's account is being erased.
    #[error("the account is being erased")]
    Leaving,
    /// It could not be started.
    #[error("the forge could not be started")]
    Start(#[source] StartError),
    /// The store did not take it.
    #[error("the store did not take the forge")]
    Store(#[from] sqlx::Error),
}

const BEST: &str = "-- forges.best_survey
    SELECT id FROM surveys WHERE owner_id = $1 AND status <> 'archived'
     ORDER BY CASE WHEN response_count >= min_responses THEN 0 ELSE 1 END, id DESC LIMIT 1";
const OPEN: &str = "-- forges.open
    SELECT id FROM sagas WHERE kind = $1 AND singleton = $2 AND finished_at IS NULL";
const NOTE: &str = "-- forges.note
    INSERT INTO forges (owner_id, survey_id, saga_id, started_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (owner_id) DO UPDATE
        SET survey_id = excluded.survey_id, saga_id = excluded.saga_id, started_at = excluded.started_at";

/// Starts another forge of an owner's answers.
pub async fn forge_again(
    tx: &mut Tx,
    client: &Client,
    wish: ForgeAgain,
) -> Result<(Started, Vec<Ticket>), ForgeError> {
    let survey = wanted(tx, &wish).await?;
    match survey.status {
        SurveyStatus::Archived => return Err(ForgeError::Closed),
        SurveyStatus::Collecting | SurveyStatus::Ready | SurveyStatus::Completed
            if !survey.is_sufficient() =>
        {
            let Survey {
                response_count: responses,
                min_responses,
                ..
            } = survey;
            return Err(ForgeError::Insufficient {
                responses,
                min_responses,
            });
        }
        SurveyStatus::Collecting | SurveyStatus::Ready | SurveyStatus::Completed => {}
    }
    // Looked for before it is started: a start that collides with a forge about to end would wait for
    // it, while that one waits for the survey.
    if let Some(saga) = open(tx, wish.owner).await? {
        return Err(ForgeError::Running { saga });
    }
    let forging = Forging {
        saga: wish.saga,
        owner: wish.owner,
        survey: survey.id,
        mode: wish.mode,
        archetype: wish.archetype,
        request_id: wish.request_id,
    };
    if erasure::leaves(tx, forging.owner).await? {
        return Err(ForgeError::Leaving);
    }
    let (started, tickets) = start(tx, client, forging)
        .await
        .map_err(ForgeError::Start)?;
    if !started.new {
        return Err(ForgeError::Running { saga: started.id });
    }
    surveys::mark(tx, survey.id, SurveyStatus::Ready).await?;
    Ok((started, tickets))
}

async fn wanted(tx: &mut Tx, wish: &ForgeAgain) -> Result<Survey, ForgeError> {
    let none = ForgeError::Insufficient {
        responses: 0,
        min_responses: surveys::MIN_RESPONSES_MIN,
    };
    let id = match wish.survey {
        Some(id) => id,
        None => {
            tx.query(BEST)
                .bind(wish.owner)
                .optional::<(Uuid,)>()
                .await?
                .ok_or(none)?
                .0
        }
    };
    let survey = surveys::lock(tx, id)
        .await?
        .filter(|survey| survey.owner_id == wish.owner);
    survey.ok_or(ForgeError::NotFound)
}

/// Starts a forge unless the owner has one open; then that one is found. The caller has made sure that the
/// owner's account stays.
pub(crate) async fn start(
    tx: &mut Tx,
    client: &Client,
    forging: Forging,
) -> Result<(Started, Vec<Ticket>), StartError> {
    let input = Forge {
        survey: forging.survey,
        mode: forging.mode,
        archetype: forging.archetype,
    };
    let new = NewSaga {
        id: forging.saga,
        kind: ForgePersona::KIND.to_owned(),
        input: serde_json::to_value(input).map_err(|error| sqlx::Error::Encode(error.into()))?,
        owner_id: Some(forging.owner),
        request_id: forging.request_id,
        trace: saga_core::trace::current(),
        singleton: Some(singleton(forging.owner)),
        replay_of: None,
    };
    let (started, tickets) = client.start_in(tx, new).await?;
    if started.new {
        note(tx, forging.owner, forging.survey, started.id).await?;
    }
    Ok((started, tickets))
}

/// Notes which saga is the owner's latest forge.
pub(crate) async fn note(tx: &mut Tx, owner: Uuid, survey: Uuid, saga: Uuid) -> sqlx::Result<()> {
    let now = tx.now().await?;
    tx.query(NOTE)
        .bind(owner)
        .bind(survey)
        .bind(saga)
        .bind(now)
        .execute()
        .await
        .map(drop)
}

/// Whether the owner has a forge that has not ended.
pub(crate) async fn is_open(tx: &mut Tx, owner: Uuid) -> sqlx::Result<bool> {
    Ok(open(tx, owner).await?.is_some())
}

async fn open(tx: &mut Tx, owner: Uuid) -> sqlx::Result<Option<Uuid>> {
    let found = tx
        .query(OPEN)
        .bind(ForgePersona::KIND)
        .bind(singleton(owner));
    Ok(found.optional::<(Uuid,)>().await?.map(|(id,)| id))
}

/// One forge an account at a time.
fn singleton(owner: Uuid) -> String {
    owner.to_string()
}
