//! The journal of paid calls: written before the byte leaves, answered before it is parsed.

use super::charges::{self, Charge};
use super::gates::{self, Closed, Gate, Passed};
use super::{OverBudget, Store, budgets, cache};
use crate::caps::Caps;
use crate::db::{Durability, Sql, Tx};
use crate::handler::{Provider, Reply};
use crate::journal::Key;
use crate::prices::Price;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Names a paid call within a step.
#[derive(Debug, Clone)]
pub struct EffectKey {
    /// The saga.
    pub saga: Uuid,
    /// The step's key.
    pub step: Key,
    /// The claim under which the call is made.
    pub epoch: i64,
    /// The call's name within the step.
    pub name: String,
}

/// A paid call that a step wants to make.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// Which one.
    pub key: EffectKey,
    /// The saga's kind.
    pub kind: &'a str,
    /// Whose saga it is.
    pub owner_id: Option<Uuid>,
    /// Who is asked, for what.
    pub provider: Provider<'a>,
}

/// What is known of a paid call before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Its answer is stored: it is not made again.
    Answered(Vec<u8>),
    /// It is to be made now.
    Dispatch {
        /// Which round of this call: it rises when an answer proved useless.
        round: i64,
        /// The same for every call of the round.
        idempotency_key: String,
        /// Whether money was set aside for it.
        held: bool,
    },
    /// It is not to be made yet: its model is left alone for now.
    Closed(Closed),
    /// It is not to be made yet: a cap is in its way.
    OverBudget(OverBudget),
    /// The lease is another's: the call must not be made.
    Fenced,
}

/// A paid call, as an operator sees it: never what was answered.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct PaidCall {
    /// The step's key.
    pub step_key: String,
    /// The call's name within the step.
    pub name: String,
    /// Which round: it rises when an answer proved useless.
    pub round: i64,
    /// `dispatched`, `answered` or `spoiled`.
    pub state: String,
    /// Who was called.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// How often, under the same idempotency key.
    pub calls: i64,
    /// When, the last time.
    pub dispatched_at: DateTime<Utc>,
    /// When the answer was stored.
    pub answered_at: Option<DateTime<Utc>>,
}

macro_rules! held {
    () => {
        "-- effects.held
        SELECT (SELECT micros FROM caps WHERE scope = 'saga') AS saga_cap,
               (SELECT micros FROM caps WHERE scope = 'account') AS account_cap,
               (SELECT micros FROM caps WHERE scope = 'all') AS all_cap,
               g.failures, g.opened, g.trying, g.closed_until, g.patience_until,
               (WITH RECURSIVE up AS (
                    SELECT c.id, c.parent_id FROM sagas c WHERE c.id = $1
                     UNION ALL SELECT p.id, p.parent_id FROM up JOIN sagas p ON p.id = up.parent_id)
                SELECT id FROM up WHERE parent_id IS NULL AND id <> $1) AS root_id
          FROM steps s LEFT JOIN provider_gates g ON g.provider = $4 AND g.model = $5
         WHERE s.saga_id = $1 AND s.key = $2 AND s.epoch = $3 AND s.state = 'leased'"
    };
}

const OF_SAGA: &str = "-- effects.of_saga
    SELECT step_key, name, round, state, provider, model, calls, dispatched_at, answered_at FROM effects
     WHERE saga_id = $1 ORDER BY dispatched_at, step_key, name, round";
const LATEST: &str = "-- effects.latest
    SELECT round, state, idempotency_key, answer FROM effects
     WHERE saga_id = $1 AND step_key = $2 AND name = $3 ORDER BY round DESC LIMIT 1";
const DISPATCH: &str = "-- effects.dispatch
    INSERT INTO effects (saga_id, step_key, name, round, state, idempotency_key, provider, model, request_hash, calls, dispatched_at)
    VALUES ($1, $2, $3, $4, 'dispatched', $5, $6, $7, $8, 1, $9)
    ON CONFLICT (saga_id, step_key, name, round) DO UPDATE SET calls = effects.calls + 1, dispatched_at = excluded.dispatched_at
     WHERE effects.state = 'dispatched'";
// The row is locked: the lease cannot end between this look and the commit that allows the call. The caps
// and the model's gate come along: a call costs no statement more for them.
const HELD: Sql = Sql {
    postgres: concat!(held!(), " FOR SHARE OF s"),
    sqlite: held!(),
};
const ANSWER: &str = "-- effects.answer
    UPDATE effects SET state = 'answered', answer = $5, answered_at = $6
     WHERE saga_id = $1 AND step_key = $2 AND name = $3 AND round = $4 AND state = 'dispatched'";

/// What is seen along with the lease.
#[derive(Default, sqlx::FromRow)]
struct Look {
    saga_cap: Option<i64>,
    account_cap: Option<i64>,
    all_cap: Option<i64>,
    failures: Option<i64>,
    opened: Option<bool>,
    trying: Option<bool>,
    closed_until: Option<DateTime<Utc>>,
    patience_until: Option<DateTime<Utc>>,
    /// The first of the saga's family; none if it began by itself.
    root_id: Option<Uuid>,
}

impl Look {
    /// The caps that were set by hand.
    fn caps(&self) -> Caps {
        Caps {
            saga: self.saga_cap,
            account: self.account_cap,
            all: self.all_cap,
        }
    }

    /// None for a model that was never called.
    fn gate(&self, provider: &Provider<'_>) -> Option<Gate> {
        Some(Gate {
            provider: provider.name.to_owned(),
            model: provider.model.to_owned(),
            failures: self.failures?,
            opened: self.opened?,
            trying: self.trying?,
            closed_until: self.closed_until?,
            patience_until: self.patience_until?,
        })
    }
}

impl Store {
    /// Notes that a call is about to be made, or finds its stored answer.
    pub async fn dispatch(&self, ask: &Ask<'_>) -> sqlx::Result<Effect> {
        let (key, provider) = (&ask.key, &ask.provider);
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let held = tx
            .query(HELD)
            .bind(key.saga)
            .bind(key.step.as_str().to_owned())
            .bind(key.epoch)
            .bind(provider.name.to_owned())
            .bind(provider.model.to_owned());
        let look: Option<Look> = held.optional().await?;
        if look.is_none() && !crate::fault::seeded("no-fence") {
            return Ok(Effect::Fenced);
        }
        let look = look.unwrap_or_default();
        let latest = latest(&mut tx, key).await?;
        let fresh = latest.is_none();
        let (round, again, idempotency_key) = match latest {
            Some((_, state, _, Some(answer))) if state == "answered" => {
                return Ok(Effect::Answered(answer));
            }
            Some((round, state, key, _)) if state == "dispatched" => (round, true, key),
            Some((round, ..)) => (round + 1, false, key.idempotency_key(round + 1)),
            None => (0, false, key.idempotency_key(0)),
        };
        // An answer that proved useless here is asked for anew.
        if fresh
            && provider.idempotent
            && let Some(answer) = cache::reuse(&mut tx, ask, &idempotency_key, now).await?
        {
            tx.commit().await?;
            return Ok(Effect::Answered(answer));
        }
        if let Passed::Shut(closed) = gates::pass(&mut tx, ask, look.gate(provider)).await? {
            return Ok(Effect::Closed(closed));
        }
        let written = tx
            .query(DISPATCH)
            .bind(key.saga)
            .bind(key.step.as_str().to_owned())
            .bind(key.name.clone())
            .bind(round)
            .bind(idempotency_key.clone())
            .bind(provider.name.to_owned())
            .bind(provider.model.to_owned())
            .bind(provider.request_hash.clone())
            .bind(now)
            .execute()
            .await?;
        if written == 0 {
            return Ok(Effect::Fenced); // an earlier claimant's answer came in between
        }
        let bounds = (look.caps().or(self.caps), look.root_id);
        let (price, of) = (self.price_of(ask), (round, again));
        let held = match budgets::hold(&mut tx, ask, of, price, bounds).await? {
            Ok(held) => held,
            Err(over) => return Ok(Effect::OverBudget(over)), // and nothing of it was dispatched
        };
        tx.commit().await?;
        Ok(Effect::Dispatch {
            round,
            idempotency_key,
            held,
        })
    }

    /// Every paid call of a saga, in the order in which they were made last.
    pub async fn paid_calls(&self, saga: Uuid) -> sqlx::Result<Vec<PaidCall>> {
        self.db.query(OF_SAGA).bind(saga).all().await
    }

    /// Keeps a call's raw answer, and what it cost. It was paid for, so it is kept even when the lease is
    /// gone; the first answer of a round stands.
    pub async fn answered(&self, ask: &Ask<'_>, round: i64, reply: &Reply) -> sqlx::Result<()> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let now = tx.now().await?;
        let stands = tx
            .query(ANSWER)
            .bind(ask.key.saga)
            .bind(ask.key.step.as_str().to_owned())
            .bind(ask.key.name.clone())
            .bind(round)
            .bind(reply.raw.clone())
            .bind(now)
            .execute()
            .await?;
        if stands > 0 {
            let price = self.price_of(ask);
            let usage = reply.usage.believed(ask.provider.most);
            let cost = price.and_then(|price| price.of(usage));
            let charge = Charge {
                usage,
                cost_micros: cost,
                cache_hit: false,
            };
            charges::write(&mut tx, ask, round, charge).await?;
            if price.is_some_and(|price| price != Price::default()) {
                budgets::settle(&mut tx, ask, round, cost).await?;
            }
            if ask.provider.idempotent {
                cache::keep(&mut tx, ask, round, now).await?;
            }
        }
        tx.commit().await
    }

    fn price_of(&self, ask: &Ask<'_>) -> Option<Price> {
        self.prices.of(ask.provider.name, ask.provider.model)
    }
}

/// A round of a call: its number, state, idempotency key and answer.
type Round = (i64, String, String, Option<Vec<u8>>);

/// The latest round of a call, if it was ever made.
async fn latest(tx: &mut Tx, key: &EffectKey) -> sqlx::Result<Option<Round>> {
    let latest = tx.query(LATEST).bind(key.saga);
    let latest = latest.bind(key.step.as_str().to_owned());
    latest.bind(key.name.clone()).optional().await
}

impl EffectKey {
    fn idempotency_key(&self, round: i64) -> String {
        let name = format!("{} {} {round}", self.step, self.name);
        format!("chorus-{}", Uuid::new_v5(&self.saga, name.as_bytes()))
    }
}
