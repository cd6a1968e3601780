//! The rows of ideas, as their authors see them: nobody else does.

use crate::events::{self, Audience, NewEvent};
use crate::topics::POOL;
use crate::topics::submissions::SubmissionState;
use chrono::{DateTime, Utc};
use saga_core::db::{Db, Sql, Tx};
use serde_json::json;
use uuid::Uuid;

/// An idea.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Submission {
    /// Never changes.
    pub id: Uuid,
    /// Whose it is.
    pub author_id: Uuid,
    /// 1 to 1000 characters.
    pub text: String,
    /// Where it is.
    #[sqlx(try_from = "String")]
    pub state: SubmissionState,
    /// The topic made of it, once archived.
    pub topic_id: Option<Uuid>,
    /// Whether a curator put it there for a start.
    pub seeded: bool,
    /// When it was handed in.
    pub created_at: DateTime<Utc>,
    /// When its text last changed.
    pub edited_at: Option<DateTime<Utc>>,
}

/// What became of an author's wish to change an idea.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is done.
    Done(Submission),
    /// The author has no such idea.
    NotThere,
    /// It is not live, so nothing changed.
    NotLive(SubmissionState),
}

const INSERT: Sql = Sql {
    postgres: "-- submissions.insert
        INSERT INTO submissions (id, pool, author_id, text, state, seeded, created_at)
        SELECT r.id, r.pool, r.author_id, r.text, 'live', r.seeded, r.created_at
          FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bool[], $6::timestamptz[])
               AS r (id, pool, author_id, text, seeded, created_at)
        ON CONFLICT (pool, author_id) WHERE state IN ('live', 'claimed') AND NOT seeded DO NOTHING",
    sqlite: "-- submissions.insert
        INSERT INTO submissions (id, pool, author_id, text, state, seeded, created_at)
        VALUES ($1, $2, $3, $4, 'live', $5, $6)
        ON CONFLICT (pool, author_id) WHERE state IN ('live', 'claimed') AND NOT seeded DO NOTHING",
};
const CURRENT: &str = "-- submissions.current
    SELECT id, author_id, text, state, topic_id, seeded, created_at, edited_at FROM submissions
     WHERE author_id = $1 AND pool = $2 AND state IN ('live', 'claimed') AND NOT seeded";
const LIST: &str = "-- submissions.list
    SELECT id, author_id, text, state, topic_id, seeded, created_at, edited_at FROM submissions
     WHERE author_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
const LOCK: Sql = Sql {
    postgres: "-- submissions.lock
        SELECT id, author_id, text, state, topic_id, seeded, created_at, edited_at FROM submissions
         WHERE id = $1 AND author_id = $2 FOR UPDATE",
    sqlite: "-- submissions.lock
        SELECT id, author_id, text, state, topic_id, seeded, created_at, edited_at FROM submissions
         WHERE id = $1 AND author_id = $2",
};
const EDIT: &str = "-- submissions.edit
    UPDATE submissions SET text = $2, edited_at = $3 WHERE id = $1 AND state = 'live'";
const WITHDRAW: &str = "-- submissions.withdraw
    UPDATE submissions SET state = 'withdrawn' WHERE id = $1 AND state = 'live'";

/// Hands in ideas of one author; false if it is not a seed and the author has a live or claimed one already,
/// and then nothing is handed in. The texts are checked, see [`crate::topics::submissions::text`].
pub async fn hand_in(
    tx: &mut Tx,
    author: Uuid,
    ideas: &[(Uuid, String)],
    seeded: bool,
    request_id: &str,
) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    let inserted = tx
        .batch(INSERT)
        .column(ideas.iter().map(|(id, _)| *id))
        .column(ideas.iter().map(|_| POOL.to_owned()))
        .column(ideas.iter().map(|_| author))
        .column(ideas.iter().map(|(_, text)| text.clone()))
        .column(ideas.iter().map(|_| seeded))
        .column(ideas.iter().map(|_| now))
        .execute()
        .await?;
    if usize::try_from(inserted) != Ok(ideas.len()) {
        return Ok(false);
    }
    let created = ideas
        .iter()
        .map(|(id, _)| own("submission.created", *id, author, SubmissionState::Live));
    events::note(tx, Some(request_id), created.collect()).await?;
    Ok(true)
}

/// The idea that an author has in the pool now, live or claimed; seeds are not counted.
pub async fn current(db: &Db, author: Uuid) -> sqlx::Result<Option<Submission>> {
    db.query(CURRENT).bind(author).bind(POOL).optional().await
}

/// The same, in a transaction.
pub async fn current_in(tx: &mut Tx, author: Uuid) -> sqlx::Result<Option<Submission>> {
    tx.query(CURRENT).bind(author).bind(POOL).optional().await
}

/// All ideas of an author, newest first; `before` is the last id of the page before.
pub async fn list(
    db: &Db,
    author: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Submission>> {
    let list = db.query(LIST).bind(author).bind(before).bind(limit);
    list.all().await
}

/// Gives an idea another text, as long as it is live.
pub async fn edit(
    tx: &mut Tx,
    author: Uuid,
    id: Uuid,
    text: String,
    request_id: &str,
) -> sqlx::Result<Changed> {
    let mut idea = match lock(tx, author, id).await? {
        Ok(idea) => idea,
        Err(why) => return Ok(why),
    };
    let now = tx.now().await?;
    let edit = tx.query(EDIT).bind(id).bind(text.clone()).bind(now);
    edit.execute().await?;
    idea.text = text;
    idea.edited_at = Some(now);
    let edited = own("submission.edited", id, author, idea.state);
    events::note(tx, Some(request_id), vec![edited]).await?;
    Ok(Changed::Done(idea))
}

/// Takes an idea back, as long as it is live.
pub async fn withdraw(
    tx: &mut Tx,
    author: Uuid,
    id: Uuid,
    request_id: &str,
) -> sqlx::Result<Changed> {
    let mut idea = match lock(tx, author, id).await? {
        Ok(idea) => idea,
        Err(why) => return Ok(why),
    };
    tx.query(WITHDRAW).bind(id).execute().await?;
    idea.state = SubmissionState::Withdrawn;
    let withdrawn = own("submission.withdrawn", id, author, idea.state);
    events::note(tx, Some(request_id), vec![withdrawn]).await?;
    Ok(Changed::Done(idea))
}

/// A live idea of an author's, which nobody else changes until the transaction ends.
async fn lock(tx: &mut Tx, author: Uuid, id: Uuid) -> sqlx::Result<Result<Submission, Changed>> {
    let idea: Option<Submission> = tx.query(LOCK).bind(id).bind(author).optional().await?;
    Ok(match idea {
        None => Err(Changed::NotThere),
        Some(idea) => match idea.state {
            SubmissionState::Live => Ok(idea),
            SubmissionState::Claimed | SubmissionState::Archived | SubmissionState::Withdrawn => {
                Err(Changed::NotLive(idea.state))
            }
        },
    })
}

/// What an author is told of an idea.
pub(super) fn own(name: &'static str, id: Uuid, author: Uuid, state: SubmissionState) -> NewEvent {
    NewEvent {
        name,
        entity: "submission",
        entity_id: id,
        audience: Audience::Owner(author),
        value: json!({"submission_id": id, "state": state}),
    }
}
