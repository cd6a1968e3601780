//! Sessions: opened at sign-in, kept alive by refresh tokens that count once, ended at once when revoked.

use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// A session that is about to be opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Its id, which every token of it names.
    pub id: Uuid,
    /// Whose it is.
    pub account: Uuid,
    /// Roles of its own in place of its account's; `None` at every sign-in.
    pub roles: Option<Vec<String>>,
    /// The hash of its first refresh token; without one it ends when its token does.
    pub refresh_hash: Option<[u8; 32]>,
    /// Where it was opened from, roughly.
    pub ip_prefix: String,
    /// With which program.
    pub user_agent: String,
    /// How long it lasts unless it is refreshed.
    pub life: TimeDelta,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Where it was opened from, roughly.
    pub ip_prefix: String,
    /// With which program.
    pub user_agent: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to a few minutes.
    pub last_used_at: DateTime<Utc>,
    /// When it ends unless it is refreshed.
    pub expires_at: DateTime<Utc>,
}

/// How it stands with a session and its account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Standing {
    /// Whose it is.
    pub account_id: Uuid,
    /// The account's address.
    pub email: String,
    /// Whether its roles are its own.
    pub own_roles: bool,
    /// When it was last used, to a few minutes.
    pub last_used_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was ended.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Since when its account may do nothing.
    pub disabled_at: Option<DateTime<Utc>>,
}

const INSERT: &str = "-- sessions.insert
    INSERT INTO sessions (id, account_id, own_roles, refresh_hash, ip_prefix, user_agent, created_at, last_used_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)";
const INSERT_ROLE: &str = "-- sessions.insert_role
    INSERT INTO session_roles (session_id, role) VALUES ($1, $2) ON CONFLICT (session_id, role) DO NOTHING";
const STANDING: &str = "-- sessions.standing
    SELECT s.account_id, a.email, s.own_roles, s.last_used_at, s.expires_at, s.revoked_at, a.disabled_at
      FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1";
const USED: &str = "-- sessions.used
    UPDATE sessions SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2";
// The old hash in the condition: of two who bring the same token, one finds it gone.
const ROTATE: &str = "-- sessions.rotate
    UPDATE sessions SET refresh_hash = $2, last_used_at = $3, expires_at = $4
     WHERE refresh_hash = $1 AND revoked_at IS NULL AND expires_at > $3 RETURNING id, account_id";
const SPEND: &str = "-- sessions.spend
    INSERT INTO spent_refreshes (refresh_hash, session_id) VALUES ($1, $2)";
const SPENT: &str = "-- sessions.spent
    SELECT s.id, s.account_id FROM spent_refreshes r JOIN sessions s ON s.id = r.session_id WHERE r.refresh_hash = $1";
const OWNER: &str = "-- sessions.owner
    SELECT account_id FROM sessions WHERE refresh_hash = $1 UNION ALL
    SELECT s.account_id FROM spent_refreshes r JOIN sessions s ON s.id = r.session_id WHERE r.refresh_hash = $1";
const RENEW: &str = "-- sessions.renew
    UPDATE sessions SET refresh_hash = $3 WHERE id = $1 AND refresh_hash = $2 AND revoked_at IS NULL AND expires_at > $4";
const REVOKE: &str = "-- sessions.revoke
    UPDATE sessions SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
const REVOKE_OWN: &str = "-- sessions.revoke_own
    UPDATE sessions SET revoked_at = $3 WHERE id = $1 AND account_id = $2 AND revoked_at IS NULL AND expires_at > $3";
const REVOKE_ALL: &str = "-- sessions.revoke_all
    UPDATE sessions SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL";
const REVOKE_OWN_ROLES: &str = "-- sessions.revoke_own_roles
    UPDATE sessions SET revoked_at = $2 WHERE account_id = $1 AND id <> $3 AND own_roles AND revoked_at IS NULL";
const OF_ACCOUNT: &str = "-- sessions.of_account
    SELECT id, ip_prefix, user_agent, created_at, last_used_at, expires_at FROM sessions
     WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2 AND ($3 IS NULL OR id < $3)
     ORDER BY id DESC LIMIT $4";
const FORGET: &str = "-- sessions.forget
    DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

/// Opens a session, and tells when it ends.
pub async fn open(tx: &mut Tx, opening: Opening) -> sqlx::Result<DateTime<Utc>> {
    let now = tx.now().await?;
    let expires = now + opening.life;
    let insert = tx
        .query(INSERT)
        .bind(opening.id)
        .bind(opening.account)
        .bind(opening.roles.is_some())
        .bind(opening.refresh_hash.map(Vec::from))
        .bind(opening.ip_prefix)
        .bind(opening.user_agent)
        .bind(now)
        .bind(expires);
    insert.execute().await?;
    for role in opening.roles.unwrap_or_default() {
        let insert = tx.query(INSERT_ROLE).bind(opening.id).bind(role);
        insert.execute().await?;
    }
    Ok(expires)
}

/// How it stands with a session.
pub async fn standing(db: &Db, id: Uuid) -> sqlx::Result<Option<Standing>> {
    db.query(STANDING).bind(id).optional().await
}

/// Notes that a session is in use.
pub async fn used(db: &Db, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    db.query(USED).bind(id).bind(now).execute().await.map(drop)
}

/// Puts a new refresh token in the place of one, and tells of which session and account it is; none where it was
/// not the session's last, or the session is over.
pub async fn rotate(
    tx: &mut Tx,
    old: [u8; 32],
    new: [u8; 32],
    life: TimeDelta,
) -> sqlx::Result<Option<(Uuid, Uuid)>> {
    let now = tx.now().await?;
    let rotate = tx.query(ROTATE).bind(old.to_vec()).bind(new.to_vec());
    let rotated: Option<(Uuid, Uuid)> = rotate.bind(now).bind(now + life).optional().await?;
    if let Some((session, _)) = rotated {
        let spend = tx.query(SPEND).bind(old.to_vec()).bind(session);
        spend.execute().await?;
    }
    Ok(rotated)
}

/// Ends the session of a refresh token that was used before, since somebody has a copy, and tells which session of
/// whose it was; none where it was not used, or is none of ours.
pub async fn end_reused(tx: &mut Tx, refresh: [u8; 32]) -> sqlx::Result<Option<(Uuid, Uuid)>> {
    let spent: Option<(Uuid, Uuid)> = tx.query(SPENT).bind(refresh.to_vec()).optional().await?;
    let Some((session, account)) = spent else {
        return Ok(None);
    };
    // It ends once, however often the copy is brought.
    let ended = revoke_own(tx, session, account).await?;
    Ok(spent.filter(|_| ended))
}

/// Whose session a refresh token is of, whether or not it was used.
pub async fn owner(db: &Db, refresh: [u8; 32]) -> sqlx::Result<Option<Uuid>> {
    let found = db.query(OWNER).bind(refresh.to_vec());
    let found: Option<(Uuid,)> = found.optional().await?;
    Ok(found.map(|(account,)| account))
}

/// Puts another refresh token in the place of one that may have been lost on its way; false where that one was
/// used, or its session is over. Whoever brings the lost one after all is one too many, as with any other.
pub async fn renew(
    tx: &mut Tx,
    session: Uuid,
    lost: [u8; 32],
    new: [u8; 32],
) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    let renew = tx.query(RENEW).bind(session).bind(lost.to_vec());
    if renew.bind(new.to_vec()).bind(now).execute().await? == 0 {
        return Ok(false);
    }
    let spend = tx.query(SPEND).bind(lost.to_vec()).bind(session);
    spend.execute().await?;
    Ok(true)
}

/// Ends a session.
pub async fn revoke(tx: &mut Tx, id: Uuid) -> sqlx::Result<()> {
    let now = tx.now().await?;
    let revoke = tx.query(REVOKE).bind(id).bind(now);
    revoke.execute().await.map(drop)
}

/// Ends a session of this account's; false where it has no such session that lasts.
pub async fn revoke_own(tx: &mut Tx, id: Uuid, account: Uuid) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    let revoke = tx.query(REVOKE_OWN).bind(id).bind(account).bind(now);
    Ok(revoke.execute().await? > 0)
}

/// Ends every session of an account, and tells how many.
pub async fn revoke_all(tx: &mut Tx, account: Uuid) -> sqlx::Result<u64> {
    let now = tx.now().await?;
    tx.query(REVOKE_ALL).bind(account).bind(now).execute().await
}

/// Ends those sessions of an account that have roles of their own, but for this one, and tells how many.
pub async fn revoke_own_roles(tx: &mut Tx, account: Uuid, but: Uuid) -> sqlx::Result<u64> {
    let now = tx.now().await?;
    let revoked = tx.query(REVOKE_OWN_ROLES).bind(account).bind(now);
    revoked.bind(but).execute().await
}

/// The sessions of an account that last, newest first; `before` is the last id of the page before.
pub async fn of_account(
    db: &Db,
    account: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> sqlx::Result<Vec<Session>> {
    let now = db.now().await?;
    let list = db.query(OF_ACCOUNT).bind(account).bind(now);
    list.bind(before).bind(limit).all().await
}

/// How long a session stays after its end, so that a copy of its tokens is still known as one.
const KEPT_FOR: TimeDelta = TimeDelta::days(1);

/// Forgets sessions that ended long ago, at most so many, and tells how many.
pub async fn forget_old(tx: &mut Tx, limit: i64) -> sqlx::Result<u64> {
    let old = tx.now().await? - KEPT_FOR;
    tx.query(FORGET).bind(old).bind(limit).execute().await
}
