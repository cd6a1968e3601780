//! When sagas begin by the clock.

use crate::db::Tx;
use crate::store::NewSaga;
use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::pin::Pin;

/// Rows that are being written.
pub type Written<'a> = Pin<Box<dyn Future<Output = sqlx::Result<()>> + Send + 'a>>;

/// Writes what belongs to a saga that a schedule begins, in the transaction that begins it.
pub type Opening<I> = for<'a> fn(&'a mut Tx, &'a NewSaga, I) -> Written<'a>;

/// A saga that begins by the clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Tells it from the others; the same over deploys.
    pub name: String,
    /// Which saga.
    pub kind: String,
    /// Minute, hour, day of the month, month, day of the week: `0 9 * * mon`.
    pub cron: String,
    /// Whose clocks, by the name in the IANA database: `Europe/Berlin`.
    pub time_zone: String,
    /// What each is started with.
    pub input: Value,
}

/// Why a schedule means nothing. Says what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Its pattern cannot be read.
    #[error(
        "the schedule {name} has the pattern `{cron}`: {why}; write minute, hour, day, month and day of the week, such as `0 9 * * mon`"
    )]
    Cron {
        /// Which.
        name: String,
        /// The pattern.
        cron: String,
        /// What does not fit.
        why: String,
    },
    /// Nobody knows its time zone.
    #[error(
        "the schedule {name} has the time zone `{time_zone}`, which nobody knows; write a name of the IANA database, such as `Europe/Berlin`"
    )]
    TimeZone {
        /// Which.
        name: String,
        /// The time zone.
        time_zone: String,
    },
}

impl Schedule {
    /// When it comes next after `after`; never, if no day fits its pattern. An hour that clocks skip is not
    /// waited for another day, and one that they repeat counts once for a fixed time of day.
    pub fn next(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, ScheduleError> {
        let (cron, zone) = (self.pattern()?, self.zone()?);
        // Times of the schedule's clocks are jiff's, everywhere else they are chrono's.
        let Ok(after) = Timestamp::from_microsecond(after.timestamp_micros()) else {
            return Ok(None);
        };
        let next = cron.find_next_occurrence(&after.to_zoned(zone), false);
        Ok(next
            .ok()
            .and_then(|next| DateTime::from_timestamp_micros(next.timestamp().as_microsecond())))
    }

    /// Whether it means something.
    pub fn check(&self) -> Result<(), ScheduleError> {
        self.pattern()?;
        self.zone().map(drop)
    }

    fn pattern(&self) -> Result<Cron, ScheduleError> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        parser
            .parse(&self.cron)
            .map_err(|error| ScheduleError::Cron {
                name: self.name.clone(),
                cron: self.cron.clone(),
                why: error.to_string(),
            })
    }

    fn zone(&self) -> Result<TimeZone, ScheduleError> {
        TimeZone::get(&self.time_zone).map_err(|_| ScheduleError::TimeZone {
            name: self.name.clone(),
            time_zone: self.time_zone.clone(),
        })
    }
}
