//! Everything that an owner's status page needs, in two reads.

use super::personas::{self, Persona};
use crate::mirror::standing::{Latest, PersonaStatus, Standing, standing};
use saga_core::db::Db;
use saga_core::state::SagaState;
use uuid::Uuid;

/// What an owner is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mine {
    /// Where the persona is.
    pub standing: Standing,
    /// The latest forge's own word for where it is, while it is under way.
    pub phase: Option<String>,
    /// The latest forge.
    pub saga: Option<Uuid>,
    /// Whether it is under way, or waits for somebody to decide: no other can begin.
    pub open: bool,
    /// The survey of the forge under way, else the owner's newest.
    pub survey: Option<Uuid>,
    /// How many have answered it.
    pub responses: i64,
    /// How many must; 0 without a survey.
    pub min_responses: i64,
    /// The persona that the owner is met as, perhaps of an earlier forge.
    pub persona: Option<Persona>,
}

const LATEST: &str = "-- mine.latest
    SELECT f.saga_id, g.state, g.ending, g.phase, d.status AS draft, s.id AS survey_id, s.response_count, s.min_responses
      FROM accounts a
      LEFT JOIN forges f ON f.owner_id = a.id
      LEFT JOIN sagas g ON g.id = f.saga_id
      LEFT JOIN personas d ON d.owner_id = a.id AND d.status <> 'ready'
      LEFT JOIN surveys s ON s.id = CASE WHEN g.id IS NOT NULL AND g.finished_at IS NULL THEN f.survey_id
                ELSE (SELECT n.id FROM surveys n WHERE n.owner_id = a.id ORDER BY n.id DESC LIMIT 1) END
     WHERE a.id = $1";

#[derive(sqlx::FromRow)]
struct Row {
    saga_id: Option<Uuid>,
    state: Option<String>,
    ending: Option<String>,
    phase: Option<String>,
    draft: Option<String>,
    survey_id: Option<Uuid>,
    response_count: Option<i64>,
    min_responses: Option<i64>,
}

impl Row {
    fn latest(&self) -> sqlx::Result<Option<Latest>> {
        let Some(word) = &self.state else {
            return Ok(None);
        };
        let state = SagaState::ALL
            .into_iter()
            .find(|state| state.as_str() == word);
        let state =
            state.ok_or_else(|| sqlx::Error::Decode(format!("no saga is {word}").into()))?;
        let draft: Option<PersonaStatus> = self.draft.as_deref().map(crate::word).transpose()?;
        Ok(Some(Latest {
            state,
            canceled: self.ending.as_deref() == Some("canceled"),
            draft,
        }))
    }
}

/// What an owner is told; `None` when there is no such account.
pub async fn mine(db: &Db, owner: Uuid) -> sqlx::Result<Option<Mine>> {
    let Some(row) = db.query(LATEST).bind(owner).optional::<Row>().await? else {
        return Ok(None);
    };
    let latest = row.latest()?;
    // Read after the saga: a forge that ends in between is told as under way, with its persona.
    let persona = personas::current(db, owner).await?;
    let open = latest.is_some_and(|latest| !latest.state.is_final());
    Ok(Some(Mine {
        standing: standing(latest, persona.is_some()),
        phase: row.phase.filter(|_| open),
        saga: row.saga_id,
        open,
        survey: row.survey_id,
        responses: row.response_count.unwrap_or(0),
        min_responses: row.min_responses.unwrap_or(0),
        persona,
    }))
}
