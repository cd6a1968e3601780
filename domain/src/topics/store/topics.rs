//! The rows of topics, as whoever signed in reads them.

use crate::artefacts;
use crate::events::{self, Audience, NewEvent};
use chrono::{DateTime, Utc};
use saga_core::db::{Db, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// Where a topic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TopicState {
    /// For everybody who signed in.
    Published,
    /// Taken back by a curator.
    Retracted,
}

impl TryFrom<String> for TopicState {
    type Error = sqlx::Error;
    fn try_from(word: String) -> sqlx::Result<Self> {
        crate::word(&word)
    }
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Topic {
    /// Never changes.
    pub id: Uuid,
    /// The round that made it.
    pub round_id: Uuid,
    /// An open question.
    pub title: String,
    /// What it is about, at most 80 characters.
    pub summary: String,
    /// Its cover, if there is one.
    pub cover_media_id: Option<Uuid>,
    /// Where it is.
    #[sqlx(try_from = "String")]
    pub state: TopicState,
    /// Posts that are not deleted, the opening one included.
    pub post_count: i64,
    /// How many ideas it was made of.
    pub ideas: i64,
    /// Since when it is public.
    pub published_at: DateTime<Utc>,
    /// What it is among all that sagas made.
    pub artefact_id: Uuid,
}

const FIND: &str = "-- topics.find
    SELECT id, round_id, title, summary, cover_media_id, state, post_count, ideas, published_at, artefact_id FROM topics
     WHERE id = $1 AND (state = 'published' OR $2)";
const LIST: &str = "-- topics.list
    SELECT id, round_id, title, summary, cover_media_id, state, post_count, ideas, published_at, artefact_id FROM topics
     WHERE (state = 'published' OR $1) AND ($2 IS NULL OR published_at < $2 OR (published_at = $2 AND id < $3))
     ORDER BY published_at DESC, id DESC LIMIT $4";
const RETRACT: &str = "-- topics.retract
    UPDATE topics SET state = 'retracted', retracted_at = $2 WHERE id = $1 AND state = 'published'";
const OF_ROUND: &str = "-- topics.of_round
    SELECT id, round_id, title, summary, cover_media_id, state, post_count, ideas, published_at, artefact_id FROM topics
     WHERE round_id = $1 ORDER BY ideas DESC, id";

/// Finds a topic; one that was retracted only for whoever may see `retracted` ones.
pub async fn find(db: &Db, id: Uuid, retracted: bool) -> sqlx::Result<Option<Topic>> {
    db.query(FIND).bind(id).bind(retracted).optional().await
}

/// Topics, newest first; `before` is where the page before ended.
pub async fn list(
    db: &Db,
    retracted: bool,
    before: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> sqlx::Result<Vec<Topic>> {
    let list = db.query(LIST).bind(retracted);
    let list = list.bind(before.map(|(at, _)| at));
    list.bind(before.map(|(_, id)| id)).bind(limit).all().await
}

/// The topics that a round made, also retracted ones, that of most ideas first.
pub async fn of_round(db: &Db, round: Uuid) -> sqlx::Result<Vec<Topic>> {
    db.query(OF_ROUND).bind(round).all().await
}

/// Takes a topic back, and what was told of it; its ideas stay archived. Tells whether this changed anything;
/// none where there is no such topic.
pub async fn retract(
    tx: &mut Tx,
    id: Uuid,
    request_id: &str,
) -> sqlx::Result<Option<(Topic, bool)>> {
    let now = tx.now().await?;
    let changed = tx.query(RETRACT).bind(id).bind(now).execute().await?;
    if changed > 0 {
        events::blank(tx, id, "topic.published").await?;
        let retracted = event("topic.retracted", id, json!({"topic_id": id}));
        events::note(tx, Some(request_id), vec![retracted]).await?;
    }
    let topic: Option<Topic> = tx.query(FIND).bind(id).bind(true).optional().await?;
    if let (Some(topic), true) = (&topic, changed > 0) {
        artefacts::retract(tx, topic.artefact_id, now).await?;
    }
    Ok(topic.map(|topic| (topic, changed > 0)))
}

/// What readers are told of a topic.
pub(super) fn event(name: &'static str, topic: Uuid, value: serde_json::Value) -> NewEvent {
    NewEvent {
        name,
        entity: "topic",
        entity_id: topic,
        audience: Audience::Readers,
        value,
    }
}
