//! The rows of passwords: hashes that nobody can read back.

use super::store::Account;
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// An account, and the hash of its password if it has one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Known {
    /// The account.
    #[sqlx(flatten)]
    pub account: Account,
    /// The hash, in the format of PHC.
    pub hash: Option<String>,
}

// One statement, whoever it finds: an account without a password takes no longer than one with.
const KNOWN: &str = "-- passwords.known
    SELECT a.id, a.email, a.display_name, a.created_at, a.disabled_at, p.hash
      FROM accounts a LEFT JOIN passwords p ON p.account_id = a.id WHERE a.email = $1";
const SET: &str = "-- passwords.set
    INSERT INTO passwords (account_id, hash, changed_at) VALUES ($1, $2, $3)
    ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at";
// Only over the hash that was checked: a password that was set meanwhile stays.
const UPGRADE: &str = "-- passwords.upgrade
    UPDATE passwords SET hash = $3 WHERE account_id = $1 AND hash = $2";

const DEAREST_IMPORT: &str = "-- passwords.dearest_import
    SELECT MAX(substr(hash, 5, 2)) FROM passwords WHERE hash LIKE $1";
/// How hashes of bcrypt begin: version, cost and salt.
const BCRYPT: &str = "$2_$__$%";

/// The cost of the dearest hash of bcrypt that is still there, if any was imported.
pub async fn dearest_import(db: &Db) -> sqlx::Result<Option<u32>> {
    let found: Option<String> = db.query(DEAREST_IMPORT).bind(BCRYPT).scalar().await?;
    Ok(found.and_then(|cost| cost.parse().ok()))
}

/// Whoever has this address.
pub async fn known(db: &Db, email: &str) -> sqlx::Result<Option<Known>> {
    db.query(KNOWN)
        .bind(email.trim().to_lowercase())
        .optional()
        .await
}

/// Sets the password of an account.
pub async fn set(tx: &mut Tx, account: Uuid, hash: String) -> sqlx::Result<()> {
    let now = tx.now().await?;
    let set = tx.query(SET).bind(account).bind(hash).bind(now);
    set.execute().await.map(drop)
}

/// Puts a hash of today's cost in the place of the one that was checked, or the same again; whether that one
/// still counted. Until the transaction ends nobody sets another.
pub async fn keep(tx: &mut Tx, account: Uuid, checked: String, new: String) -> sqlx::Result<bool> {
    let upgrade = tx.query(UPGRADE).bind(account).bind(checked).bind(new);
    Ok(upgrade.execute().await? > 0)
}
