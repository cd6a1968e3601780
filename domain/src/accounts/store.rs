//! The rows of accounts.

use chrono::{DateTime, Utc};
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Account {
    /// Never changes.
    pub id: Uuid,
    /// Lower case, unique.
    pub email: String,
    /// What others see; never written into a persona.
    pub display_name: String,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
}

/// What others see of somebody who gave no name.
pub const NAME_DEFAULT: &str = "A friend";

const INSERT: &str = "-- accounts.insert
    INSERT INTO accounts (id, email, display_name, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING";
const BY_EMAIL: &str = "-- accounts.by_email
    SELECT id, email, display_name, created_at FROM accounts WHERE email = $1";
const BY_ID: &str = "-- accounts.by_id
    SELECT id, email, display_name, created_at FROM accounts WHERE id = $1";

/// The account of an e-mail address. It is made under `id` and `display_name` if there is none; one
/// that is there keeps its own.
pub async fn find_or_create(
    tx: &mut Tx,
    id: Uuid,
    email: &str,
    display_name: &str,
) -> sqlx::Result<Account> {
    let (email, now) = (email.trim().to_lowercase(), tx.now().await?);
    tx.query(INSERT)
        .bind(id)
        .bind(email.clone())
        .bind(display_name.to_owned())
        .bind(now)
        .execute()
        .await?;
    tx.query(BY_EMAIL).bind(email).one().await
}

/// Finds an account.
pub async fn find(db: &Db, id: Uuid) -> sqlx::Result<Option<Account>> {
    db.query(BY_ID).bind(id).optional().await
}
