//! The rows of posts.

use super::topics::event;
use crate::events;
use chrono::{DateTime, Utc};
use saga_core::db::{Db, Sql, Tx};
use serde_json::json;
use uuid::Uuid;

/// A post about to be made.
#[derive(Debug, Clone)]
pub struct NewPost {
    /// Where.
    pub topic: Uuid,
    /// By whom.
    pub author: Uuid,
    /// Checked, see [`crate::topics::posts::body`].
    pub body: String,
}

/// A post.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Post {
    /// In the order of a topic's posts.
    pub id: i64,
    /// Where it is.
    pub topic_id: Uuid,
    /// By whom; none is the opening post, which a model wrote.
    pub author_id: Option<Uuid>,
    /// What its author was called.
    pub author_name: String,
    /// Where a picture of its author is, if there is one.
    pub author_avatar: Option<String>,
    /// 1 to 4000 characters.
    pub body: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its words last changed.
    pub edited_at: Option<DateTime<Utc>>,
}

const COUNT: &str = "-- posts.count
    UPDATE topics SET post_count = post_count + 1 WHERE id = $1 AND state = 'published'";
const INSERT: &str = "-- posts.insert
    INSERT INTO posts (topic_id, author_id, author_name, body, created_at)
    SELECT $1, a.id, a.display_name, $3, $4 FROM accounts a WHERE a.id = $2
    RETURNING id, topic_id, author_id, author_name, author_avatar, body, created_at, edited_at";
const LIST: &str = "-- posts.list
    SELECT id, topic_id, author_id, author_name, author_avatar, body, created_at, edited_at FROM posts
     WHERE topic_id = $1 AND deleted_at IS NULL AND id > $2 ORDER BY id LIMIT $3";
const LOCK: Sql = Sql {
    postgres: "-- posts.lock
        SELECT t.id FROM topics t WHERE t.id = $1 AND t.state = 'published' FOR UPDATE",
    sqlite: "-- posts.lock
        SELECT t.id FROM topics t WHERE t.id = $1 AND t.state = 'published'",
};
const EDIT: &str = "-- posts.edit
    UPDATE posts SET body = $4, edited_at = $5
     WHERE id = $1 AND topic_id = $2 AND author_id = $3 AND deleted_at IS NULL
    RETURNING id, topic_id, author_id, author_name, author_avatar, body, created_at, edited_at";
const DELETE: &str = "-- posts.delete
    UPDATE posts SET body = '', deleted_at = $4
     WHERE id = $1 AND topic_id = $2 AND author_id = $3 AND deleted_at IS NULL";
const DISCOUNT: &str = "-- posts.discount
    UPDATE topics SET post_count = post_count - 1 WHERE id = $1";

/// Adds a post to a public topic; none where there is no such topic.
pub async fn add(tx: &mut Tx, new: NewPost, request_id: &str) -> sqlx::Result<Option<Post>> {
    let now = tx.now().await?;
    // The topic's row is held from here on, so that its posts are numbered in the order of commits.
    if tx.query(COUNT).bind(new.topic).execute().await? == 0 {
        return Ok(None);
    }
    let insert = tx.query(INSERT).bind(new.topic).bind(new.author);
    let post: Post = insert.bind(new.body).bind(now).one().await?;
    let value = json!({"topic_id": new.topic, "post_id": post.id});
    let added = event("topic.post_added", new.topic, value);
    events::note(tx, Some(request_id), vec![added]).await?;
    Ok(Some(post))
}

/// The posts of a topic that are not deleted, oldest first, after the one numbered `after`.
pub async fn list(db: &Db, topic: Uuid, after: i64, limit: i64) -> sqlx::Result<Vec<Post>> {
    let list = db.query(LIST).bind(topic).bind(after).bind(limit);
    list.all().await
}

/// Gives a post of this author's other words; none where there is no such post in a public topic.
pub async fn edit(tx: &mut Tx, id: i64, of: &NewPost) -> sqlx::Result<Option<Post>> {
    if !lock(tx, of.topic).await? {
        return Ok(None);
    }
    let now = tx.now().await?;
    let edit = tx.query(EDIT).bind(id).bind(of.topic).bind(of.author);
    edit.bind(of.body.clone()).bind(now).optional().await
}

/// Deletes a post of this author's: its words are gone, its place stays. False where there is no such post in a
/// public topic.
pub async fn delete(tx: &mut Tx, topic: Uuid, id: i64, author: Uuid) -> sqlx::Result<bool> {
    if !lock(tx, topic).await? {
        return Ok(false);
    }
    let now = tx.now().await?;
    let delete = tx.query(DELETE).bind(id).bind(topic).bind(author);
    if delete.bind(now).execute().await? == 0 {
        return Ok(false);
    }
    tx.query(DISCOUNT).bind(topic).execute().await?;
    Ok(true)
}

async fn lock(tx: &mut Tx, topic: Uuid) -> sqlx::Result<bool> {
    let found: Option<(Uuid,)> = tx.query(LOCK).bind(topic).optional().await?;
    Ok(found.is_some())
}
