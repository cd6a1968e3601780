//! What begins by the clock.

use super::Given;
use super::reader::{Reader, text};
use chrono::Utc;
use saga_core::schedule::{Schedule, ScheduleError};
use serde_json::Value;

const ROUNDS: &str = "TOPIC_ROUND_SCHEDULE";
const EXAMPLE: &str = "write minute, hour, day, month, day of the week and a time zone, as 0 18 * * FRI Europe/Berlin";

/// A time that comes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurring {
    /// Minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// Whose clocks, by the name in the IANA database.
    pub time_zone: String,
}

impl Reader {
    /// When rounds of topics begin by themselves; never, unless it is said.
    pub(super) fn topic_rounds(&mut self, given: &Given) -> Option<Recurring> {
        let words = text(given.topic_round_schedule.as_deref())?;
        match recurring(words) {
            Ok(recurring) => Some(recurring),
            Err(why) => {
                self.problem(ROUNDS, format!("{words:?}"), format!("{why}; {EXAMPLE}"));
                None
            }
        }
    }
}

fn recurring(words: &str) -> Result<Recurring, String> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let [cron @ .., time_zone] = &words[..] else {
        return Err("says nothing".to_owned());
    };
    match words.len() {
        6 => {}
        few @ ..6 => return Err(format!("has {few} of 6 parts")),
        many => return Err(format!("has {many} parts instead of 6")),
    }
    let schedule = Schedule {
        name: ROUNDS.to_owned(),
        kind: String::new(),
        cron: cron.join(" "),
        time_zone: (*time_zone).to_owned(),
        input: Value::Null,
    };
    match schedule.next(Utc::now()) {
        Ok(Some(_)) => Ok(Recurring {
            cron: schedule.cron,
            time_zone: schedule.time_zone,
        }),
        Ok(None) => Err("no day fits it".to_owned()),
        Err(ScheduleError::Cron { why, .. }) => Err(why.trim_end_matches('.').to_owned()),
        Err(ScheduleError::TimeZone { time_zone, .. }) => {
            Err(format!("nobody knows the time zone {time_zone}"))
        }
    }
}
