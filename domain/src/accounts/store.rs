//! The rows of accounts.

use super::roles;
use chrono::{DateTime, Utc};
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    /// Never changes.
    pub id: Uuid,
    /// Lower case, unique; see [`Account::address`].
    pub email: String,
    /// What others see; never written into a persona.
    pub display_name: String,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
    /// Since when it may do nothing.
    pub disabled_at: Option<DateTime<Utc>>,
}

/// What others see of somebody who gave no name.
pub const NAME_DEFAULT: &str = "A friend";
/// Ends what stands for an address where an account has none; no mail ever goes there (RFC 2606).
const NO_ADDRESS: &str = "@account.invalid";

const INSERT: &str = "-- accounts.insert
    INSERT INTO accounts (id, email, display_name, created_at, roles_decided) VALUES ($1, $2, $3, $4, TRUE)
    ON CONFLICT (email) DO NOTHING";
const BY_EMAIL: &str = "-- accounts.by_email
    SELECT id, email, display_name, created_at, disabled_at FROM accounts WHERE email = $1";
const BY_ID: &str = "-- accounts.by_id
    SELECT id, email, display_name, created_at, disabled_at FROM accounts WHERE id = $1";
const LIST: &str = "-- accounts.list
    SELECT id, email, display_name, created_at, disabled_at FROM accounts
     WHERE ($1 IS NULL OR id < $1) ORDER BY id DESC LIMIT $2";
const DISABLE: &str = "-- accounts.disable
    UPDATE accounts SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
const ENABLE: &str = "-- accounts.enable
    UPDATE accounts SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL";

impl Account {
    /// Its address, if it has one.
    pub fn address(&self) -> Option<&str> {
        address(&self.email)
    }
}

/// The address that `email` is, unless it only stands for one.
pub fn address(email: &str) -> Option<&str> {
    Some(email).filter(|email| !email.ends_with(NO_ADDRESS))
}

/// What stands for the address of an account that has none.
pub(super) fn no_address(id: Uuid) -> String {
    format!("{}{NO_ADDRESS}", id.simple())
}

/// The account of an e-mail address. It is made under `id` and `display_name` if there is none, as a
/// member's; one that is there keeps its own.
pub async fn find_or_create(
    tx: &mut Tx,
    id: Uuid,
    email: &str,
    display_name: &str,
) -> sqlx::Result<Account> {
    if insert(tx, id, email, display_name).await? {
        roles::grant(tx, id, roles::MEMBER, "sign-up").await?;
    }
    tx.query(BY_EMAIL).bind(lowered(email)).one().await
}

/// Makes an account without roles; false if its address is taken.
pub async fn insert(tx: &mut Tx, id: Uuid, email: &str, display_name: &str) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    let insert = tx.query(INSERT).bind(id).bind(lowered(email));
    let made = insert
        .bind(display_name.to_owned())
        .bind(now)
        .execute()
        .await?;
    Ok(made > 0)
}

/// Addresses are one whatever their case.
fn lowered(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Finds an account.
pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Account>> {
    db.query(BY_ID).bind(id).optional().await
}

/// Finds an account, in a transaction.
pub async fn find_in(tx: &mut Tx, id: Uuid) -> sqlx::Result<Option<Account>> {
    tx.query(BY_ID).bind(id).optional().await
}

/// Finds an account by its address.
pub async fn by_email(db: &Db, email: &str) -> sqlx::Result<Option<Account>> {
    db.query(BY_EMAIL).bind(lowered(email)).optional().await
}

/// Accounts, newest first; `before` is the last id of the page before.
pub async fn list(db: &Db, before: Option<Uuid>, limit: i64) -> sqlx::Result<Vec<Account>> {
    db.query(LIST).bind(before).bind(limit).all().await
}

/// Has an account do nothing any more, or do things again; false where it is so already.
pub async fn switch(tx: &mut Tx, id: Uuid, on: bool) -> sqlx::Result<bool> {
    let now = tx.now().await?;
    let switch = if on {
        tx.query(ENABLE).bind(id)
    } else {
        tx.query(DISABLE).bind(id).bind(now)
    };
    Ok(switch.execute().await? > 0)
}
