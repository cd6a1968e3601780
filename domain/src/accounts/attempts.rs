//! Attempts to sign in by password: counted before the password is looked at, locked after a few that failed.

use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::{Sql, Tx};

/// Failures in a row after which an address is locked.
pub const FAILURES_MAX: i64 = 5;
/// How long it is locked then.
pub const LOCKED_FOR: TimeDelta = TimeDelta::minutes(5);
/// Failures that are further apart are not in a row.
const ROW_MAX: TimeDelta = TimeDelta::hours(1);
/// How long a count is kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(1);

/// What is known of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
struct Count {
    failures: i64,
    last_at: DateTime<Utc>,
    locked_until: Option<DateTime<Utc>>,
}

/// The address is locked for so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked(pub TimeDelta);

const INSERT: &str = "-- attempts.insert
    INSERT INTO sign_in_attempts (address_hash, failures, last_at) VALUES ($1, 0, $2)
    ON CONFLICT (address_hash) DO NOTHING";
const FIND: Sql = Sql {
    postgres:
        "-- attempts.find
    SELECT failures, last_at, locked_until FROM sign_in_attempts WHERE address_hash = $1 FOR UPDATE",
    sqlite: "-- attempts.find
    SELECT failures, last_at, locked_until FROM sign_in_attempts WHERE address_hash = $1",
};
const SAVE: &str = "-- attempts.save
    UPDATE sign_in_attempts SET failures = $2, last_at = $3, locked_until = $4 WHERE address_hash = $1";
const CLEAR: &str = "-- attempts.clear
    DELETE FROM sign_in_attempts WHERE address_hash = $1";
const FORGET: &str = "-- attempts.forget
    DELETE FROM sign_in_attempts WHERE address_hash IN
        (SELECT address_hash FROM sign_in_attempts WHERE last_at < $1 ORDER BY last_at LIMIT $2)";

/// Counts an attempt as one that failed, unless the address is locked. It counts before anybody looks at
/// the password: a thousand at once are five, and the rest is locked out.
pub async fn begin(tx: &mut Tx, address_hash: [u8; 32]) -> sqlx::Result<Result<(), Locked>> {
    let now = tx.now().await?;
    let insert = tx.query(INSERT).bind(address_hash.to_vec()).bind(now);
    insert.execute().await?;
    let count: Count = tx.query(FIND).bind(address_hash.to_vec()).one().await?;
    let next = match count.after_one_more(now) {
        Ok(next) => next,
        Err(locked) => return Ok(Err(locked)),
    };
    let save = tx
        .query(SAVE)
        .bind(address_hash.to_vec())
        .bind(next.failures);
    save.bind(next.last_at)
        .bind(next.locked_until)
        .execute()
        .await?;
    Ok(Ok(()))
}

/// The attempt was none that failed: the address begins anew.
pub async fn succeeded(tx: &mut Tx, address_hash: [u8; 32]) -> sqlx::Result<()> {
    let clear = tx.query(CLEAR).bind(address_hash.to_vec());
    clear.execute().await.map(drop)
}

/// Forgets counts that are over, at most so many, and tells how many.
pub async fn forget_old(tx: &mut Tx, limit: i64) -> sqlx::Result<u64> {
    let old = tx.now().await? - KEPT_FOR;
    tx.query(FORGET).bind(old).bind(limit).execute().await
}

impl Count {
    fn after_one_more(self, now: DateTime<Utc>) -> Result<Self, Locked> {
        if let Some(until) = self.locked_until.filter(|until| *until > now) {
            return Err(Locked(until - now));
        }
        let anew = self.locked_until.is_some() || now - self.last_at > ROW_MAX;
        let failures = if anew { 1 } else { self.failures + 1 };
        Ok(Self {
            failures,
            last_at: now,
            locked_until: (failures >= FAILURES_MAX).then(|| now + LOCKED_FOR),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, FAILURES_MAX, LOCKED_FOR, Locked};
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn five_in_a_row_lock_for_five_minutes() {
        let start = DateTime::UNIX_EPOCH;
        let none = Count {
            failures: 0,
            last_at: start,
            locked_until: None,
        };
        let fifth = (0..FAILURES_MAX).try_fold(none, |count, _| count.after_one_more(start));
        let fifth = fifth.unwrap();
        let later = |seconds| start + TimeDelta::seconds(seconds);
        assert_eq!(
            fifth.after_one_more(later(60)),
            Err(Locked(LOCKED_FOR - TimeDelta::minutes(1)))
        );
        assert_eq!(fifth.after_one_more(later(300)).unwrap().failures, 1);

        let fourth = (0..4).try_fold(none, |count, _| count.after_one_more(start));
        let fourth = fourth.unwrap();
        assert_eq!(fourth.locked_until, None);
        assert_eq!(fourth.after_one_more(later(3601)).unwrap().failures, 1);
        assert_eq!(fourth.after_one_more(later(3600)).unwrap().failures, 5);
    }
}
