//! The store's clock between two looks at it: told with the rows of a claim, and carried on by this
//! machine's steady clock, which nobody sets. It is never ahead of the store's, and behind it by no more
//! than the time that an answer took to arrive.

use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long it is carried on. Two steady clocks part by less than a millisecond in this time, and a
/// store that was replaced by another, with a clock of its own, is soon asked again.
const CARRIED_MAX: Duration = Duration::from_secs(5);

/// The store's clock, as last told.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<(DateTime<Utc>, Instant)>>);

impl Clock {
    /// Takes the store's time, just told.
    pub(crate) fn told(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Instant::now()));
    }

    /// The store's time, if it was told a moment ago.
    pub(crate) fn now(&self) -> Option<DateTime<Utc>> {
        let (told, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = at.elapsed();
        if since > CARRIED_MAX {
            return None;
        }
        let since = TimeDelta::microseconds(i64::try_from(since.as_micros()).ok()?);
        told.checked_add_signed(since)
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use chrono::{TimeDelta, Utc};

    #[test]
    fn it_says_nothing_until_it_is_told_and_then_goes_on_from_there() {
        let clock = Clock::default();
        assert_eq!(clock.now(), None);
        let told = chrono::DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(1);
        clock.told(told);
        let (first, second) = (clock.now().unwrap(), clock.now().unwrap());
        assert!(told <= first && first <= second && second < told + TimeDelta::seconds(5));
    }
}
