//! The books: what each answered call took and cost.

use super::{Ask, Store};
use crate::db::{Sql, Tx};
use crate::usage::Usage;
use metrics::counter;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Counters are whole numbers: this one counts millionths, and `/metrics` tells dollars.
const COST: &str = "chorus_provider_cost_usd_total";

/// Answers that were given again.
const CACHE_HITS: &str = "chorus_provider_cache_hits_total";

/// What one answer took and cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge {
    pub(super) usage: Usage,
    /// In millionths of a dollar; none if nobody knows.
    pub(super) cost_micros: Option<i64>,
    /// Whether it was paid for by an earlier call.
    pub(super) cache_hit: bool,
}

/// What the answered calls of one saga took and cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// What they took.
    pub usage: Usage,
    /// What they cost in millionths of a dollar; none if that is unknown for any of them.
    pub cost_micros: Option<i64>,
}

const WRITE: &str = "-- charges.write
    INSERT INTO charges (saga_id, step_key, name, round, kind, owner_id, purpose, provider, model, at,
                         input_tokens, output_tokens, images, cost_micros, cache_hit)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
// Sums of integers are no integers on PostgreSQL.
const OF_SAGAS: Sql = Sql {
    postgres: "-- charges.of_sagas
        SELECT saga_id, SUM(input_tokens)::bigint, SUM(output_tokens)::bigint, SUM(images)::bigint,
               SUM(cost_micros)::bigint, count(*) - count(cost_micros)
          FROM charges WHERE saga_id = ANY($1) GROUP BY saga_id",
    sqlite: "-- charges.of_sagas
        SELECT saga_id, SUM(input_tokens), SUM(output_tokens), SUM(images), SUM(cost_micros), count(*) - count(cost_micros)
          FROM charges WHERE saga_id = $1 GROUP BY saga_id",
};

/// Enters an answered call into the books, in the transaction that stores the answer.
pub(super) async fn write(
    tx: &mut Tx,
    ask: &Ask<'_>,
    round: i64,
    charge: Charge,
) -> sqlx::Result<()> {
    let provider = &ask.provider;
    let (usage, cost) = (charge.usage, charge.cost_micros);
    let now = tx.now().await?;
    tx.query(WRITE)
        .bind(ask.key.saga)
        .bind(ask.key.step.as_str().to_owned())
        .bind(ask.key.name.clone())
        .bind(round)
        .bind(ask.kind.to_owned())
        .bind(ask.owner_id)
        .bind(provider.purpose.to_owned())
        .bind(provider.name.to_owned())
        .bind(provider.model.to_owned())
        .bind(now)
        .bind(signed(usage.input_tokens))
        .bind(signed(usage.output_tokens))
        .bind(signed(usage.images))
        .bind(cost)
        .bind(charge.cache_hit)
        .execute()
        .await?;
    let (name, model) = (provider.name.to_owned(), provider.model.to_owned());
    tx.afterwards(move || {
        let (by, of) = (name.clone(), model.clone());
        counter!(CACHE_HITS, "provider" => by, "model" => of).increment(charge.cache_hit.into());
        if let Some(cost) = cost {
            let micros = u64::try_from(cost).unwrap_or(0);
            counter!(COST, "provider" => name, "model" => model).increment(micros);
        }
    });
    Ok(())
}

impl Store {
    /// What these sagas spent; those that never paid for an answer are left out.
    pub async fn spent(&self, sagas: &[Uuid]) -> sqlx::Result<BTreeMap<Uuid, Spent>> {
        type Row = (Uuid, i64, i64, i64, Option<i64>, i64);
        if sagas.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<Row> = self.db.read(OF_SAGAS, sagas).await?;
        let spent = |(saga, input, output, images, cost, unknown): Row| {
            let usage = Usage {
                input_tokens: unsigned(input),
                output_tokens: unsigned(output),
                images: unsigned(images),
            };
            let cost_micros = cost.filter(|_| unknown == 0);
            (saga, Spent { usage, cost_micros })
        };
        Ok(rows.into_iter().map(spent).collect())
    }
}

pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
