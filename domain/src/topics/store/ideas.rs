//! The ideas of a round, as its steps see them: texts without authors.

use super::submissions::own;
use crate::events::NewEvent;
use crate::topics::submissions::SubmissionState;
use chrono::{DateTime, Utc};
use saga_core::db::{Db, Sql, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An idea that a round holds.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Idea {
    /// Its id; ids are in the order in which ideas were handed in.
    pub id: Uuid,
    /// The cluster that it is in, once there are clusters; none is noise.
    pub cluster_id: Option<Uuid>,
    /// 1 to 1000 characters: data, never instructions.
    pub text: String,
    /// When it was handed in.
    pub created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Whose {
    id: Uuid,
    author_id: Uuid,
}

const CLAIM: &str = "-- ideas.claim
    UPDATE submissions SET state = 'claimed', round_id = $1 WHERE pool = $2 AND state = 'live'";
const CLAIMED: &str = "-- ideas.claimed
    SELECT id, cluster_id, text, created_at FROM submissions
     WHERE round_id = $1 AND state = 'claimed' ORDER BY id";
const OF_CLUSTER: &str = "-- ideas.of_cluster
    SELECT id, cluster_id, text, created_at FROM submissions
     WHERE cluster_id = $1 AND state IN ('claimed', 'archived') ORDER BY id";
const TEXTS: Sql = Sql {
    postgres: "-- ideas.texts
        SELECT id, round_id, text FROM submissions WHERE id = ANY($1) AND round_id IS NOT NULL",
    sqlite: "-- ideas.texts
        SELECT id, round_id, text FROM submissions WHERE id = $1 AND round_id IS NOT NULL",
};
const RELEASE: &str = "-- ideas.release
    UPDATE submissions SET state = 'live', round_id = NULL, cluster_id = NULL
     WHERE round_id = $1 AND state = 'claimed' RETURNING id, author_id";
const ARCHIVE: &str = "-- ideas.archive
    UPDATE submissions SET state = 'archived', topic_id = $3
     WHERE round_id = $1 AND cluster_id = $2 AND state = 'claimed' RETURNING id, author_id";

/// Takes up every live idea of a pool for a round, in one statement; tells how many.
pub(super) async fn claim(tx: &mut Tx, round: Uuid, pool: &str) -> sqlx::Result<i64> {
    let claim = tx.query(CLAIM).bind(round).bind(pool.to_owned());
    Ok(i64::try_from(claim.execute().await?).unwrap_or(i64::MAX))
}

/// What a round holds, oldest first.
pub async fn claimed(db: &Db, round: Uuid) -> sqlx::Result<Vec<Idea>> {
    db.query(CLAIMED).bind(round).all().await
}

/// The ideas of a cluster, oldest first, also once a topic was made of them.
pub async fn of_cluster(db: &Db, cluster: Uuid) -> sqlx::Result<Vec<Idea>> {
    db.query(OF_CLUSTER).bind(cluster).all().await
}

/// The texts of these ideas, as far as this round holds them or made topics of them: what was let go is its
/// author's business alone.
pub async fn texts(db: &Db, round: Uuid, ids: &[Uuid]) -> sqlx::Result<BTreeMap<Uuid, String>> {
    let found: Vec<(Uuid, Uuid, String)> = db.read(TEXTS, ids).await?;
    let held = found.into_iter().filter(|(_, of, _)| *of == round);
    Ok(held.map(|(id, _, text)| (id, text)).collect())
}

/// Has everything that a round still holds be live again; their authors are to be told so.
pub(super) async fn release(tx: &mut Tx, round: Uuid) -> sqlx::Result<Vec<NewEvent>> {
    let freed: Vec<Whose> = tx.query(RELEASE).bind(round).all().await?;
    let event = |idea: Whose| {
        let state = SubmissionState::Live;
        own("submission.released", idea.id, idea.author_id, state)
    };
    Ok(freed.into_iter().map(event).collect())
}

/// Puts away the ideas of a cluster that a topic was made of; their authors are to be told so.
pub(super) async fn archive(
    tx: &mut Tx,
    round: Uuid,
    cluster: Uuid,
    topic: Uuid,
) -> sqlx::Result<Vec<NewEvent>> {
    let archive = tx.query(ARCHIVE).bind(round).bind(cluster).bind(topic);
    let used: Vec<Whose> = archive.all().await?;
    let event = |idea: Whose| {
        let state = SubmissionState::Archived;
        own("submission.archived", idea.id, idea.author_id, state)
    };
    Ok(used.into_iter().map(event).collect())
}
