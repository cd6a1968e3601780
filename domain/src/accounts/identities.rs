//! Who somebody is to an issuer: by issuer and subject, never by address.

use super::roles;
use super::store::{self, Account, NAME_DEFAULT};
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// What an issuer says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The issuer, as it names itself.
    pub issuer: String,
    /// Whom it means; never given to another.
    pub subject: String,
    /// Their address, if the issuer has made sure of it.
    pub email: Option<String>,
    /// Their name.
    pub name: Option<String>,
}

const FIND: &str = "-- identities.find
    SELECT a.id, a.email, a.display_name, a.created_at, a.disabled_at
      FROM identities i JOIN accounts a ON a.id = i.account_id WHERE i.issuer = $1 AND i.subject = $2";
const OF_ACCOUNT: &str = "-- identities.of_account
    SELECT issuer, subject FROM identities WHERE account_id = $1 ORDER BY issuer, subject";
const INSERT: &str = "-- identities.insert
    INSERT INTO identities (issuer, subject, account_id, email, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (issuer, subject) DO NOTHING";
const TAKE_BACK: &str = "-- identities.take_back
    DELETE FROM accounts WHERE id = $1";

/// The account of an identity, if it was seen before.
pub async fn find(db: &Db, issuer: &str, subject: &str) -> sqlx::Result<Option<Account>> {
    let find = db.query(FIND).bind(issuer.to_owned());
    find.bind(subject.to_owned()).optional().await
}

/// The identities of an account: issuer and subject of each.
pub async fn of_account(tx: &mut Tx, account: Uuid) -> sqlx::Result<Vec<(String, String)>> {
    tx.query(OF_ACCOUNT).bind(account).all().await
}

/// The account of an identity. Whoever is new becomes a member, under the address that the issuer has made
/// sure of, unless another account has it: then there are two accounts, since an address proves nothing.
pub async fn find_or_create(tx: &mut Tx, id: Uuid, identity: &Identity) -> sqlx::Result<Account> {
    if let Some(account) = known(tx, identity).await? {
        return Ok(account);
    }
    let name = identity.name.as_deref().unwrap_or(NAME_DEFAULT);
    let email = identity.email.as_deref();
    let taken = match email {
        Some(email) => store::insert(tx, id, email, name).await?,
        None => false,
    };
    if !taken {
        store::insert(tx, id, &store::no_address(id), name).await?;
    }
    let now = tx.now().await?;
    let insert = tx
        .query(INSERT)
        .bind(identity.issuer.clone())
        .bind(identity.subject.clone())
        .bind(id)
        .bind(identity.email.clone())
        .bind(now);
    if insert.execute().await? > 0 {
        roles::grant(tx, id, roles::MEMBER, "sign-up").await?;
    } else {
        // Somebody else was first, a moment ago.
        tx.query(TAKE_BACK).bind(id).execute().await?;
    }
    known(tx, identity).await?.ok_or(sqlx::Error::RowNotFound)
}

async fn known(tx: &mut Tx, identity: &Identity) -> sqlx::Result<Option<Account>> {
    let find = tx.query(FIND).bind(identity.issuer.clone());
    find.bind(identity.subject.clone()).optional().await
}
