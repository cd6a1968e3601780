//! The roles of accounts, and what they permit.

use super::permissions::{Granted, Permissions};
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// The roles that there are: another word would open nothing, and nobody would know why.
pub const ROLES: [&str; 8] = [
    "member", "client", "agent", "employee", "curator", "reviewer", "operator", "admin",
];
/// What everybody is who signs up.
pub const MEMBER: &str = "member";

/// Roles, and what they come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// The roles, in order.
    pub roles: Vec<String>,
    /// What they permit.
    pub permissions: Permissions,
}

#[derive(sqlx::FromRow)]
struct Row {
    role: String,
    permission: String,
    own: bool,
}

/// The roles of an account, as `held`: one that an older build made, which knew nothing of roles, is a member.
macro_rules! held {
    () => {
        "(SELECT role FROM account_roles WHERE account_id = $1
          UNION ALL
          SELECT 'member' FROM accounts a WHERE a.id = $1 AND NOT a.roles_decided
             AND NOT EXISTS (SELECT 1 FROM account_roles r WHERE r.account_id = $1)) AS held"
    };
}
const OF_ACCOUNT: &str = concat!(
    "-- roles.of_account
    SELECT held.role, p.permission, p.own FROM ",
    held!(),
    " JOIN role_permissions p ON p.role = held.role ORDER BY held.role, p.permission"
);
const OF_SESSION: &str = "-- roles.of_session
    SELECT h.role, p.permission, p.own FROM session_roles h JOIN role_permissions p ON p.role = h.role
     WHERE h.session_id = $1 ORDER BY h.role, p.permission";
const NAMES: &str = concat!(
    "-- roles.names
    SELECT role FROM ",
    held!(),
    " ORDER BY role"
);
const DECIDED: &str = "-- roles.decided
    UPDATE accounts SET roles_decided = TRUE WHERE id = $1 AND NOT roles_decided";
const GRANT: &str = "-- roles.grant
    INSERT INTO account_roles (account_id, role, granted_by, granted_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (account_id, role) DO NOTHING";
const CLEAR: &str = "-- roles.clear
    DELETE FROM account_roles WHERE account_id = $1 AND role = $2";

/// What an account may do now.
pub async fn of_account(db: &Db, account: Uuid) -> sqlx::Result<Rights> {
    let rows = db.query(OF_ACCOUNT).bind(account).all().await?;
    Ok(rights(rows))
}

/// What a session with roles of its own may do.
pub async fn of_session(db: &Db, session: Uuid) -> sqlx::Result<Rights> {
    let rows = db.query(OF_SESSION).bind(session).all().await?;
    Ok(rights(rows))
}

fn rights(rows: Vec<Row>) -> Rights {
    let mut roles: Vec<String> = rows.iter().map(|row| row.role.clone()).collect();
    roles.dedup();
    let granted = |row: Row| Granted {
        permission: row.permission,
        own: row.own,
    };
    Rights {
        roles,
        permissions: rows.into_iter().map(granted).collect(),
    }
}

/// The roles of an account, by name.
pub async fn names(tx: &mut Tx, account: Uuid) -> sqlx::Result<Vec<String>> {
    let rows: Vec<(String,)> = tx.query(NAMES).bind(account).all().await?;
    Ok(rows.into_iter().map(|(role,)| role).collect())
}

/// Gives a role; whoever has it keeps it.
pub async fn grant(tx: &mut Tx, account: Uuid, role: &str, by: &str) -> sqlx::Result<()> {
    let now = tx.now().await?;
    let grant = tx.query(GRANT).bind(account).bind(role.to_owned());
    grant
        .bind(by.to_owned())
        .bind(now)
        .execute()
        .await
        .map(drop)
}

/// Makes these the roles of an account, and no others; tells what they were.
pub async fn set(
    tx: &mut Tx,
    account: Uuid,
    roles: &[String],
    by: &str,
) -> sqlx::Result<Vec<String>> {
    let before = names(tx, account).await?;
    tx.query(DECIDED).bind(account).execute().await?;
    for gone in before.iter().filter(|role| !roles.contains(role)) {
        let clear = tx.query(CLEAR).bind(account).bind(gone.clone());
        clear.execute().await?;
    }
    for role in roles {
        grant(tx, account, role, by).await?;
    }
    Ok(before)
}
