//! The store: does it answer, are its tables ours, does its clock agree, who works, what waits?

use super::finding::Finding;
use super::schedules;
use chrono::{TimeDelta, Utc};
use process::{QUEUES, Settings, fleet};
use saga_core::Store;
use saga_core::db::Db;
use saga_core::store::{QueueLoad, WorkerState};
use std::sync::Arc;
use std::time::Duration;

/// How long opening the store, and each question to it, may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Tokens are taken from clocks that are 30 s apart; nothing else minds, but logs are hard to read together.
const SKEW_WARNED: TimeDelta = TimeDelta::seconds(2);
const SKEW_MAX: TimeDelta = TimeDelta::seconds(30);
/// A ready step gets its ticket within a second or so, and the sweeper looks after two.
const LAG_WARNED: Duration = Duration::from_secs(5);
const LAG_MAX: Duration = Duration::from_mins(1);
/// The rule by which workers are added (README, "Scaling").
const AGE_WARNED_SECONDS: u64 = 30;

pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    // Opening would make the file.
    if settings.embedded() && !settings.store_file().is_file() {
        let found = format!("there is no {}", settings.store_file().display());
        let remedy = "chorus, which makes it; or DATA_DIR=… or DATABASE_URL=…, where it is";
        return vec![Finding::failed("store", found, remedy)];
    }
    let db = match within(Db::open(&fleet::location(settings))).await {
        Ok(db) => db,
        Err(why) => {
            let remedy = "start it, or set DATABASE_URL to where it is; chorus config check shows what is set";
            return vec![Finding::failed("store", why, remedy)];
        }
    };
    let findings = of_open(&db, settings).await;
    drop(tokio::time::timeout(ANSWER_MAX, db.close()).await);
    findings
}

/// What may be asked of a store that answers.
async fn of_open(db: &Db, settings: &Settings) -> Vec<Finding> {
    let pending = match within(db.pending()).await {
        Ok(pending) => pending.0,
        Err(why) => return vec![Finding::failed("store", why, "again in a moment")],
    };
    let mut findings = vec![Finding::ok("store", format!("{} answers", db.name()))];
    findings.push(clock(db).await);
    if !pending.is_empty() {
        let found = format!("{} pending: {}", pending.len(), pending.join(", "));
        findings.push(Finding::failed("migrations", found, "chorus migrate"));
        return findings; // tables that are not ours tell nothing
    }
    findings.push(Finding::ok("migrations", "up to date"));
    let store = Store::new(db.clone(), Arc::new(domain::catalog::kinds()));
    match within(store.queue_loads(&QUEUES)).await {
        Ok(loads) => {
            findings.push(staff(&loads));
            findings.push(waiting(&loads));
        }
        Err(why) => findings.push(Finding::failed("workers", why, "again in a moment")),
    }
    findings.extend(lost(&store).await);
    findings.extend(gauges(&store).await);
    findings.extend(schedules::examine(&store, settings).await);
    findings
}

/// Asks, and puts what went wrong into words.
pub(super) async fn within<T, E: std::error::Error>(
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, String> {
    let answered = tokio::time::timeout(ANSWER_MAX, asked).await;
    let answer = answered.map_err(|_| format!("no answer within {} s", ANSWER_MAX.as_secs()))?;
    answer.map_err(|error| match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

async fn clock(db: &Db) -> Finding {
    let before = Utc::now();
    let told = match within(db.now()).await {
        Ok(told) => told,
        Err(why) => return Finding::failed("clock", why, "again in a moment"),
    };
    // The answer was on its way for half of the time that asking took, more or less.
    let here = before + (Utc::now() - before) / 2;
    let skew = (told - here).abs();
    let found = format!(
        "{}.{:03} s from the store's",
        skew.num_seconds(),
        skew.num_milliseconds() % 1000
    );
    let remedy = "chrony or systemd-timesyncd, here and at the store; leases and timers go by the store's clock alone";
    match skew {
        skew if skew > SKEW_MAX => Finding::failed("clock", found, remedy),
        skew if skew > SKEW_WARNED => Finding::warning("clock", found, remedy),
        _ => Finding::ok("clock", found),
    }
}

/// Whether every queue of the fleet has a worker.
fn staff(loads: &[QueueLoad]) -> Finding {
    let ours = || {
        let named = |load: &&QueueLoad| QUEUES.contains(&load.name.as_str());
        loads.iter().filter(named)
    };
    let bare: Vec<&QueueLoad> = ours().filter(|load| load.consumers == 0).collect();
    let names = |loads: &[&QueueLoad]| {
        let names: Vec<&str> = loads.iter().map(|load| load.name.as_str()).collect();
        names.join(", ")
    };
    let Some(first) = bare.first() else {
        let each: Vec<String> = ours()
            .map(|load| format!("{} {}", load.consumers, load.name))
            .collect();
        return Finding::ok("workers", each.join(", "));
    };
    let needed: Vec<&QueueLoad> = bare
        .iter()
        .copied()
        .filter(|load| load.ready > 0 && !load.paused())
        .collect();
    if let Some(load) = needed.first() {
        let found = format!("none for {}, where steps wait", names(&needed));
        return Finding::failed("workers", found, format!("chorus worker {}", load.name));
    }
    let found = format!("none for {}", names(&bare));
    Finding::warning("workers", found, format!("chorus worker {}", first.name))
}

/// How long the oldest ready step has been waiting, and what is switched off.
fn waiting(loads: &[QueueLoad]) -> Finding {
    let paused: Vec<&str> = loads
        .iter()
        .filter(|load| load.paused())
        .map(|load| load.name.as_str())
        .collect();
    let moving = loads.iter().filter(|load| !load.paused());
    let oldest = moving.max_by_key(|load| load.oldest_seconds);
    let age = oldest.and_then(|load| load.oldest_seconds).unwrap_or(0);
    let name = oldest.map_or("", |load| &load.name);
    if age > AGE_WARNED_SECONDS {
        let found = format!("the oldest step of {name} has been waiting for {age} s");
        let remedy = "chorus queues, and more workers of that queue";
        return Finding::warning("queues", found, remedy);
    }
    if !paused.is_empty() {
        let found = format!("paused: {}", paused.join(", "));
        let remedy = format!("chorus queues resume {}", paused[0]);
        return Finding::warning("queues", found, remedy);
    }
    let ready: u64 = loads.iter().map(|load| load.ready).sum();
    Finding::ok("queues", format!("{ready} ready, the oldest for {age} s"))
}

/// Workers that went without a word.
async fn lost(store: &Store) -> Option<Finding> {
    let workers = within(store.workers()).await.ok()?;
    let lost = workers
        .iter()
        .filter(|worker| worker.state == WorkerState::Lost);
    let names: Vec<&str> = lost.map(|worker| worker.id.as_str()).collect();
    let first = names.first()?;
    let found = format!(
        "{} not seen for half a minute, {first} for one",
        names.len()
    );
    let remedy =
        "chorus workers, and the logs of those; what they had is taken over when its lease ends";
    Some(Finding::warning("workers", found, remedy))
}

/// The oldest ticket, and the letters that nobody has judged.
async fn gauges(store: &Store) -> Vec<Finding> {
    let gauges = match within(store.gauges()).await {
        Ok(gauges) => gauges,
        Err(why) => return vec![Finding::failed("tickets", why, "again in a moment")],
    };
    let lag = gauges.ticket_lag;
    let found = format!("the oldest step without one waits for {} s", lag.as_secs());
    let remedy = "the broker's line here, and the logs of API and workers; a worker's sweeper sends what is missing";
    let tickets = match lag {
        lag if lag > LAG_MAX => Finding::failed("tickets", found, remedy),
        lag if lag > LAG_WARNED => Finding::warning("tickets", found, remedy),
        _ => Finding::ok("tickets", "every ready step has one, or is about to"),
    };
    let open = gauges.letters.iter().find(|(state, _)| state == "open");
    let letters = match open.map_or(0, |(_, count)| *count) {
        0 => Finding::ok("letters", "none is open"),
        open => Finding::warning(
            "letters",
            format!("{open} open"),
            "chorus dead-letters groups",
        ),
    };
    vec![tickets, letters]
}
