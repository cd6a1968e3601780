//! What a command answered under an `Idempotency-Key`, so that repeating it repeats the answer.

use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::Tx;

/// How long an answer is kept.
pub const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// A command as its caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandKey {
    /// Caller and route: two callers never meet in one key.
    pub scope: String,
    /// What the caller sent as `Idempotency-Key`.
    pub key: String,
}

/// The answer of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its HTTP status.
    pub status: i64,
    /// Its body.
    pub response: String,
}

/// What is known of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: do it, and [`keep`] its answer in the same transaction.
    Fresh,
    /// It was done, and this was its answer.
    Done(Kept),
    /// The key was used for another body.
    Reused,
    /// It is under way in another transaction.
    UnderWay,
}

const FORGET: &str = "-- idempotency.forget
    DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2 AND created_at < $3";
const INSERT: &str = "-- idempotency.insert
    INSERT INTO idempotency_keys (scope, key, body_hash, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (scope, key) DO NOTHING";
const FIND: &str = "-- idempotency.find
    SELECT body_hash, status, response FROM idempotency_keys WHERE scope = $1 AND key = $2";
const KEEP: &str = "-- idempotency.keep
    UPDATE idempotency_keys SET status = $3, response = $4 WHERE scope = $1 AND key = $2";
const SWEEP: &str = "-- idempotency.sweep
    DELETE FROM idempotency_keys WHERE (scope, key) IN
           (SELECT scope, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

/// Claims a key in the command's transaction. A second caller with the same key waits here until
/// the first has committed, and is told its answer; if the first rolled back, the key is free again.
/// `older` is how a build of before would have written the body's hash: its rows count until they are over.
pub async fn claim(
    tx: &mut Tx,
    command: &CommandKey,
    (body_hash, older): (&str, &str),
) -> sqlx::Result<Claim> {
    let now = tx.now().await?;
    let CommandKey { scope, key } = command;
    tx.query(FORGET)
        .bind(scope.clone())
        .bind(key.clone())
        .bind(now - KEPT_FOR)
        .execute()
        .await?;
    let inserted = tx
        .query(INSERT)
        .bind(scope.clone())
        .bind(key.clone())
        .bind(body_hash.to_owned())
        .bind(now)
        .execute()
        .await?;
    if inserted == 1 {
        return Ok(Claim::Fresh);
    }
    let found: Option<(String, Option<i64>, Option<String>)> = tx
        .query(FIND)
        .bind(scope.clone())
        .bind(key.clone())
        .optional()
        .await?;
    Ok(match found {
        Some((hash, ..)) if hash != body_hash && hash != older => Claim::Reused,
        Some((_, Some(status), Some(response))) => Claim::Done(Kept { status, response }),
        Some(_) | None => Claim::UnderWay,
    })
}

/// Keeps the answer of a command that was claimed in this transaction.
pub async fn keep(tx: &mut Tx, command: &CommandKey, kept: &Kept) -> sqlx::Result<()> {
    let CommandKey { scope, key } = command;
    let kept = tx
        .query(KEEP)
        .bind(scope.clone())
        .bind(key.clone())
        .bind(kept.status)
        .bind(kept.response.clone());
    kept.execute().await.map(drop)
}

/// Forgets keys older than [`KEPT_FOR`], the oldest first and so many at most, and says how many it were.
pub async fn forget_old(tx: &mut Tx, keys_max: i64) -> sqlx::Result<u64> {
    let now: DateTime<Utc> = tx.now().await?;
    let sweep = tx.query(SWEEP).bind(now - KEPT_FOR).bind(keys_max);
    sweep.execute().await
}
