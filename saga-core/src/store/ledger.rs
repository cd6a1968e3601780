//! The ledger of calls of models: every call, whether it was answered or not, without what was said.

use super::Store;
use super::rows::json;
use crate::journal::Failure;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

/// Which calls to list.
#[derive(Debug, Clone)]
pub struct LedgerFilter {
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only for this purpose, which is known of answered calls.
    pub purpose: Option<String>,
    /// Only of sagas of this kind.
    pub kind: Option<String>,
    /// Only of this account's sagas.
    pub account: Option<Uuid>,
    /// Only of this saga.
    pub saga: Option<Uuid>,
    /// Only those of which this is told: `processing`, `completed` or `failed`.
    pub status: Option<String>,
    /// None older than this.
    pub from: DateTime<Utc>,
    /// Only older than this.
    pub to: DateTime<Utc>,
    /// Only those before this one: where the last page ended.
    pub before: Option<(DateTime<Utc>, String)>,
    /// At most so many.
    pub limit: i64,
}

/// A call of a model, as the ledger has it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AiRequest)]
pub struct LedgerEntry {
    /// The idempotency key under which it was made, which no other call has.
    pub id: String,
    /// Its saga.
    pub saga_id: Uuid,
    /// The saga's kind, if anything still knows it.
    pub kind: Option<String>,
    /// Whose saga it is.
    pub account_id: Option<Uuid>,
    /// The step's key.
    pub step: String,
    /// The call's name within the step.
    pub name: String,
    /// What it was for, once it is answered.
    pub purpose: Option<String>,
    /// Who was called.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// `processing`, `completed`, or `failed` when its step is over without an answer.
    pub status: String,
    /// Whether its answer proved useless and was set aside.
    pub spoiled: bool,
    /// How often it was made, under the same idempotency key.
    pub attempts: i64,
    /// Tokens of the request, once it is answered.
    pub prompt_tokens: Option<i64>,
    /// Tokens of the answer.
    pub completion_tokens: Option<i64>,
    /// Pictures in the answer.
    pub images: Option<i64>,
    /// What it cost in millionths of a dollar, if that is known.
    pub cost_micros: Option<i64>,
    /// Whether an earlier call had paid for its answer.
    pub cache_hit: bool,
    /// How long the last attempt took.
    pub latency_ms: Option<i64>,
    /// The last failure of its step, while it has no answer.
    pub error: Option<String>,
    /// When it was made last.
    pub created_at: DateTime<Utc>,
    /// When its answer was stored.
    pub completed_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct Raw {
    idempotency_key: String,
    saga_id: Uuid,
    kind: Option<String>,
    owner_id: Option<Uuid>,
    step_key: String,
    name: String,
    purpose: Option<String>,
    provider: String,
    model: String,
    state: String,
    calls: i64,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    images: Option<i64>,
    cost_micros: Option<i64>,
    cache_hit: bool,
    dispatched_at: DateTime<Utc>,
    answered_at: Option<DateTime<Utc>>,
    status: String,
    step_error: Option<String>,
}

// A step that is over or gone asks no more.
macro_rules! status {
    () => {
        "CASE WHEN e.state <> 'dispatched' THEN 'completed'
                WHEN s.state IN ('ready', 'leased', 'retrying', 'waiting') THEN 'processing' ELSE 'failed' END"
    };
}

const LIST: &str = concat!(
    "-- ledger.list
    SELECT e.idempotency_key, e.saga_id, COALESCE(c.kind, g.kind) AS kind, COALESCE(c.owner_id, g.owner_id) AS owner_id,
           e.step_key, e.name, c.purpose, e.provider, e.model, e.state, e.calls, c.input_tokens, c.output_tokens, c.images,
           c.cost_micros, COALESCE(c.cache_hit, FALSE) AS cache_hit, e.dispatched_at, e.answered_at, s.error AS step_error,
           ",
    status!(),
    " AS status
      FROM effects e
      LEFT JOIN charges c ON c.saga_id = e.saga_id AND c.step_key = e.step_key AND c.name = e.name AND c.round = e.round
      LEFT JOIN sagas g ON g.id = e.saga_id
      LEFT JOIN steps s ON s.saga_id = e.saga_id AND s.key = e.step_key
     WHERE e.dispatched_at >= $1 AND e.dispatched_at < $2
       AND ($3 IS NULL OR e.provider = $3) AND ($4 IS NULL OR e.model = $4) AND ($5 IS NULL OR c.purpose = $5)
       AND ($6 IS NULL OR COALESCE(c.kind, g.kind) = $6) AND ($7 IS NULL OR COALESCE(c.owner_id, g.owner_id) = $7)
       AND ($8 IS NULL OR e.saga_id = $8) AND ($9 IS NULL OR ",
    status!(),
    " = $9)
       AND ($10 IS NULL OR e.dispatched_at < $10 OR (e.dispatched_at = $10 AND e.idempotency_key < $11))
     ORDER BY e.dispatched_at DESC, e.idempotency_key DESC LIMIT $12"
);

impl Store {
    /// Calls of models, the latest first.
    pub async fn ledger(&self, filter: &LedgerFilter) -> sqlx::Result<Vec<LedgerEntry>> {
        // A page begins where the last one ended, and not at the top again.
        let after_last = |(at, _): &(DateTime<Utc>, String)| *at + TimeDelta::microseconds(1);
        let to = filter.before.as_ref().map_or(filter.to, after_last);
        let query = self.db.query(LIST).bind(filter.from);
        let query = query.bind(to.min(filter.to));
        let query = query.bind(filter.provider.clone());
        let query = query.bind(filter.model.clone());
        let query = query.bind(filter.purpose.clone());
        let query = query.bind(filter.kind.clone());
        let query = query.bind(filter.account).bind(filter.saga);
        let query = query.bind(filter.status.clone());
        let query = query.bind(filter.before.as_ref().map(|(at, _)| *at));
        let query = query.bind(filter.before.as_ref().map(|(_, id)| id.clone()));
        let rows: Vec<Raw> = query.bind(filter.limit).all().await?;
        rows.into_iter().map(LedgerEntry::try_from).collect()
    }
}

impl TryFrom<Raw> for LedgerEntry {
    type Error = sqlx::Error;

    fn try_from(raw: Raw) -> sqlx::Result<Self> {
        let answered = raw.state != "dispatched";
        let failure = raw.step_error.filter(|_| !answered);
        let failure: Option<Failure> = failure.map(|error| json(&error)).transpose()?;
        Ok(Self {
            status: raw.status,
            spoiled: raw.state == "spoiled",
            latency_ms: (raw.answered_at).map(|at| (at - raw.dispatched_at).num_milliseconds()),
            error: failure.map(|failure| failure.message),
            id: raw.idempotency_key,
            saga_id: raw.saga_id,
            kind: raw.kind,
            account_id: raw.owner_id,
            step: raw.step_key,
            name: raw.name,
            purpose: raw.purpose,
            provider: raw.provider,
            model: raw.model,
            attempts: raw.calls,
            prompt_tokens: raw.input_tokens,
            completion_tokens: raw.output_tokens,
            images: raw.images,
            cost_micros: raw.cost_micros,
            cache_hit: raw.cache_hit,
            created_at: raw.dispatched_at,
            completed_at: raw.answered_at,
        })
    }
}
