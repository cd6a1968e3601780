//! The crash suite. It starts its own servers and is left out where there are none.

mod absent;
mod faults;

use crash::aftermath::Aftermath;
use crash::forge::{cases, forge};
use crash::outage::outage;
use crash::rolling::{Rolled, rolling};
use crash::rounds::{rounds, stages as rounds_stages};
use crash::seeds::SEEDS;
use crash::services::Services;
use crash::storm::{Weather, storm};
use crash::walk::{stages, walk};
use futures_util::{StreamExt as _, stream};
use std::time::{Duration, Instant};

/// One after the other: each wants the machine for itself.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn left_out(what: &str) -> bool {
    testing::postgres(what).is_none()
}

fn weather(sagas: usize, deaths: usize, seconds: usize) -> Weather {
    Weather {
        sagas: crash::scaled("CRASH_SAGAS", sagas),
        deaths: crash::scaled("CRASH_DEATHS", deaths),
        lasts: Duration::from_secs(crash::scaled("CRASH_SECONDS", seconds) as u64),
        seed: crash::scaled("CRASH_SEED", 1) as u64,
    }
}

fn stood(after: &Aftermath, weather: &Weather) {
    eprintln!("{after}");
    assert!(after.verdict.is_clean(), "{}", after.verdict.broken());
    assert!(
        after.recovered.is_some(),
        "not every saga ended within 30 s"
    );
    assert!(
        after.deaths >= weather.deaths,
        "only {} deaths",
        after.deaths
    );
    assert!(
        after.pace.full_again().is_some(),
        "not as fast again: {}",
        after.pace
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_in_a_storm() {
    if left_out("the storm") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let weather = weather(1_000, 1_000, 180);
    let after = storm(Some(&services), &weather).await.unwrap();
    stood(&after, &weather);
    assert_eq!(after.services.len(), 3, "each service failed: {after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_the_one_process_is_killed() {
    if left_out("the embedded storm") {
        return;
    }
    let _turn = TURN.lock().await;
    let weather = weather(200, 200, 60);
    let after = storm(None, &weather).await.unwrap();
    stood(&after, &weather);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_may_die_at_every_place_and_every_step() {
    if left_out("the walk") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    walk_all(Some(&services)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_process_may_die_at_every_place_and_every_step() {
    if left_out("the embedded walk") {
        return;
    }
    let _turn = TURN.lock().await;
    walk_all(None).await.unwrap();
}

/// Walks every stage, some at a time. Nobody may be missed, and every promise holds.
async fn walk_all(services: Option<&Services>) -> anyhow::Result<()> {
    let began = Instant::now();
    let walked: Vec<_> = stream::iter(stages(services.is_some()))
        .map(|stage| walk(services, stage))
        .buffer_unordered(4)
        .collect()
        .await;
    let (mut wrong, mut places, mut deaths) = (vec![], 0, 0);
    for walked in walked {
        let walked = walked?;
        eprintln!("{walked}");
        places += walked.stage.places.len();
        deaths += walked.deaths;
        wrong.extend(walked.wrong());
    }
    eprintln!(
        "walk: {places} places, {deaths} deaths there, {:.0} s",
        began.elapsed().as_secs_f64()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_die_at_every_place_around_every_paid_call_of_the_forge() {
    if left_out("the forge's paid calls") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let forged: Vec<_> = stream::iter(cases())
        .map(|case| {
            let services = &services;
            async move { (case, forge(services, case).await.unwrap()) }
        })
        .buffer_unordered(3)
        .collect()
        .await;
    for (case, forged) in forged {
        eprintln!("  {case:?}: {forged:?}");
        assert_eq!(forged.missed, Vec::<String>::new(), "{case:?}");
        assert_eq!(forged.paid, case.paid(), "{case:?}");
        assert_eq!(forged.unknown, 0, "{case:?}");
        let (personas, pictures, letters) = forged.left;
        assert_eq!((personas, pictures, letters), (1, 2, 0), "{case:?}");
        assert!(forged.whole, "{case:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_may_die_at_every_place_and_leaves_no_idea_claimed_and_no_topic_twice() {
    if left_out("the rounds") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let began = Instant::now();
    let held: Vec<_> = stream::iter(rounds_stages())
        .map(|stage| rounds(&services, stage))
        .buffer_unordered(5)
        .collect()
        .await;
    let mut wrong = vec![];
    for held in held {
        let held = held.unwrap();
        eprintln!("{held}");
        let well = held.missed.is_empty() && held.wrong.is_empty() && held.topics > 0;
        wrong.extend((!well).then(|| held.to_string()));
    }
    eprintln!("rounds: {:.0} s", began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_letters_are_replayed_at_a_rate_though_the_api_and_a_worker_are_killed() {
    if left_out("the outage") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let (sagas, rate) = (crash::scaled("CRASH_LETTERS", 200), 20);
    let replayed = outage(&services, sagas, rate).await.unwrap();
    eprintln!("{replayed:?}");
    let all = serde_json::json!({"waiting": 0, "running": 0, "succeeded": sagas, "dead_again": 0, "skipped": 0});
    assert_eq!(
        (&replayed.told["status"], &replayed.told["counts"]),
        (&"done".into(), &all)
    );
    assert_eq!(
        (replayed.unwell, replayed.wrong),
        (0, 0),
        "sagas that did not end well, or left not each row once"
    );
    assert_eq!(
        replayed.paid,
        (sagas, sagas),
        "a stored answer is not paid for again"
    );
    let pause = chrono::TimeDelta::milliseconds(1_000) / i32::try_from(rate).unwrap();
    assert!(
        replayed.closest >= pause,
        "two letters within {}",
        replayed.closest
    );
    assert_eq!(replayed.deaths, 2, "the API was killed once, and a worker");
}

fn unnoticed(rolled: &Rolled) {
    eprintln!("{rolled}");
    let wrong = rolled.wrong();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        rolled.handed_back > 0,
        "nothing was under way when its worker had to go: this proves nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_under_load_costs_no_attempt_and_writes_no_letter() {
    if left_out("the rolling restart") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let rounds = crash::scaled("CRASH_ROUNDS", 2);
    unnoticed(&rolling(Some(&services), rounds).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_load_of_the_one_process_costs_no_attempt_either() {
    if left_out("the embedded restart") {
        return;
    }
    let _turn = TURN.lock().await;
    let rounds = crash::scaled("CRASH_ROUNDS", 2) * 3;
    unnoticed(&rolling(None, rounds).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_build_is_caught() {
    if left_out("the bad builds") {
        return;
    }
    let _turn = TURN.lock().await;
    let services = Services::start().await.unwrap();
    let only = std::env::var("CRASH_SEEDS").unwrap_or_default();
    let seeds: Vec<_> = SEEDS
        .into_iter()
        .filter(|seed| only.is_empty() || only.split(',').any(|name| name == seed.name))
        .collect();
    let runs = crash::scaled("CRASH_RUNS", 3);
    let rows: Vec<_> = stream::iter(seeds)
        .map(|seed| {
            let services = &services;
            async move {
                let good = (seed.scenario)(services, "").await;
                for run in 1..=runs {
                    match (seed.scenario)(services, seed.name).await {
                        Ok(None) => {}
                        Ok(Some(noticed)) => return (seed, good, Some((noticed, run))),
                        Err(error) => eprintln!("crash: {}: {error:#}", seed.name),
                    }
                }
                (seed, good, None)
            }
        })
        .buffered(3)
        .collect()
        .await;
    let mut missed = vec![];
    eprintln!(
        "| seed | what is wrong with it | caught by | in run | the good build |\n|---|---|---|---|---|"
    );
    for (seed, good, caught) in rows {
        let (by, run) = caught
            .clone()
            .map_or(("NOT CAUGHT".to_owned(), "-".to_owned()), |(by, run)| {
                (by, run.to_string())
            });
        let held = match &good {
            Ok(None) => "passes".to_owned(),
            Ok(Some(noticed)) => format!("FAILS: {noticed}"),
            Err(error) => format!("FAILS: {error:#}"),
        };
        eprintln!("| {} | {} | {by} | {run} | {held} |", seed.name, seed.what);
        if caught.is_none() || held != "passes" {
            missed.push(format!("{}: {by}; good build {held}", seed.name));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
