//! `chorus jobs`.

use crate::support::Place;

#[test]
fn a_job_is_submitted_followed_and_listed() {
    let place = Place::new();
    let _house = place.house();
    let told = place.chorus(&["jobs", "submit", "demo.pair", "--wait", "--json"]);
    let job = told.is(0).json();
    assert_eq!(
        (job["status"].as_str(), job["kind"].as_str()),
        (Some("succeeded"), Some("demo.pair"))
    );
    let id = job["id"].as_str().unwrap();
    let got = place.chorus(&["jobs", "get", id, "--json"]).is(0).json();
    assert_eq!((&got["id"], &got["done"]), (&job["id"], &true.into()));
    let plain = place.chorus(&["jobs", "get", id]).is(0).out;
    assert!(plain.contains("2 of 2 steps"), "{plain}");
    let events = place.chorus(&["jobs", "watch", id, "--json"]).is(0).lines();
    let names: Vec<&str> = events
        .iter()
        .filter_map(|event| event["name"].as_str().or(event["event"].as_str()))
        .collect();
    assert_eq!(names.last(), Some(&"saga.succeeded"), "{events:?}");
    let drawn = place.chorus(&["jobs", "watch", id]).is(0).out;
    assert!(
        drawn.contains("demo.touch") && drawn.contains("succeeded"),
        "{drawn}"
    );
    let list = place.chorus(&["jobs", "list", "--status", "succeeded", "--json"]);
    let list = list.is(0).lines();
    assert_eq!((list.len(), &list[0]["id"]), (1, &job["id"]));
    let none = place.chorus(&["jobs", "list", "--kind", "persona.forge"]);
    assert!(none.is(0).out.contains("No jobs."));
}

#[test]
fn a_parked_job_is_cancelled_once() {
    let place = Place::new();
    let _house = place.house();
    let told = place.chorus(&["jobs", "submit", "demo.fail", "--wait", "--json"]);
    let job = told.is(1).json();
    let id = job["id"].as_str().unwrap();
    assert_eq!(job["status"], "parked");
    let watched = place.chorus(&["jobs", "watch", id]).is(1);
    assert!(
        watched.err.contains("try: chorus dead-letters replay"),
        "{}",
        watched.err
    );
    place.chorus(&["jobs", "cancel", id, "--json"]).is(0).json();
    let ended = place.chorus(&["jobs", "get", id, "--wait", "--json"]).is(1);
    assert_eq!(ended.json()["status"], "canceled");
}

#[test]
fn what_cannot_be_done_is_refused_with_a_way_out() {
    let place = Place::new();
    let _house = place.house();
    for arguments in [
        &["jobs", "submit", "no.such"][..],
        &["jobs", "submit", "demo.pair", "--input", "{"],
        &["jobs", "get", "00000000-0000-0000-0000-000000000000"],
        &["jobs", "get", "no-id"],
        &["jobs", "list", "--status", "odd"],
    ] {
        let refused = place.chorus(arguments).is(2);
        assert!(refused.err.contains("error: "), "{}", refused.err);
    }
}
