//! The rows of clusters: ideas of a round that are alike, and what a curator decides about them.

use super::rounds;
use crate::events;
use crate::topics::rounds::RoundState;
use saga_core::db::{Db, Sql, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// What is to become of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ClusterDecision)]
pub enum Decision {
    /// Nobody has said; it is kept.
    Pending,
    /// A topic, before those of which nobody has said anything.
    Keep,
    /// No topic; its ideas are live again once the round is over.
    Drop,
}

impl Decision {
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Keep => "keep",
            Self::Drop => "drop",
        }
    }
}

/// A cluster that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCluster {
    /// Follows from the round and the label, so that a repeated step finds its own.
    pub id: Uuid,
    /// From 0, largest first, of two alike the one with the oldest idea.
    pub label: i64,
    /// Words that tell it from the others, best first.
    pub keywords: Vec<String>,
    /// Ideas that stand for it, best first.
    pub samples: Vec<Uuid>,
    /// All its ideas.
    pub members: Vec<Uuid>,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Never changes.
    pub id: Uuid,
    /// The round that found it.
    pub round_id: Uuid,
    /// From 0, largest first.
    pub label: i64,
    /// How many ideas it had when it was found.
    pub size: i64,
    /// Words that tell it from the others, best first.
    pub keywords: Vec<String>,
    /// Ideas that stand for it, best first; some may be gone.
    pub samples: Vec<Uuid>,
    /// What is to become of it.
    pub decision: Decision,
    /// What a curator would call its topic.
    pub title_hint: Option<String>,
}

/// What a curator changes; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What is to become of the cluster.
    pub decision: Option<Decision>,
    /// What its topic might be called, 1 to 200 characters; an inner none takes it away.
    pub title_hint: Option<Option<String>>,
}

/// What became of a curator's wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It is done.
    Done(Cluster),
    /// The round has no such cluster.
    NotThere,
    /// Nobody is asked about this round, or not any more.
    NotInReview,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    round_id: Uuid,
    label: i64,
    size: i64,
    keywords: String,
    sample_ids: String,
    decision: String,
    title_hint: Option<String>,
}

const INSERT: Sql = Sql {
    postgres: "-- clusters.insert
        INSERT INTO topic_clusters (id, round_id, label, size, keywords, sample_ids, decision)
        SELECT r.id, r.round_id, r.label, r.size, r.keywords, r.sample_ids, 'pending'
          FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])
               AS r (id, round_id, label, size, keywords, sample_ids)",
    sqlite: "-- clusters.insert
        INSERT INTO topic_clusters (id, round_id, label, size, keywords, sample_ids, decision)
        VALUES ($1, $2, $3, $4, $5, $6, 'pending')",
};
const JOIN: Sql = Sql {
    postgres: "-- clusters.join
        UPDATE submissions s SET cluster_id = r.cluster_id
          FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[]) AS r (id, cluster_id, round_id)
         WHERE s.id = r.id AND s.round_id = r.round_id AND s.state = 'claimed'",
    sqlite: "-- clusters.join
        UPDATE submissions SET cluster_id = $2 WHERE id = $1 AND round_id = $3 AND state = 'claimed'",
};
const LEAVE: &str = "-- clusters.leave
    UPDATE submissions SET cluster_id = NULL WHERE round_id = $1 AND cluster_id IS NOT NULL AND state = 'claimed'";
const REMOVE: &str = "-- clusters.remove
    DELETE FROM topic_clusters WHERE round_id = $1
       AND NOT EXISTS (SELECT 1 FROM topics WHERE topics.cluster_id = topic_clusters.id)";
const CLUSTERED: &str = "-- clusters.noted
    UPDATE topic_rounds
       SET clusters = $2, noise = $3,
           state = CASE WHEN $2 = 0 THEN state WHEN require_review THEN 'in_review' ELSE 'drafting' END
     WHERE id = $1 AND finished_at IS NULL";
const OF_ROUND: &str = "-- clusters.of_round
    SELECT id, round_id, label, size, keywords, sample_ids, decision, title_hint FROM topic_clusters
     WHERE round_id = $1 ORDER BY label";
const FIND: &str = "-- clusters.find
    SELECT id, round_id, label, size, keywords, sample_ids, decision, title_hint FROM topic_clusters
     WHERE id = $1 AND round_id = $2";
const DECIDE: &str = "-- clusters.decide
    UPDATE topic_clusters SET decision = $2, title_hint = $3 WHERE id = $1";
const DRAFTING: &str = "-- clusters.drafting
    UPDATE topic_rounds SET state = 'drafting' WHERE id = $1 AND finished_at IS NULL";

/// Puts a round's clusters in the place of those it had, and the round in review, if it asks for one, or to
/// drafting. `noise` is how many ideas are in none. The step that clusters records this.
pub async fn save(
    tx: &mut Tx,
    round: Uuid,
    noise: i64,
    clusters: &[NewCluster],
) -> sqlx::Result<()> {
    if rounds::lock(tx, round).await?.is_none() {
        return Ok(());
    }
    remove(tx, round).await?;
    let size = |cluster: &NewCluster| i64::try_from(cluster.members.len()).unwrap_or(i64::MAX);
    tx.batch(INSERT)
        .column(clusters.iter().map(|cluster| cluster.id))
        .column(clusters.iter().map(|_| round))
        .column(clusters.iter().map(|cluster| cluster.label))
        .column(clusters.iter().map(size))
        .column(
            clusters
                .iter()
                .map(|cluster| json!(cluster.keywords).to_string()),
        )
        .column(
            clusters
                .iter()
                .map(|cluster| json!(cluster.samples).to_string()),
        )
        .execute()
        .await?;
    let members = || {
        let of = |cluster: &NewCluster| {
            let cluster_id = cluster.id;
            let member = move |id| (id, cluster_id);
            cluster.members.clone().into_iter().map(member)
        };
        clusters.iter().flat_map(of)
    };
    tx.batch(JOIN)
        .column(members().map(|(id, _)| id))
        .column(members().map(|(_, cluster)| cluster))
        .column(members().map(|_| round))
        .execute()
        .await?;
    let found = i64::try_from(clusters.len()).unwrap_or(i64::MAX);
    let noted = tx.query(CLUSTERED).bind(round).bind(found).bind(noise);
    noted.execute().await?;
    let value = json!({"round_id": round, "clusters": found, "noise": noise});
    let clustered = rounds::event("round.clustered", round, value);
    events::note(tx, None, vec![clustered]).await
}

/// Removes a round's clusters, but those that a topic was made of. The undo of the step that clusters records
/// this.
pub async fn remove(tx: &mut Tx, round: Uuid) -> sqlx::Result<()> {
    tx.query(LEAVE).bind(round).execute().await?;
    tx.query(REMOVE).bind(round).execute().await.map(drop)
}

/// The clusters of a round, largest first.
pub async fn of_round(db: &Db, round: Uuid) -> sqlx::Result<Vec<Cluster>> {
    let rows: Vec<Row> = db.query(OF_ROUND).bind(round).all().await?;
    rows.into_iter().map(Cluster::try_from).collect()
}

/// Finds a cluster of a round.
pub async fn find(db: &Db, round: Uuid, id: Uuid) -> sqlx::Result<Option<Cluster>> {
    let row: Option<Row> = db.query(FIND).bind(id).bind(round).optional().await?;
    row.map(Cluster::try_from).transpose()
}

/// Has a curator decide about a cluster, as long as the round is in review.
pub async fn decide(tx: &mut Tx, round: Uuid, id: Uuid, change: Change) -> sqlx::Result<Decided> {
    let state = rounds::lock(tx, round).await?;
    let row: Option<Row> = tx.query(FIND).bind(id).bind(round).optional().await?;
    let Some(mut cluster) = row.map(Cluster::try_from).transpose()? else {
        return Ok(Decided::NotThere);
    };
    if state != Some(RoundState::InReview) {
        return Ok(Decided::NotInReview);
    }
    cluster.decision = change.decision.unwrap_or(cluster.decision);
    cluster.title_hint = change.title_hint.unwrap_or(cluster.title_hint);
    let decide = tx.query(DECIDE).bind(id).bind(cluster.decision.as_str());
    decide.bind(cluster.title_hint.clone()).execute().await?;
    Ok(Decided::Done(cluster))
}

/// The clusters that topics are made of, at most `max`, largest first: those that somebody keeps come before
/// those that nobody has decided about.
pub fn kept(mut clusters: Vec<Cluster>, max: i64) -> Vec<Cluster> {
    clusters.retain(|cluster| cluster.decision != Decision::Drop);
    clusters.sort_by_key(|cluster| (cluster.decision != Decision::Keep, cluster.label));
    clusters.truncate(usize::try_from(max).unwrap_or_default());
    clusters.sort_by_key(|cluster| cluster.label);
    clusters
}

/// Ends the review of a round with the clusters `chosen`, as they came from [`kept`]; false if a curator has
/// decided otherwise since they were read, so that they are to be read again. The step that chooses records
/// this.
pub async fn choose(tx: &mut Tx, round: Uuid, chosen: &[Cluster], max: i64) -> sqlx::Result<bool> {
    if rounds::lock(tx, round).await?.is_none() {
        return Ok(true);
    }
    let rows: Vec<Row> = tx.query(OF_ROUND).bind(round).all().await?;
    let now: sqlx::Result<Vec<Cluster>> = rows.into_iter().map(Cluster::try_from).collect();
    if kept(now?, max) != chosen {
        return Ok(false);
    }
    tx.query(DRAFTING).bind(round).execute().await?;
    Ok(true)
}

impl TryFrom<Row> for Cluster {
    type Error = sqlx::Error;
    fn try_from(row: Row) -> sqlx::Result<Self> {
        let unread = |error: serde_json::Error| sqlx::Error::Decode(error.into());
        Ok(Self {
            id: row.id,
            round_id: row.round_id,
            label: row.label,
            size: row.size,
            keywords: serde_json::from_str(&row.keywords).map_err(unread)?,
            samples: serde_json::from_str(&row.sample_ids).map_err(unread)?,
            decision: crate::word(&row.decision)?,
            title_hint: row.title_hint,
        })
    }
}
