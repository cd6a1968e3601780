//! Keeps leases alive while their handlers are at work.

use super::Store;
use crate::db::{Durability, Sql};
use crate::journal::Key;
use std::{collections::BTreeSet, time::Duration};
use uuid::Uuid;

const RENEW: Sql = Sql {
    postgres: "-- heartbeat.renew
        UPDATE steps s SET wake_at = r.until
          FROM UNNEST($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[]) AS r (saga_id, key, epoch, until)
         WHERE s.saga_id = r.saga_id AND s.key = r.key AND s.epoch = r.epoch AND s.state = 'leased'
        RETURNING s.saga_id, s.key",
    sqlite: "-- heartbeat.renew
        UPDATE steps SET wake_at = $4 WHERE saga_id = $1 AND key = $2 AND epoch = $3 AND state = 'leased'
        RETURNING saga_id, key",
};

impl Store {
    /// Renews leases and returns those that still stood. A handler whose lease is not among them
    /// works for nothing and is stopped.
    pub async fn heartbeat(
        &self,
        held: &[(Uuid, Key, i64)],
        length: Duration,
    ) -> sqlx::Result<BTreeSet<(Uuid, Key)>> {
        let mut tx = self.db.begin(Durability::Relaxed).await?;
        let until =
            tx.now().await? + chrono::TimeDelta::from_std(length).unwrap_or(chrono::TimeDelta::MAX);
        let mut held: Vec<&(Uuid, Key, i64)> = held.iter().collect();
        held.sort();
        let kept: Vec<(Uuid, String)> = tx
            .batch(RENEW)
            .column(held.iter().map(|(saga, _, _)| *saga))
            .column(held.iter().map(|(_, key, _)| key.as_str().to_owned()))
            .column(held.iter().map(|(_, _, epoch)| *epoch))
            .column(held.iter().map(|_| until))
            .all()
            .await?;
        tx.commit().await?;
        Ok(kept
            .into_iter()
            .map(|(saga, key)| (saga, Key::stored(key)))
            .collect())
    }
}
