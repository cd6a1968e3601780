//! Answers that are given again: to whoever asks the same of the same model within the hour, for purposes
//! whose answer may be the same.

use super::charges::{self, Charge};
use super::{Ask, Store};
use crate::db::Tx;
use crate::usage::Usage;
use chrono::{DateTime, TimeDelta, Utc};

/// How long an answer is given again.
const FRESH: TimeDelta = TimeDelta::hours(1);

// The answer stays with the call that paid for it: once that is set aside, or its saga's data is gone, nobody
// is given it any more.
const FIND: &str = "-- cache.find
    SELECT e.answer FROM answer_cache c
      JOIN effects e ON e.saga_id = c.saga_id AND e.step_key = c.step_key AND e.name = c.name AND e.round = c.round
     WHERE c.provider = $1 AND c.model = $2 AND c.request_hash = $3 AND c.at > $4
       AND e.state = 'answered' AND length(e.answer) > 0";
const REUSE: &str = "-- cache.reuse
    INSERT INTO effects (saga_id, step_key, name, round, state, idempotency_key, provider, model, request_hash, calls,
                         answer, dispatched_at, answered_at)
    VALUES ($1, $2, $3, 0, 'answered', $4, $5, $6, $7, 1, $8, $9, $9)
    ON CONFLICT (saga_id, step_key, name, round) DO NOTHING";
const KEEP: &str = "-- cache.keep
    INSERT INTO answer_cache (provider, model, request_hash, saga_id, step_key, name, round, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (provider, model, request_hash) DO UPDATE
       SET saga_id = excluded.saga_id, step_key = excluded.step_key, name = excluded.name, round = excluded.round,
           at = excluded.at";
const FORGET: &str = "-- cache.forget
    DELETE FROM answer_cache WHERE at <= $1";

/// The answer that somebody paid for within the hour, entered as this call's own; none: it is to be made.
pub(super) async fn reuse(
    tx: &mut Tx,
    ask: &Ask<'_>,
    idempotency_key: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Vec<u8>>> {
    let (key, provider) = (&ask.key, &ask.provider);
    let (name, model) = (provider.name.to_owned(), provider.model.to_owned());
    let hash = provider.request_hash.clone();
    let find = tx.query(FIND).bind(name.clone()).bind(model.clone());
    let find = find.bind(hash.clone()).bind(now - FRESH);
    let found: Option<(Vec<u8>,)> = find.optional().await?;
    let Some((answer,)) = found else {
        return Ok(None);
    };
    let entered = tx
        .query(REUSE)
        .bind(key.saga)
        .bind(key.step.as_str().to_owned())
        .bind(key.name.clone())
        .bind(idempotency_key.to_owned())
        .bind(name)
        .bind(model)
        .bind(hash)
        .bind(answer.clone())
        .bind(now)
        .execute()
        .await?;
    if entered == 0 {
        return Ok(None);
    }
    let charge = Charge {
        usage: Usage::default(),
        cost_micros: Some(0),
        cache_hit: true,
    };
    charges::write(tx, ask, 0, charge).await?;
    Ok(Some(answer))
}

/// Notes that this call's answer, just stored, may be given again.
pub(super) async fn keep(
    tx: &mut Tx,
    ask: &Ask<'_>,
    round: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (key, provider) = (&ask.key, &ask.provider);
    let kept = tx
        .query(KEEP)
        .bind(provider.name.to_owned())
        .bind(provider.model.to_owned())
        .bind(provider.request_hash.clone())
        .bind(key.saga)
        .bind(key.step.as_str().to_owned())
        .bind(key.name.clone())
        .bind(round)
        .bind(now);
    kept.execute().await.map(drop)
}

impl Store {
    /// Forgets which answers could be given again, once they are too old for it.
    pub async fn forget_answers(&self) -> sqlx::Result<u64> {
        let before = self.db.now().await? - FRESH;
        self.db.query(FORGET).bind(before).execute().await
    }
}
