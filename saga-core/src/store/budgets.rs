//! Budgets: money is set aside before a call is made, and settled when its answer is stored. What is spent
//! and set aside never exceeds a cap, however many call at once. A call of which nobody knows what became
//! of it may have been charged for, so it counts as spent at the most that it can have cost.

use super::{Ask, Store};
use crate::caps::{self, Caps, Scope};
use crate::db::{Durability, Query, Tx};
use crate::journal::Key;
use crate::prices::{Price, dollars};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Why a call must wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverBudget {
    /// How long to wait before looking again.
    pub pause: TimeDelta,
    /// A sentence for people.
    pub message: String,
}

/// Money set aside for a call under way.
#[derive(sqlx::FromRow)]
struct Hold {
    /// The first of the saga's family, whose budget it is taken from; none if the saga began by itself.
    root_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    day: String,
    micros: i64,
}

/// A cap where there is none: far more than anybody has, and far from where sums run over.
const BOUNDLESS: i64 = i64::MAX / 4;
/// After this time nobody is at a call any more, whatever became of it.
const HELD_FOR: TimeDelta = TimeDelta::minutes(15);
/// How long the budget of an account's day is kept.
const BUDGETS_KEPT: TimeDelta = TimeDelta::days(7);
/// Most holds that one look settles.
const LOOK_MAX: i64 = 100;
/// A saga's budget is for its whole life.
const WHOLE_LIFE: &str = "";

// The row is locked by whoever is first, and the condition is judged on what he left.
const HOLD: &str = "-- budgets.hold
    INSERT INTO budgets (scope, day, subject, spent_micros, held_micros)
    SELECT $1, $2, $3, 0, $4 WHERE $4 <= $5
    ON CONFLICT (scope, day, subject) DO UPDATE SET held_micros = budgets.held_micros + excluded.held_micros
     WHERE budgets.spent_micros + budgets.held_micros + excluded.held_micros <= $5";
const SETTLE: &str = "-- budgets.settle
    INSERT INTO budgets (scope, day, subject, spent_micros, held_micros) VALUES ($1, $2, $3, $4, 0)
    ON CONFLICT (scope, day, subject) DO UPDATE
       SET spent_micros = budgets.spent_micros + excluded.spent_micros, held_micros = budgets.held_micros - $5";
const LEFT: &str = "-- budgets.left
    SELECT spent_micros, held_micros FROM budgets WHERE scope = $1 AND day = $2 AND subject = $3";
const NOTE: &str = "-- holds.note
    INSERT INTO holds (saga_id, step_key, name, round, epoch, owner_id, day, micros, at, root_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const TAKE: &str = "-- holds.take
    DELETE FROM holds WHERE saga_id = $1 AND step_key = $2 AND name = $3 AND round = $4 RETURNING root_id, owner_id, day, micros";
// A late worker lets go of its own, and not of its successor's.
const TAKE_MINE: &str = "-- holds.take_mine
    DELETE FROM holds WHERE saga_id = $1 AND step_key = $2 AND name = $3 AND round = $4 AND epoch = $5 RETURNING root_id, owner_id, day, micros";
const TAKE_STALE: &str = "-- holds.take_stale
    DELETE FROM holds WHERE saga_id = $1 AND step_key = $2 AND name = $3 AND round = $4 AND at < $5 RETURNING root_id, owner_id, day, micros";
const STALE: &str = "-- holds.stale
    SELECT h.saga_id, h.step_key, h.name, h.round FROM holds h
     WHERE h.at < $1 AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.saga_id = h.saga_id AND s.key = h.step_key AND s.state = 'leased')
     LIMIT $2";
const FORGET: &str = "-- budgets.forget
    DELETE FROM budgets WHERE scope = 'account' AND day < $1";

/// Which call, within its saga's step.
pub(super) struct Which<'a> {
    pub(super) saga: Uuid,
    pub(super) step: &'a Key,
    pub(super) name: &'a str,
    pub(super) round: i64,
}

impl<'a> Which<'a> {
    pub(super) fn of(ask: &'a Ask<'_>, round: i64) -> Self {
        Self {
            saga: ask.key.saga,
            step: &ask.key.step,
            name: &ask.key.name,
            round,
        }
    }

    /// The hold on this call, taken away.
    async fn take(&self, tx: &mut Tx) -> sqlx::Result<Option<Hold>> {
        self.bound(tx.query(TAKE)).optional().await
    }

    fn bound<'q>(&self, query: Query<'q>) -> Query<'q> {
        let query = query.bind(self.saga);
        let query = query.bind(self.step.as_str().to_owned());
        query.bind(self.name.to_owned()).bind(self.round)
    }

    /// Whose budgets a call is charged to that this much is set aside for, in the order of the scopes, which is
    /// the order of locks. A saga that another one began has none of its own: it takes from its root's.
    fn budgets(&self, hold: &Hold) -> Vec<(Scope, String, String)> {
        let root = hold.root_id.unwrap_or(self.saga);
        let named = |scope| match scope {
            Scope::Saga => Some((scope, WHOLE_LIFE.to_owned(), root.to_string())),
            Scope::Account => Some((scope, hold.day.clone(), hold.owner_id?.to_string())),
            Scope::All => Some((scope, hold.day.clone(), String::new())),
        };
        Scope::ALL.into_iter().filter_map(named).collect()
    }

    /// Moves what was set aside to what is spent.
    async fn move_on(&self, tx: &mut Tx, hold: &Hold, spent: i64) -> sqlx::Result<()> {
        for (scope, day, subject) in self.budgets(hold) {
            let settle = tx.query(SETTLE).bind(scope.as_str()).bind(day);
            let settle = settle.bind(subject).bind(spent).bind(hold.micros);
            settle.execute().await?;
        }
        Ok(())
    }
}

/// Sets aside the most that a call can cost, and says whether that is anything. What an earlier try of the
/// call left behind counts as spent: nobody knows what became of that one.
pub(super) async fn hold(
    tx: &mut Tx,
    ask: &Ask<'_>,
    (round, again): (i64, bool),
    price: Option<Price>,
    (caps, root_id): (Caps, Option<Uuid>),
) -> sqlx::Result<Result<bool, OverBudget>> {
    let now = tx.now().await?;
    let Some(price) = price else {
        return Ok(unpriced(ask, caps, now));
    };
    if price == Price::default() {
        return Ok(Ok(false));
    }
    let which = Which::of(ask, round);
    if again && let Some(left_behind) = which.take(tx).await? {
        which.move_on(tx, &left_behind, left_behind.micros).await?;
    }
    let micros = price.at_most(ask.provider.most);
    let aside = Hold {
        root_id,
        owner_id: ask.owner_id,
        day: caps::day(now),
        micros,
    };
    for (scope, day, subject) in which.budgets(&aside) {
        let cap = caps.of(scope).unwrap_or(BOUNDLESS);
        let taken = tx.query(HOLD).bind(scope.as_str()).bind(day.clone());
        let taken = taken.bind(subject.clone()).bind(micros).bind(cap);
        if taken.execute().await? == 0 {
            let left = tx.query(LEFT).bind(scope.as_str()).bind(day).bind(subject);
            let (spent, held) = left.optional::<(i64, i64)>().await?.unwrap_or_default();
            let message = format!(
                "the cap is {} USD for {}; {} is spent, {} set aside for calls under way, and this call may cost up to {}",
                dollars(cap),
                scope.of_whom(),
                dollars(spent),
                dollars(held),
                dollars(micros)
            );
            let pause = caps::pause(scope, now);
            return Ok(Err(OverBudget { pause, message }));
        }
    }
    let note = which.bound(tx.query(NOTE));
    let note = note
        .bind(ask.key.epoch)
        .bind(aside.owner_id)
        .bind(aside.day)
        .bind(micros)
        .bind(now)
        .bind(root_id);
    note.execute().await?;
    Ok(Ok(true))
}

/// What has no price cannot be kept below a cap.
fn unpriced(ask: &Ask<'_>, caps: Caps, now: DateTime<Utc>) -> Result<bool, OverBudget> {
    let capped = Scope::ALL
        .into_iter()
        .find(|scope| caps.of(*scope).is_some());
    let Some(scope) = capped else {
        return Ok(false);
    };
    let (provider, model) = (ask.provider.name, ask.provider.model);
    let message = format!(
        "there is a cap for {}, and PRICES does not say what {provider}/{model} costs",
        scope.of_whom()
    );
    let pause = caps::pause(Scope::Saga, now);
    Err(OverBudget { pause, message })
}

/// Settles what was set aside for an answered call of a model that has a price. Where its answer does not
/// say what it took, all of that counts as spent.
pub(super) async fn settle(
    tx: &mut Tx,
    ask: &Ask<'_>,
    round: i64,
    cost: Option<i64>,
) -> sqlx::Result<()> {
    let which = Which::of(ask, round);
    match which.take(tx).await? {
        Some(hold) => which.move_on(tx, &hold, cost.unwrap_or(hold.micros)).await,
        // Nobody thought that it would still be answered: all of it counts as spent already.
        None => Ok(()),
    }
}

impl Store {
    /// Lets go of what was set aside for a call that surely cost nothing: the provider turned it down.
    pub async fn let_go(&self, ask: &Ask<'_>, round: i64) -> sqlx::Result<()> {
        let which = Which::of(ask, round);
        let mut tx = self.db.begin(Durability::Full).await?;
        let take = which.bound(tx.query(TAKE_MINE)).bind(ask.key.epoch);
        if let Some(hold) = take.optional().await? {
            which.move_on(&mut tx, &hold, 0).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Counts as spent what was set aside for calls that nobody is at any more, and says for how many they
    /// are. Budgets of days gone by are forgotten.
    pub async fn settle_stale(&self) -> sqlx::Result<usize> {
        let now = self.db.now().await?;
        let before = now - HELD_FOR;
        let stale = self.db.query(STALE).bind(before).bind(LOOK_MAX);
        let stale: Vec<(Uuid, String, String, i64)> = stale.all().await?;
        for (saga, step, name, round) in &stale {
            let which = Which {
                saga: *saga,
                step: &Key::stored(step.clone()),
                name,
                round: *round,
            };
            let mut tx = self.db.begin(Durability::Full).await?;
            // Unless its step has set it aside anew meanwhile.
            let take = which.bound(tx.query(TAKE_STALE)).bind(before);
            if let Some(hold) = take.optional().await? {
                which.move_on(&mut tx, &hold, hold.micros).await?;
                tx.commit().await?;
            }
        }
        let kept_from = caps::day(now - BUDGETS_KEPT);
        self.db.query(FORGET).bind(kept_from).execute().await?;
        Ok(stale.len())
    }
}
