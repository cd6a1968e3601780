//! What begins by the clock: does it, and when next?

use super::finding::Finding;
use super::store::within;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use process::Settings;
use saga_core::Store;
use saga_core::store::ScheduleRow;

const CHECK: &str = "schedules";
/// A sweeper begins what is due within a second or so.
const LATE_MAX: TimeDelta = TimeDelta::minutes(1);
const REMEDY: &str =
    "start workers with the same TOPIC_ROUND_SCHEDULE; their sweepers begin what is due";

/// What the settings here schedule, each as the store knows it. Nothing is said where nothing is scheduled.
pub(super) async fn examine(store: &Store, settings: &Settings) -> Vec<Finding> {
    let meant = chorus_workers::schedules(settings);
    if meant.is_empty() {
        return vec![];
    }
    let failed = |why: String| vec![Finding::failed(CHECK, why, "again in a moment")];
    let rows = match within(store.schedules()).await {
        Ok(rows) => rows,
        Err(why) => return failed(why),
    };
    let now = match within(store.db().now()).await {
        Ok(now) => now,
        Err(why) => return failed(why),
    };
    let each = meant.into_iter().map(|schedule| {
        let row = rows.iter().find(|row| row.name == schedule.name);
        match row {
            Some(row) if (&row.cron, &row.time_zone) == (&schedule.cron, &schedule.time_zone) => {
                told(row, now)
            }
            Some(row) => {
                let found = format!(
                    "{} is at {} {} to the workers",
                    row.name, row.cron, row.time_zone
                );
                Finding::warning(CHECK, found, REMEDY)
            }
            None => {
                let found = format!("no worker has heard of {}", schedule.name);
                Finding::warning(CHECK, found, REMEDY)
            }
        }
    });
    each.collect()
}

fn told(row: &ScheduleRow, now: DateTime<Utc>) -> Finding {
    let at = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let name = &row.name;
    let next = row.next_at.map_or_else(|| "never".to_owned(), at);
    if row.next_at.is_some_and(|next| now - next > LATE_MAX) {
        let found = format!("{name} was due at {next}, and nobody began it");
        return Finding::warning(CHECK, found, REMEDY);
    }
    match (&row.last_error, row.last_saga_id, row.last_at) {
        (Some(why), None, Some(last)) => {
            let found = format!("{name} did not begin at {}: {why}", at(last));
            Finding::warning(CHECK, found, "the logs of the workers")
        }
        (Some(why), Some(_), Some(last)) => {
            let found = format!("{name} comes next at {next}; at {} {why}", at(last));
            Finding::ok(CHECK, found)
        }
        (_, _, Some(last)) => Finding::ok(
            CHECK,
            format!("{name} comes next at {next}, came last at {}", at(last)),
        ),
        (_, _, None) => Finding::ok(CHECK, format!("{name} comes next at {next}")),
    }
}
