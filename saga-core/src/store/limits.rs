//! Caps as they are in force: those of the settings, and those that somebody set by hand over them.

use super::Store;
use super::audit::{self, Entry};
use crate::caps::{self, Scope};
use crate::db::Tx;
use crate::prices::dollars;
use chrono::{DateTime, Utc};
use serde_json::json;

/// A cap, and what is spent of it.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Whose spending it bounds.
    pub scope: Scope,
    /// The most that may be spent, in millionths of a dollar; none is no bound.
    pub micros: Option<i64>,
    /// What the settings of this process say.
    pub of_settings: Option<i64>,
    /// The one that was set by hand.
    pub set: Option<ByHand>,
}

/// A cap that somebody set by hand.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ByHand {
    scope: String,
    micros: i64,
    /// Who set it.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// What was spent and what is set aside in a day, by everybody.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub struct Today {
    /// Spent, in millionths of a dollar.
    pub spent_micros: i64,
    /// Set aside for calls under way.
    pub held_micros: i64,
}

const LIST: &str = "-- limits.list
    SELECT scope, micros, decided_by, decided_at, reason FROM caps";
const TODAY: &str = "-- limits.today
    SELECT spent_micros, held_micros FROM budgets WHERE scope = 'all' AND day = $1 AND subject = ''";
const SET: &str = "-- limits.set
    INSERT INTO caps (scope, micros, decided_by, decided_at, reason) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (scope) DO UPDATE SET micros = excluded.micros, decided_by = excluded.decided_by,
       decided_at = excluded.decided_at, reason = excluded.reason";
const UNSET: &str = "-- limits.unset
    DELETE FROM caps WHERE scope = $1";
// By `steps_wake`: whoever waits has a time to wake.
const WAKE: &str = "-- limits.wake
    UPDATE steps SET wake_at = $1 WHERE wake_at > $1 AND state = 'retrying' AND error LIKE '%\"over_budget\"%'";

impl Store {
    /// The caps in force, from the narrowest scope to the widest.
    pub async fn limits(&self) -> sqlx::Result<Vec<Limit>> {
        Ok(self.limits_over(&self.db.query(LIST).all().await?))
    }

    fn limits_over(&self, set: &[ByHand]) -> Vec<Limit> {
        let limit = |scope: Scope| {
            let set = set.iter().find(|set| set.scope == scope.as_str());
            let of_settings = self.caps.of(scope);
            Limit {
                scope,
                micros: set.map(|set| set.micros).or(of_settings),
                of_settings,
                set: set.cloned(),
            }
        };
        Scope::ALL.map(limit).into()
    }

    /// What everybody spent today, by the store's clock.
    pub async fn spent_today(&self) -> sqlx::Result<Today> {
        let today = caps::day(self.db.now().await?);
        let today = self.db.query(TODAY).bind(today).optional().await?;
        Ok(today.unwrap_or_default())
    }

    /// Sets caps by hand, or with none goes back to those of the settings, and tells those in force then.
    /// They count from the next call on; every step that waits for money looks again at once.
    pub async fn set_caps(
        &self,
        tx: &mut Tx,
        caps: &[(Scope, Option<i64>)],
        (by, reason): (&str, &str),
    ) -> sqlx::Result<Vec<Limit>> {
        let now = tx.now().await?;
        for (scope, micros) in caps {
            let set = match micros {
                Some(micros) => {
                    let set = tx.query(SET).bind(scope.as_str()).bind(*micros);
                    set.bind(by.to_owned()).bind(now).bind(reason.to_owned())
                }
                None => tx.query(UNSET).bind(scope.as_str()),
            };
            set.execute().await?;
            let entry = Entry {
                actor: by,
                verb: "limit.set",
                target_kind: "limit",
                target_id: scope.as_str().to_owned(),
                reason,
                detail: json!({"cap_usd": micros.map(dollars)}),
            };
            audit::write(tx, &entry).await?;
        }
        tx.query(WAKE).bind(now).execute().await?;
        Ok(self.limits_over(&tx.query(LIST).all().await?))
    }
}
