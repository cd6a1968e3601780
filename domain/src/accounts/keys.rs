//! The rows of API keys: what a machine shows in place of a token.

use chrono::{DateTime, Utc};
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// A key that is about to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id.
    pub id: Uuid,
    /// For whom it speaks.
    pub account: Uuid,
    /// What it is for, in its maker's words.
    pub name: String,
    /// Its beginning, by which it is found and told apart.
    pub prefix: String,
    /// SHA-256 of the whole.
    pub hash: [u8; 32],
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Who made it.
    pub by: String,
    /// From when on it opens nothing.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key, as it is listed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Key {
    /// Its id.
    pub id: Uuid,
    /// For whom it speaks.
    pub account_id: Uuid,
    /// What it is for.
    pub name: String,
    /// Its beginning.
    pub prefix: String,
    /// Its scopes, with spaces between.
    pub scopes: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// From when on it opens nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to a few minutes.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key as the door needs it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Shown {
    /// Its id.
    pub id: Uuid,
    /// For whom it speaks.
    pub account_id: Uuid,
    /// The account's address.
    pub email: String,
    /// SHA-256 of the whole key.
    pub key_hash: Vec<u8>,
    /// Its scopes, with spaces between.
    pub scopes: String,
    /// From when on it opens nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to a few minutes.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Since when its account may do nothing.
    pub disabled_at: Option<DateTime<Utc>>,
}

const INSERT: &str = "-- keys.insert
    INSERT INTO api_keys (id, account_id, name, prefix, key_hash, scopes, created_by, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const SHOWN: &str = "-- keys.shown
    SELECT k.id, k.account_id, a.email, k.key_hash, k.scopes, k.expires_at, k.last_used_at, k.revoked_at, a.disabled_at
      FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.prefix = $1";
const USED: &str = "-- keys.used
    UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
const FIND: &str = "-- keys.find
    SELECT id, account_id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
      FROM api_keys WHERE id = $1";
const LIST: &str = "-- keys.list
    SELECT id, account_id, name, prefix, scopes, created_by, created_at, expires_at, last_used_at, revoked_at
      FROM api_keys WHERE $1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2";
const REVOKE: &str = "-- keys.revoke
    UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";

/// Writes a key down, without the key itself.
pub async fn create(tx: &mut Tx, new: NewKey) -> sqlx::Result<Key> {
    let now = tx.now().await?;
    let insert = tx
        .query(INSERT)
        .bind(new.id)
        .bind(new.account)
        .bind(new.name)
        .bind(new.prefix)
        .bind(new.hash.to_vec())
        .bind(new.scopes.join(" "))
        .bind(new.by)
        .bind(now)
        .bind(new.expires_at);
    insert.execute().await?;
    tx.query(FIND).bind(new.id).one().await
}

/// The key that begins so.
pub async fn shown(db: &Db, prefix: &str) -> sqlx::Result<Option<Shown>> {
    db.query(SHOWN).bind(prefix.to_owned()).optional().await
}

/// Notes that a key is in use.
pub async fn used(db: &Db, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    db.query(USED).bind(id).bind(now).execute().await.map(drop)
}

/// Keys, newest first; `before` is the last id of the page before.
pub async fn list(db: &Db, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Key>> {
    db.query(LIST).bind(before).bind(limit).all().await
}

/// Has a key open nothing from now on. `None` where there is no such key; one that was revoked stays so.
pub async fn revoke(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<(Key, bool)>> {
    let now = tx.now().await?;
    let changed = tx.query(REVOKE).bind(id).bind(now).execute().await? > 0;
    let key: Option<Key> = tx.query(FIND).bind(id).optional().await?;
    Ok(key.map(|key| (key, changed)))
}
