//! `chorus doctor`, on deployments that are well and on such that are not.

use crate::ground::Ground;
use crate::support::{Ended, Place};
use serde_json::Value;
use testing::held_port;

/// What it found about one thing, in one state.
fn found<'a>(lines: &'a [Value], check: &str, state: &str) -> Vec<&'a str> {
    let about = lines
        .iter()
        .filter(|line| line["check"] == check && line["state"] == state);
    let words = about.map(|line| {
        assert_eq!(line["try"].is_string(), state != "ok", "{line}");
        line["found"].as_str().unwrap()
    });
    words.collect()
}

#[track_caller]
fn has(told: &Ended, check: &str, state: &str, part: &str) {
    let lines = told.lines();
    let about = found(&lines, check, state);
    let fits = about.iter().any(|about| about.contains(part));
    assert!(fits, "{check} {state} {part:?} in {}", told.out);
}

#[test]
fn embedded_mode_is_well_while_it_runs_and_its_end_is_told() {
    let place = Place::new();
    let nothing = place.chorus(&["doctor", "--json"]).is(1);
    has(&nothing, "store", "failed", "there is no chorus-data");
    has(
        &nothing,
        "api",
        "failed",
        "nobody answers at http://127.0.0.1:8000",
    );
    assert!(!place.path("chorus-data").exists(), "it only looks");

    let house = place.house();
    let told = place.chorus(&["doctor", "--json"]).is(0);
    for (check, part) in [
        ("settings", "embedded"),
        ("store", "sqlite answers"),
        ("migrations", "up to date"),
        ("clock", "0.0"),
        ("workers", "1 synthesis"),
        ("queues", "0 ready"),
        ("letters", "none"),
        ("broker", "none is needed"),
        ("api", "is ready"),
    ] {
        has(&told, check, "ok", part);
    }
    place
        .chorus(&["jobs", "submit", "demo.fail", "--wait"])
        .is(1);
    let told = place.chorus(&["doctor", "--json"]).is(0);
    has(&told, "letters", "warning", "1 open");
    let plain = place.chorus(&["doctor"]).is(0).out;
    assert!(plain.contains("try: chorus dead-letters groups"), "{plain}");
    house.kill();
    let told = place.chorus(&["doctor", "--json"]).is(1);
    has(&told, "api", "failed", "nobody answers");
}

#[test]
fn wrong_settings_are_all_that_is_looked_at() {
    let place = Place::new();
    let wrong = [("PORT", "99999"), ("APP_ENV", "prod"), ("AMQP_URI", "x")];
    let told = place.chorus_with(&["doctor", "--json"], &wrong).is(1);
    has(&told, "settings", "failed", "PORT is \"99999\"");
    has(&told, "settings", "failed", "APP_ENV");
    has(&told, "settings", "warning", "did you mean AMQP_URL?");
    assert_eq!(told.lines().len(), 3);
}

#[tokio::test]
async fn a_fleet_is_told_what_it_lacks_until_it_lacks_nothing() {
    let Some(ground) = Ground::made("a doctor's look at a fleet").await else {
        return;
    };
    let place = Place::new();
    let media = place.path("media");
    std::fs::create_dir(&media).unwrap();
    let media = [("MEDIA_DIR", media.to_str().unwrap())];
    let told_with = |url: &str, more: &[(&str, &str)]| {
        let settings: Vec<_> = [&ground.settings()[..], &media, more].concat();
        place.chorus_with(&["doctor", "--json", "--url", url], &settings)
    };
    let (_held, closed) = held_port();
    let nowhere = format!("http://127.0.0.1:{closed}");
    let told = told_with(&nowhere, &[]).is(1);
    has(&told, "migrations", "failed", "0001 engine");
    has(&told, "broker", "ok", "RabbitMQ ");
    has(&told, "broker", "warning", "there is no queue");
    has(&told, "api", "failed", "nobody answers");

    place.chorus_with(&["migrate"], &ground.settings()).is(0);
    let api = ground.serve(&place, &["api"], "PORT", &[]);
    let told = told_with(&api.url, &[]).is(0);
    has(&told, "workers", "warning", "none for ");
    let worker = |queue| ground.serve(&place, &["worker", queue], "WORKER_PORT", &[]);
    let working = ["synthesis", "delivery"].map(worker);
    let token = ground.token(&place);
    let client = [("CHORUS_URL", &*api.url), ("CHORUS_TOKEN", &token)];
    let submit = ["jobs", "submit", "demo.relay", "--json"];
    place.chorus_with(&submit, &client).is(0);
    crate::support::until("a step waits for the image worker", || {
        let told = told_with(&api.url, &[]);
        let lines = told.lines();
        let about = found(&lines, "workers", "failed").first().copied()?;
        assert_eq!((about, told.code), ("none for image, where steps wait", 1));
        Some(())
    });
    let painting = worker("image");
    crate::support::until("all is well", || {
        let told = told_with(&api.url, &[]);
        let lines = told.lines();
        let well = lines.iter().all(|line| line["state"] == "ok");
        if well {
            assert_eq!(told.code, 0);
            has(&told, "broker", "ok", "4 quorum queues");
            has(&told, "media", "ok", "MiB free");
        }
        well.then_some(())
    });

    let broken = format!("amqp://guest:guest@127.0.0.1:{closed}/%2f");
    let told = told_with(&api.url, &[("AMQP_URL", &broken)]).is(1);
    has(&told, "broker", "failed", "");
    let broken = format!("postgres://chorus:hunter2@127.0.0.1:{closed}/chorus");
    let told = told_with(&api.url, &[("DATABASE_URL", &broken)]).is(1);
    has(&told, "store", "failed", "no answer within");
    assert!(!told.out.contains("hunter2"), "{}", told.out);
    drop((working, painting, api));
    ground.clear().await;
}
