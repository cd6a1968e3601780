//! The limits of kinds: how many of their steps run at once, and how many begin in a minute.

use super::audit::{self, Entry};
use super::{Store, admission};
use crate::db::Tx;
use chrono::{DateTime, Utc};
use serde_json::json;

/// What one kind is held to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct KindLimit {
    /// The kind.
    pub kind: String,
    /// At most so many of its steps run at once.
    pub running_max: Option<i64>,
    /// At most so many of its steps begin in a minute.
    pub per_minute: Option<i64>,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
}

impl KindLimit {
    /// What it says, for people.
    pub fn told(&self) -> String {
        let running = (self.running_max).map(|most| format!("{most} of its steps run at once"));
        let rate = (self.per_minute).map(|most| format!("{most} of its steps begin in a minute"));
        let both: Vec<String> = [running, rate].into_iter().flatten().collect();
        format!("at most {}", both.join(" and "))
    }
}

/// What is to become of a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Bound {
    /// It stays as it is.
    #[default]
    Stays,
    /// There is none any more.
    Lifted,
    /// It is this.
    At(i64),
}

impl Bound {
    fn over(self, was: Option<i64>) -> Option<i64> {
        match self {
            Self::Stays => was,
            Self::Lifted => None,
            Self::At(most) => Some(most),
        }
    }
}

/// What a kind is to be held to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewLimit {
    /// The kind.
    pub kind: String,
    /// Steps at once.
    pub running_max: Bound,
    /// Steps begun in a minute.
    pub per_minute: Bound,
}

const LIST: &str = "-- kind_limits.list
    SELECT kind, running_max, per_minute, reason, decided_by, decided_at FROM kind_limits ORDER BY kind";
const OF: &str = "-- kind_limits.of
    SELECT kind, running_max, per_minute, reason, decided_by, decided_at FROM kind_limits WHERE kind = $1";
const SET: &str = "-- kind_limits.set
    INSERT INTO kind_limits (kind, running_max, per_minute, next_at, reason, decided_by, decided_at)
    VALUES ($1, $2, $3, $6, $4, $5, $6)
    ON CONFLICT (kind) DO UPDATE
       SET running_max = excluded.running_max, per_minute = excluded.per_minute, next_at = excluded.next_at,
           reason = excluded.reason, decided_by = excluded.decided_by, decided_at = excluded.decided_at";
const UNSET: &str = "-- kind_limits.unset
    DELETE FROM kind_limits WHERE kind = $1";
impl Store {
    /// What kinds are held to, by name.
    pub async fn kind_limits(&self) -> sqlx::Result<Vec<KindLimit>> {
        self.db.query(LIST).all().await
    }

    /// Holds kinds to limits, and tells all that hold then. They count from the moment at which the workers
    /// hear of them, within a second or two; what runs goes on to its end.
    pub async fn limit_kinds(
        &self,
        tx: &mut Tx,
        limits: &[NewLimit],
        (by, reason): (&str, &str),
    ) -> sqlx::Result<Vec<KindLimit>> {
        let now = tx.now().await?;
        for new in limits {
            let was: Option<KindLimit> = tx.query(OF).bind(new.kind.clone()).optional().await?;
            let was = was.as_ref();
            let running_max = new.running_max.over(was.and_then(|was| was.running_max));
            let per_minute = new.per_minute.over(was.and_then(|was| was.per_minute));
            if running_max.is_none() && per_minute.is_none() {
                tx.query(UNSET).bind(new.kind.clone()).execute().await?;
            } else {
                let set = tx.query(SET).bind(new.kind.clone()).bind(running_max);
                let set = set.bind(per_minute).bind(reason.to_owned());
                set.bind(by.to_owned()).bind(now).execute().await?;
                admission::count(tx, &new.kind).await?; // what runs already counts from the beginning
            }
            let entry = Entry {
                actor: by,
                verb: "limit.set",
                target_kind: "kind",
                target_id: new.kind.clone(),
                reason,
                detail: json!({"running_max": running_max, "per_minute": per_minute}),
            };
            audit::write(tx, &entry).await?;
        }
        tx.query(LIST).all().await
    }
}
