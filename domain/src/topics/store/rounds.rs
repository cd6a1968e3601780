//! The rows of rounds: how one begins, moves on, and lets go of what it holds.

use super::ideas;
use crate::events::{self, Audience, NewEvent};
use crate::topics::rounds::{Begin, KIND, Params, RoundState, Trigger, told};
use chrono::{DateTime, Utc};
use saga_core::client::Client;
use saga_core::db::{Db, Sql, Tx};
use saga_core::state::SagaState;
use saga_core::store::{NewSaga, StartError, Started};
use saga_core::ticket::Ticket;
use serde_json::json;
use uuid::Uuid;

/// A round that is about to begin.
#[derive(Debug, Clone)]
pub struct NewRound {
    /// Its saga's id.
    pub id: Uuid,
    /// Whose ideas.
    pub pool: String,
    /// How it came to be started.
    pub trigger: Trigger,
    /// What it is asked for.
    pub params: Params,
    /// Who started it, if an account did.
    pub started_by: Option<Uuid>,
}

/// How many ideas and topics a round has to do with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    /// Ideas that it took up.
    pub claimed: i64,
    /// Clusters found among them.
    pub clusters: i64,
    /// Ideas in no cluster.
    pub noise: i64,
    /// Topics made.
    pub published: i64,
    /// Ideas that are live again.
    pub released: i64,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its saga's id.
    pub id: Uuid,
    /// Whose ideas.
    pub pool: String,
    /// Where it is.
    pub state: RoundState,
    /// How it came to be started.
    pub trigger: Trigger,
    /// What it was asked for.
    pub params: Params,
    /// How much it has to do with.
    pub counts: Counts,
    /// Why it made nothing, where it is empty.
    pub note: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it was over.
    pub finished_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    pool: String,
    #[sqlx(try_from = "String")]
    state: RoundState,
    #[sqlx(try_from = "String")]
    trigger: Trigger,
    #[sqlx(flatten)]
    params: Params,
    #[sqlx(flatten)]
    counts: Counts,
    note: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    saga_state: Option<String>,
    ending: Option<String>,
    saga_finished_at: Option<DateTime<Utc>>,
}

const INSERT: &str = "-- rounds.insert
    INSERT INTO topic_rounds (id, pool, state, trigger, require_review, min_cluster_size, max_topics, claimed, clusters,
                              noise, published, released, started_by, created_at)
    VALUES ($1, $2, 'queued', $3, $4, $5, $6, 0, 0, 0, 0, 0, $7, $8) ON CONFLICT (id) DO NOTHING";
const FIND: &str = "-- rounds.find
    SELECT r.id, r.pool, r.state, r.trigger, r.require_review, r.min_cluster_size, r.max_topics, r.claimed, r.clusters,
           r.noise, r.published, r.released, r.note, r.created_at, r.finished_at,
           s.state AS saga_state, s.ending, s.finished_at AS saga_finished_at
      FROM topic_rounds r LEFT JOIN sagas s ON s.id = r.id WHERE r.id = $1";
const LIST: &str = "-- rounds.list
    SELECT r.id, r.pool, r.state, r.trigger, r.require_review, r.min_cluster_size, r.max_topics, r.claimed, r.clusters,
           r.noise, r.published, r.released, r.note, r.created_at, r.finished_at,
           s.state AS saga_state, s.ending, s.finished_at AS saga_finished_at
      FROM topic_rounds r LEFT JOIN sagas s ON s.id = r.id
     WHERE $1 IS NULL OR r.id < $1 ORDER BY r.id DESC LIMIT $2";
const CLAIMED: &str = "-- rounds.claimed
    UPDATE topic_rounds SET state = 'embedding', claimed = $2 WHERE id = $1 AND finished_at IS NULL";
const EMBEDDED: &str = "-- rounds.embedded
    UPDATE topic_rounds SET state = 'clustering' WHERE id = $1 AND finished_at IS NULL";
const OPEN: Sql = Sql {
    postgres: "-- rounds.open
        SELECT state FROM topic_rounds WHERE id = $1 AND finished_at IS NULL FOR UPDATE",
    sqlite: "-- rounds.open
        SELECT state FROM topic_rounds WHERE id = $1 AND finished_at IS NULL",
};
const FINISH: &str = "-- rounds.finish
    UPDATE topic_rounds
       SET state = CASE WHEN claimed = 0 OR clusters = 0 THEN 'empty' ELSE 'finished' END,
           note = CASE WHEN claimed = 0 THEN 'no live submissions' WHEN clusters = 0 THEN 'no clusters' END,
           released = $2, finished_at = $3,
           published = (SELECT COUNT(*) FROM topics WHERE round_id = $1)
     WHERE id = $1 AND finished_at IS NULL";
const GIVE_UP: &str = "-- rounds.give_up
    UPDATE topic_rounds
       SET state = CASE WHEN EXISTS (SELECT 1 FROM sagas WHERE id = $1 AND ending = 'canceled') THEN 'cancelled' ELSE 'failed' END,
           released = $2, finished_at = $3,
           published = (SELECT COUNT(*) FROM topics WHERE round_id = $1)
     WHERE id = $1 AND finished_at IS NULL";

/// Starts a round of a pool, unless one is open; then that one is found, and the transaction is to be rolled
/// back.
pub async fn start(
    tx: &mut Tx,
    client: &Client,
    new: NewRound,
    request_id: &str,
) -> Result<(Started, Vec<Ticket>), StartError> {
    let input = Begin {
        pool: new.pool.clone(),
        params: new.params,
    };
    let saga = NewSaga {
        id: new.id,
        kind: KIND.to_owned(),
        input: serde_json::to_value(input).map_err(|error| sqlx::Error::Encode(error.into()))?,
        owner_id: new.started_by,
        request_id: request_id.to_owned(),
        trace: saga_core::trace::current(),
        singleton: Some(new.pool.clone()),
        replay_of: None,
    };
    let (started, tickets) = client.start_in(tx, saga).await?;
    if started.new {
        begin(tx, new, Some(request_id)).await?;
    }
    Ok((started, tickets))
}

/// Writes down a round that begins; one that is there stays as it is.
pub async fn begin(tx: &mut Tx, new: NewRound, request_id: Option<&str>) -> sqlx::Result<()> {
    let now = tx.now().await?;
    let id = new.id;
    let inserted = tx
        .query(INSERT)
        .bind(id)
        .bind(new.pool)
        .bind(new.trigger.as_str())
        .bind(new.params.require_review)
        .bind(new.params.min_cluster_size)
        .bind(new.params.max_topics)
        .bind(new.started_by)
        .bind(now)
        .execute()
        .await?;
    if inserted == 0 {
        return Ok(());
    }
    let value = json!({"round_id": id, "trigger": new.trigger});
    events::note(tx, request_id, vec![event("round.started", id, value)]).await
}

/// Takes up every live idea of the round's pool, and tells how many; none for a round that is over. The step
/// that claims records this.
pub async fn claim(tx: &mut Tx, round: Uuid, pool: &str) -> sqlx::Result<i64> {
    if lock(tx, round).await?.is_none() {
        return Ok(0);
    }
    let claimed = ideas::claim(tx, round, pool).await?;
    let note = tx.query(CLAIMED).bind(round).bind(claimed);
    note.execute().await?;
    Ok(claimed)
}

/// Notes that there are vectors of a round's ideas. The step that makes them records this.
pub async fn embedded(tx: &mut Tx, round: Uuid) -> sqlx::Result<()> {
    tx.query(EMBEDDED).bind(round).execute().await.map(drop)
}

/// Ends a round: what it still holds is live again. It is empty if it found no ideas or no clusters. The last
/// step records this.
pub async fn finish(tx: &mut Tx, round: Uuid) -> sqlx::Result<()> {
    end(tx, round, FINISH).await
}

/// Ends a round that failed or was cancelled: what it still holds is live again. The undo of the step that
/// claims records this.
pub async fn give_up(tx: &mut Tx, round: Uuid) -> sqlx::Result<()> {
    end(tx, round, GIVE_UP).await
}

async fn end(tx: &mut Tx, round: Uuid, how: &'static str) -> sqlx::Result<()> {
    if lock(tx, round).await?.is_none() {
        return Ok(());
    }
    let now = tx.now().await?;
    let mut told = ideas::release(tx, round).await?;
    let released = i64::try_from(told.len()).unwrap_or(i64::MAX);
    let ended = tx.query(how).bind(round).bind(released).bind(now);
    ended.execute().await?;
    let row: Row = tx.query(FIND).bind(round).one().await?;
    let (state, counts) = (row.state, row.counts);
    let value = json!({
        "round_id": round, "state": state, "published": counts.published, "released": counts.released,
    });
    told.push(event("round.finished", round, value));
    events::note(tx, None, told).await
}

/// Where an open round was left by its steps, with nobody else changing it until the transaction ends; none for
/// one that is over.
pub(super) async fn lock(tx: &mut Tx, round: Uuid) -> sqlx::Result<Option<RoundState>> {
    let state: Option<(String,)> = tx.query(OPEN).bind(round).optional().await?;
    state.map(|(word,)| crate::word(&word)).transpose()
}

/// Finds a round.
pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Round>> {
    let row: Option<Row> = db.query(FIND).bind(id).optional().await?;
    row.map(Round::try_from).transpose()
}

/// Rounds, newest first; `before` is the last id of the page before.
pub async fn list(db: &Db, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Round>> {
    let rows: Vec<Row> = db.query(LIST).bind(before).bind(limit).all().await?;
    rows.into_iter().map(Round::try_from).collect()
}

/// What curators are told of a round.
pub(super) fn event(name: &'static str, round: Uuid, value: serde_json::Value) -> NewEvent {
    NewEvent {
        name,
        entity: "round",
        entity_id: round,
        audience: Audience::Curators,
        value,
    }
}

impl TryFrom<Row> for Round {
    type Error = sqlx::Error;
    fn try_from(row: Row) -> sqlx::Result<Self> {
        let named = |word: &String| SagaState::ALL.into_iter().find(|one| one.as_str() == word);
        let saga = row.saga_state.as_ref().and_then(named);
        let canceled = row.ending.as_deref() == Some("canceled");
        let state = told(row.state, saga, canceled);
        Ok(Self {
            id: row.id,
            pool: row.pool,
            state,
            trigger: row.trigger,
            params: row.params,
            counts: row.counts,
            note: row.note,
            created_at: row.created_at,
            finished_at: row.finished_at.or(row.saga_finished_at),
        })
    }
}
