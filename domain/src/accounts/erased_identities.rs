//! Who was erased, as an issuer named them: known for as long as a token of then may still be shown.

use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::{Db, Tx};
use uuid::Uuid;

/// How long an erasure may take. One that waits longer is forgotten here, and nothing else of it.
const UNDER_WAY_MAX: TimeDelta = TimeDelta::days(30);
/// After it: no token of an issuer's counts for longer than a day, and a moment.
const SHOWN_MAX: TimeDelta = TimeDelta::hours(25);

const NOTE: &str = "-- erased_identities.note
    INSERT INTO erased_identities (identity_hash, account_id, until) VALUES ($1, $2, $3)
    ON CONFLICT (identity_hash) DO UPDATE SET account_id = excluded.account_id, until = excluded.until";
const STAY: &str = "-- erased_identities.stay
    DELETE FROM erased_identities WHERE account_id = $1";
const GONE: &str = "-- erased_identities.gone
    UPDATE erased_identities SET until = $2 WHERE account_id = $1";
const FIND: &str = "-- erased_identities.find
    SELECT COUNT(*) FROM erased_identities WHERE identity_hash = $1 AND until > $2";
const FORGET: &str = "-- erased_identities.forget
    DELETE FROM erased_identities WHERE identity_hash IN
           (SELECT identity_hash FROM erased_identities WHERE until < $1 ORDER BY until LIMIT $2)";

/// Notes one identity of an account whose erasure is asked for. The hash is keyed: whoever has a dump of the
/// store cannot ask it for somebody.
pub async fn note(tx: &mut Tx, account: Uuid, identity_hash: [u8; 32]) -> sqlx::Result<()> {
    let until = tx.now().await? + UNDER_WAY_MAX;
    let note = tx.query(NOTE).bind(identity_hash.to_vec()).bind(account);
    note.bind(until).execute().await.map(drop)
}

/// The account stays after all.
pub(super) async fn stay(tx: &mut Tx, account: Uuid) -> sqlx::Result<()> {
    tx.query(STAY).bind(account).execute().await.map(drop)
}

/// The account is gone now.
pub(super) async fn gone(tx: &mut Tx, account: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    let gone = tx.query(GONE).bind(account).bind(now + SHOWN_MAX);
    gone.execute().await.map(drop)
}

/// Whether the account of an identity was erased so lately that a token of then may still be about.
pub async fn is_known(db: &Db, identity_hash: [u8; 32]) -> sqlx::Result<bool> {
    let now = db.now().await?;
    let find = db.query(FIND).bind(identity_hash.to_vec()).bind(now);
    Ok(find.scalar::<i64>().await? > 0)
}

/// Forgets who may come again, at most so many, and tells how many.
pub async fn forget_old(tx: &mut Tx, limit: i64) -> sqlx::Result<u64> {
    let now = tx.now().await?;
    tx.query(FORGET).bind(now).bind(limit).execute().await
}
