//! How much may be spent: by one saga and all that it began, for one account in a day, and by everybody in a day.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use serde::Serialize;

/// Whose spending a cap bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[schema(as = CapScope)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One saga's, for its whole life, with all that it began and all that those began.
    Saga,
    /// One account's, in a day.
    Account,
    /// Everybody's, in a day.
    All,
}

impl Scope {
    /// Every scope, in the order in which their rows are written.
    pub const ALL: [Self; 3] = [Self::Saga, Self::Account, Self::All];

    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Saga => "saga",
            Self::Account => "account",
            Self::All => "all",
        }
    }

    /// Whose cap it is, for people.
    pub(crate) fn of_whom(self) -> &'static str {
        match self {
            Self::Saga => "one saga and all that it began",
            Self::Account => "one account a day",
            Self::All => "everybody a day",
        }
    }
}

/// The most that may be spent, in millionths of a dollar; none is no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    /// By one saga and all that it began.
    pub saga: Option<i64>,
    /// For one account in a day.
    pub account: Option<i64>,
    /// By everybody in a day.
    pub all: Option<i64>,
}

impl Caps {
    /// The cap of a scope.
    pub fn of(&self, scope: Scope) -> Option<i64> {
        match scope {
            Scope::Saga => self.saga,
            Scope::Account => self.account,
            Scope::All => self.all,
        }
    }

    /// The caps that stand here, and elsewhere those of `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            saga: self.saga.or(others.saga),
            account: self.account.or(others.account),
            all: self.all.or(others.all),
        }
    }
}

/// The longest that a capped step waits before it looks again: a cap may be raised in the settings, of
/// which nobody is told.
const LOOK_AGAIN: TimeDelta = TimeDelta::hours(1);

/// How long a step waits that a cap holds up: until the day is over by the store's clock.
pub(crate) fn pause(scope: Scope, now: DateTime<Utc>) -> TimeDelta {
    let tomorrow = now.date_naive().checked_add_days(Days::new(1));
    let midnight = tomorrow.map(|day| day.and_time(NaiveTime::MIN).and_utc());
    match (scope, midnight) {
        (Scope::Account | Scope::All, Some(midnight)) => LOOK_AGAIN.min(midnight - now),
        (Scope::Saga, _) | (_, None) => LOOK_AGAIN,
    }
}

/// The day that a moment belongs to, as budgets name it.
pub(crate) fn day(now: DateTime<Utc>) -> String {
    now.format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::{Caps, Scope, day, pause};
    use chrono::{DateTime, TimeDelta, Utc};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_at_midnight_and_nobody_waits_longer_than_an_hour_at_a_time() {
        let late = at("2026-02-28T23:59:30Z");
        assert_eq!(pause(Scope::All, late), TimeDelta::seconds(30));
        assert_eq!(pause(Scope::Saga, late), TimeDelta::hours(1));
        let noon = at("2026-02-28T12:00:00Z");
        assert_eq!(pause(Scope::Account, noon), TimeDelta::hours(1));
        assert_eq!(day(late), "2026-02-28");
        assert_eq!(day(late + TimeDelta::seconds(30)), "2026-03-01");
    }

    #[test]
    fn a_cap_set_by_hand_comes_before_the_one_of_the_settings() {
        let by_hand = Caps {
            all: Some(7),
            ..Caps::default()
        };
        let settings = Caps {
            all: Some(1),
            saga: Some(2),
            account: None,
        };
        let both = by_hand.or(settings);
        assert_eq!(
            Scope::ALL.map(|scope| both.of(scope)),
            [Some(2), None, Some(7)]
        );
    }
}
