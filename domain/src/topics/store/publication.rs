//! What makes a topic public: all of it in one transaction, or nothing.

use super::{ideas, rounds};
use crate::artefacts::{self, Artefact};
use crate::events::{self, Audience, NewEvent};
use crate::topics::posts::HOST;
use saga_core::db::Tx;
use serde_json::json;
use uuid::Uuid;

/// A topic that is ready to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The id it gets.
    pub topic: Uuid,
    /// The saga that made it.
    pub saga: Uuid,
    /// The round that had it made.
    pub round: Uuid,
    /// The cluster it was made of; there is one topic of each at most.
    pub cluster: Uuid,
    /// An open question: 10 to 200 characters, the last of which is a question mark.
    pub title: String,
    /// 1 to 80 characters.
    pub summary: String,
    /// What the discussion opens with, 1 to 4000 characters.
    pub opening_post: String,
    /// Its cover, if there is one; the medium's row is there.
    pub cover: Option<Uuid>,
}

const TOPIC: &str = "-- publication.topic
    INSERT INTO topics (id, round_id, cluster_id, title, summary, cover_media_id, state, post_count, ideas, published_at, artefact_id)
    VALUES ($1, $2, $3, $4, $5, $6, 'published', 1, 0, $7, $8) ON CONFLICT DO NOTHING";
const OPENING: &str = "-- publication.opening
    INSERT INTO posts (topic_id, author_id, author_name, body, created_at) VALUES ($1, NULL, $2, $3, $4)";
const IDEAS: &str = "-- publication.ideas
    UPDATE topics SET ideas = $2 WHERE id = $1";
const COUNT: &str = "-- publication.count
    UPDATE topic_rounds SET published = published + 1 WHERE id = $1";

/// Publishes a topic with its opening post, archives the ideas of its cluster, and has it be told; false if
/// there is a topic of this cluster already, and then nothing changes. The step that publishes records this.
pub async fn publish(tx: &mut Tx, new: Publication) -> sqlx::Result<bool> {
    let first = head(tx, &new).await?;
    if first {
        follow(tx, new).await?;
    }
    Ok(first)
}

/// Writes the row of the topic itself; false if there is one of this cluster already. For [`publish`], and for a
/// build that the crash suite has do it apart.
pub async fn head(tx: &mut Tx, new: &Publication) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    rounds::lock(tx, new.round).await?;
    let artefact = Artefact {
        id: artefacts::id(new.cluster),
        kind: "topic",
        saga: new.saga,
    };
    artefacts::publish(tx, artefact, now).await?;
    let inserted = tx
        .query(TOPIC)
        .bind(new.topic)
        .bind(new.round)
        .bind(new.cluster)
        .bind(new.title.clone())
        .bind(new.summary.clone())
        .bind(new.cover)
        .bind(now)
        .bind(artefact.id)
        .execute()
        .await?;
    Ok(inserted > 0)
}

/// Writes all else that makes a topic public; see [`head`].
pub async fn follow(tx: &mut Tx, new: Publication) -> sqlx::Result<()> {
    let now = tx.now().await?;
    tx.query(COUNT).bind(new.round).execute().await?;
    let opening = tx.query(OPENING).bind(new.topic).bind(HOST);
    let opening = opening.bind(new.opening_post).bind(now);
    opening.execute().await?;
    let mut told = ideas::archive(tx, new.round, new.cluster, new.topic).await?;
    let used = i64::try_from(told.len()).unwrap_or(i64::MAX);
    tx.query(IDEAS).bind(new.topic).bind(used).execute().await?;
    told.push(NewEvent {
        name: "topic.published",
        entity: "topic",
        entity_id: new.topic,
        audience: Audience::Readers,
        value: json!({"topic_id": new.topic, "title": new.title, "summary": new.summary}),
    });
    events::note(tx, None, told).await
}
