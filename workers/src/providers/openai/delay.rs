//! How long a provider asks to wait, out of the headers in which providers say it.

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// Nobody is waited for longer. What is asked beyond it is a mistake, or asked again.
const DELAY_MAX: Duration = Duration::from_hours(1);

/// The wait a 429 asks for: as stated, or else until the limits that are used up start anew.
pub(super) fn asked(headers: &HeaderMap) -> Option<Duration> {
    // A limit that is not said to have anything left may be the one that was met.
    stated(headers).or_else(|| until_new(headers, |left| left.is_none_or(|left| left <= 0.0)))
}

/// The wait until limits start anew that an answer has used up; none while all of them have something left,
/// or where nothing is said of them.
pub(super) fn used_up(headers: &HeaderMap) -> Option<Duration> {
    let wait = until_new(headers, |left| left.is_some_and(|left| left <= 0.0));
    wait.filter(|wait| !wait.is_zero())
}

/// The longest wait for limits of which what is left is so.
fn until_new(headers: &HeaderMap, so: impl Fn(Option<f64>) -> bool) -> Option<Duration> {
    let left = |limit: &str| text(headers, &format!("x-ratelimit-remaining-{limit}"));
    let met = |limit: &&str| match left(limit).map(str::parse::<f64>) {
        None => so(None),
        Some(Ok(left)) => so(Some(left)),
        Some(Err(_)) => false,
    };
    let reset = |limit: &str| span(text(headers, &format!("x-ratelimit-reset-{limit}"))?);
    let limits = ["requests", "tokens"].into_iter();
    limits.filter(met).filter_map(reset).max()
}

/// The wait that `retry-after-ms` or `Retry-After` states. A date counts from the server's own
/// `Date`, so that it does not matter whose clock is wrong.
pub(super) fn stated(headers: &HeaderMap) -> Option<Duration> {
    let fine = text(headers, "retry-after-ms")
        .and_then(|ms| ms.parse::<f64>().ok())
        .and_then(|ms| clamped(ms / 1000.0));
    fine.or_else(|| {
        let value = text(headers, RETRY_AFTER.as_str())?;
        if let Ok(seconds) = value.parse::<f64>() {
            return clamped(seconds);
        }
        let then = date(value)?;
        let now = text(headers, DATE.as_str())
            .and_then(date)
            .unwrap_or_else(Utc::now);
        let ms = (then - now).num_milliseconds();
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(DELAY_MAX))
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(Into::into)
}

/// Seconds from nothing to the most; below is nothing, above is the most, no number is no answer.
fn clamped(seconds: f64) -> Option<Duration> {
    let within = seconds.clamp(0.0, DELAY_MAX.as_secs_f64());
    Duration::try_from_secs_f64(within).ok()
}

/// A span such as `6m0s`, `1.5s`, `20ms` or plain seconds.
fn span(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return clamped(seconds);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let number_ends = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, tail) = rest.split_at(number_ends);
        let unit_ends = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_ends);
        let one = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * one;
        rest = tail;
    }
    clamped(seconds)
}
