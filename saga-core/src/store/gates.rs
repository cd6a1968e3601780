//! Who may be called: a model that asked for patience, or failed again and again, is left alone by every
//! process at once, since each call looks at the same row before it is made.

use super::{Ask, Store};
use crate::db::Tx;
use crate::handler::Provider;
use crate::retry::spread;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::time::Duration;
use uuid::Uuid;

/// Failures in a row after which a model is left alone.
const FAILURES_MAX: i64 = 5;
/// For how long; then one call at a time tries it.
const OPEN_FOR: TimeDelta = TimeDelta::seconds(60);
/// Successes of such calls after which all may call again.
const SUCCESSES_MIN: i64 = 3;
/// How long others wait while one tries.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(5);

/// A model's gate.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Gate {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Failures in a row.
    pub failures: i64,
    /// Whether they were too many, and it has not recovered yet.
    pub opened: bool,
    /// Whether one call tries it.
    pub trying: bool,
    /// No call is made before this, since it failed.
    pub closed_until: DateTime<Utc>,
    /// No call is made before this, since the provider asked for patience; whatever comes of calls that
    /// were under way by then.
    pub patience_until: DateTime<Utc>,
}

/// Why a call must wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// How long before looking again.
    pub pause: Duration,
    /// A sentence for people.
    pub message: String,
}

/// What a call found at the gate.
pub(super) enum Passed {
    Through,
    Shut(Closed),
}

const LIST: &str = "-- gates.list
    SELECT provider, model, failures, opened, trying, closed_until, patience_until FROM provider_gates ORDER BY provider, model";
const MAKE: &str = "-- gates.make
    INSERT INTO provider_gates (provider, model, failures, successes, opened, trying, closed_until, patience_until)
    VALUES ($1, $2, 0, 0, FALSE, FALSE, $3, $3)
    ON CONFLICT (provider, model) DO NOTHING";
// Of all who find its time over, the first one tries.
const TRY: &str = "-- gates.try
    UPDATE provider_gates SET trying = TRUE, closed_until = $3 WHERE provider = $1 AND model = $2 AND opened AND closed_until = $4";
const FAILED: &str = "-- gates.failed
    UPDATE provider_gates
       SET failures = failures + 1, successes = 0, trying = FALSE, opened = (opened OR failures + 1 >= $4),
           closed_until = CASE WHEN opened OR failures + 1 >= $4 THEN $3 ELSE closed_until END
     WHERE provider = $1 AND model = $2";
// After every call that worked; of a model that is well it touches nothing.
const ANSWERED: &str = "-- gates.answered
    UPDATE provider_gates
       SET failures = CASE WHEN opened AND successes + 1 < $4 THEN failures ELSE 0 END,
           successes = CASE WHEN opened AND successes + 1 < $4 THEN successes + 1 ELSE 0 END,
           opened = (opened AND successes + 1 < $4), trying = FALSE,
           closed_until = CASE WHEN opened THEN $3 ELSE closed_until END
     WHERE provider = $1 AND model = $2 AND (failures > 0 OR opened)";
const THROTTLED: &str = "-- gates.throttled
    UPDATE provider_gates SET patience_until = $3 WHERE provider = $1 AND model = $2 AND patience_until < $3";

/// Looks whether a call may be made, by what was read of the gate; a model that was never called has none.
pub(super) async fn pass(tx: &mut Tx, ask: &Ask<'_>, gate: Option<Gate>) -> sqlx::Result<Passed> {
    let now = tx.now().await?;
    let provider = &ask.provider;
    let (name, model) = (provider.name.to_owned(), provider.model.to_owned());
    let Some(gate) = gate else {
        let make = tx.query(MAKE).bind(name).bind(model).bind(now);
        make.execute().await?;
        return Ok(Passed::Through);
    };
    let until = gate.closed_until;
    if until.max(gate.patience_until) > now {
        return Ok(shut_by(&gate, ask, now));
    }
    if gate.opened {
        let took = tx.query(TRY).bind(name.clone()).bind(model.clone());
        let took = took.bind(now + OPEN_FOR).bind(until);
        if took.execute().await? == 0 {
            let tried = Gate {
                trying: true,
                ..gate
            };
            return Ok(shut_by(&tried, ask, now));
        }
    }
    Ok(Passed::Through)
}

fn shut_by(gate: &Gate, ask: &Ask<'_>, now: DateTime<Utc>) -> Passed {
    let (who, failures) = (format!("{}/{}", gate.provider, gate.model), gate.failures);
    let until = gate.closed_until.max(gate.patience_until);
    let time = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (pause, message) = if gate.patience_until > now && gate.patience_until >= gate.closed_until
    {
        let message = format!("{who} asked everybody for patience until {time}");
        (until - now, message)
    } else if gate.trying {
        let message = format!("{who} failed {failures} times in a row, and one call tries it now");
        (LOOK_AGAIN, message)
    } else {
        let message =
            format!("{who} failed {failures} times in a row and is left alone until {time}");
        (until - now, message)
    };
    // Not all at once when its time is over.
    let seed = Uuid::new_v5(&ask.key.saga, ask.key.step.as_str().as_bytes());
    let pause = spread(pause.to_std().unwrap_or_default(), seed.as_u64_pair().1);
    Passed::Shut(Closed { pause, message })
}

impl Store {
    /// Every model that was ever called, and how its gate stands.
    pub async fn gates(&self) -> sqlx::Result<Vec<Gate>> {
        self.db.query(LIST).all().await
    }

    /// Notes that a call did not work: the provider may be down.
    pub async fn call_failed(&self, provider: &Provider<'_>) -> sqlx::Result<()> {
        let until = self.db.now().await? + OPEN_FOR;
        let failed = self.db.query(FAILED).bind(provider.name.to_owned());
        let failed = failed.bind(provider.model.to_owned());
        failed
            .bind(until)
            .bind(FAILURES_MAX)
            .execute()
            .await
            .map(drop)
    }

    /// Notes that a model answered, be it that it turned the call down: it is there.
    pub async fn call_answered(&self, provider: &Provider<'_>) -> sqlx::Result<()> {
        let now = self.db.now().await?;
        let answered = self.db.query(ANSWERED).bind(provider.name.to_owned());
        let answered = answered.bind(provider.model.to_owned());
        answered
            .bind(now)
            .bind(SUCCESSES_MIN)
            .execute()
            .await
            .map(drop)
    }

    /// Notes that the provider asked for patience: nobody calls before.
    pub async fn call_throttled(
        &self,
        provider: &Provider<'_>,
        patience: Duration,
    ) -> sqlx::Result<()> {
        let patience = TimeDelta::from_std(patience).unwrap_or(OPEN_FOR);
        let until = self.db.now().await? + patience;
        let throttled = self.db.query(THROTTLED).bind(provider.name.to_owned());
        let throttled = throttled.bind(provider.model.to_owned()).bind(until);
        throttled.execute().await.map(drop)
    }
}
