//! `chorus workers` and `chorus queues`.

use crate::support::{Place, until};
use serde_json::{Value, json};

#[test]
fn the_house_shows_its_worker_and_keeps_it_when_that_is_asked_to_leave() {
    let place = Place::new();
    // The one worker there is, once it is another than this one.
    let other_than = |before: &Value| {
        until("the worker shows itself", || {
            let mut list = place.chorus(&["workers", "--json"]).is(0).lines();
            assert!(list.len() < 2, "{list:?}");
            list.pop().filter(|worker| worker["id"] != before["id"])
        })
    };
    let killed = place.house();
    let before = other_than(&Value::Null);
    killed.kill();
    // Whoever has the store for itself knows that the worker of before is gone.
    let house = place.house();
    let worker = other_than(&before);
    assert_eq!(worker["queues"], json!(["synthesis", "image", "delivery"]));
    let id = worker["id"].as_str().unwrap();
    let host = worker["host"].as_str().unwrap();
    assert!(id.starts_with(&format!("chorus-{host}-")), "{id}");
    let list = place.chorus(&["workers"]).is(0).out;
    assert!(list.contains(id) && list.contains("busy 0 of 30"), "{list}");

    place
        .chorus(&["jobs", "submit", "demo.pair", "--wait"])
        .is(0);
    until("two steps are done", || {
        let queues = place.chorus(&["queues", "--json"]).is(0).lines();
        let synthesis = queues
            .into_iter()
            .find(|queue| queue["name"] == "synthesis")?;
        let counts = [
            &synthesis["consumers"],
            &synthesis["ready"],
            &synthesis["done_per_minute"],
        ];
        (counts == [1, 0, 2]).then_some(())
    });
    let table = place.chorus(&["queues"]).is(0).out;
    assert!(
        table.contains("done/min") && table.contains("delivery"),
        "{table}"
    );

    let unknown = place.chorus(&["workers", "drain", "no body/?"]).is(2);
    assert!(unknown.err.contains("no such worker"), "{}", unknown.err);
    // Nobody could do its steps, and the API beside it would go, too.
    let kept = place.chorus(&["workers", "drain", id]).is(2);
    assert!(kept.err.contains("chorus queues pause"), "{}", kept.err);
    place
        .chorus(&["jobs", "submit", "demo.pair", "--wait"])
        .is(0);
    let ended = house.interrupt().is(0);
    assert!(ended.out.contains("Stopped."), "{}", ended.out);
}

#[test]
fn a_paused_queue_stays_so_over_a_restart_and_then_goes_on() {
    let place = Place::new();
    let house = place.house();
    let pause = [
        "queues",
        "pause",
        "image",
        "--reason",
        "the provider is down",
    ];
    place.chorus(&pause).is(0);
    let twice = place.chorus(&pause).is(2);
    assert!(twice.err.contains("paused"), "{}", twice.err);
    house.interrupt().is(0);

    let _house = place.house();
    let told = place.chorus(&["jobs", "submit", "demo.relay", "--json"]);
    let job = told.is(0).json()["id"].as_str().unwrap().to_owned();
    let at_image = || {
        let queues = place.chorus(&["queues", "--json"]).is(0).lines();
        queues.into_iter().find(|queue| queue["name"] == "image")
    };
    let image = until("its second step waits", || {
        at_image().filter(|image| image["ready"] == 1)
    });
    assert_eq!(image["paused"], true);
    assert_eq!(image["switched"]["by"], "you@localhost");
    let table = place.chorus(&["queues"]).is(0).out;
    assert!(table.contains("the provider is down"), "{table}");
    let resumed = place.chorus(&["queues", "resume", "image", "--json"]);
    assert_eq!(resumed.is(0).json()["paused"], false);
    place.chorus(&["jobs", "get", &job, "--wait"]).is(0);
}

#[test]
fn a_kind_is_switched_off_over_a_restart_and_limited_and_then_goes_on() {
    let place = Place::new();
    let house = place.house();
    let pause = [
        "kinds",
        "pause",
        "demo.pair",
        "--reason",
        "the provider is down",
    ];
    let dry = [&pause[..], &["--dry-run"]].concat();
    let foreseen = place.chorus(&dry).is(0).out;
    assert!(foreseen.contains("Nothing was done"), "{foreseen}");
    place.chorus(&pause).is(0);
    let twice = place.chorus(&pause).is(2);
    assert!(twice.err.contains("paused"), "{}", twice.err);
    house.interrupt().is(0);

    let _house = place.house();
    let told = place.chorus(&["jobs", "submit", "demo.pair", "--json"]);
    let job = told.is(0).json()["id"].as_str().unwrap().to_owned();
    until("its first step stands in line", || {
        let kinds = place.chorus(&["kinds", "list", "--json"]).is(0).lines();
        let pair = kinds.into_iter().find(|kind| kind["kind"] == "demo.pair")?;
        (pair["in_line"] == 1 && pair["state"] == "paused").then_some(())
    });
    let table = place.chorus(&["kinds"]).is(0).out;
    assert!(table.contains("the provider is down"), "{table}");
    let why = place.chorus(&["why", &job]).is(0).out;
    assert!(why.contains("chorus kinds resume demo.pair"), "{why}");
    let limit = ["limits", "kind", "demo.pair", "--running", "1", "--json"];
    let limited = place.chorus(&limit).is(0).json();
    assert_eq!(limited["kinds"][0]["running_max"], 1);
    let told = place.chorus(&["limits"]).is(0).out;
    assert!(told.contains("1 steps at once"), "{told}");
    let wrong = place.chorus(&["limits", "kind", "demo.pair", "--running", "few"]);
    assert!(wrong.is(2).err.contains("few is no number"));
    let resumed = place.chorus(&["kinds", "resume", "demo.pair", "--json"]);
    assert_eq!(resumed.is(0).json()["state"], "enabled");
    place.chorus(&["jobs", "get", &job, "--wait"]).is(0);
}
