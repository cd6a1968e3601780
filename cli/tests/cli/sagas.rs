//! `chorus sagas`, `chorus why` and `chorus audit`.

use crate::support::{Place, until};

#[test]
fn a_saga_is_found_explained_and_canceled_and_the_audit_knows() {
    let place = Place::new();
    let _house = place.house();
    let none = place.chorus(&["sagas", "list"]).is(0);
    assert!(none.out.contains("No saga is like that."), "{}", none.out);
    let none = place.chorus(&["audit", "list"]).is(0);
    assert!(none.out.contains("Nobody has decided"), "{}", none.out);
    let told = place.chorus(&["jobs", "submit", "demo.fail", "--wait", "--json"]);
    let job = told.is(1).json();
    let id = job["id"].as_str().unwrap();
    let letter = job["dead_letter"].as_str().unwrap();

    let list = ["sagas", "list", "--state", "parked", "--older-than", "0s"];
    let listed = place.chorus(&list).is(0).out;
    assert!(
        listed.contains(id) && listed.contains("demo.fail"),
        "{listed}"
    );
    let listed = place.chorus(&["sagas", "list", "--kind", "demo.fail", "--json"]);
    assert_eq!(listed.is(0).json()["id"], id);
    let wrong = place.chorus(&["sagas", "list", "--state", "odd"]).is(2);
    assert!(wrong.err.contains("live"), "{}", wrong.err);

    let shown = place.chorus(&["sagas", "show", id]).is(0).out;
    assert!(
        shown.contains("demo.stumble#1") && shown.contains(letter),
        "{shown}"
    );
    let shown = place.chorus(&["sagas", "show", id, "--json"]).is(0).json();
    assert_eq!(shown["steps"][0]["state"], "failed");
    let why = place.chorus(&["why", id]).is(0).out;
    let remedy = format!("chorus dead-letters replay {letter}");
    assert!(why.contains("parked") && why.contains(&remedy), "{why}");
    let why = place.chorus(&["why", id, "--json"]).is(0).json();
    assert_eq!(
        (&why["code"], &why["letter"]),
        (&"parked".into(), &letter.into())
    );

    place.chorus(&["sagas", "cancel", id]).is(2);
    let cancel = ["sagas", "cancel", id, "--reason", "only a demo", "--json"];
    assert_eq!(place.chorus(&cancel).is(0).json()["id"], id);
    let ended = place.chorus(&["jobs", "get", id, "--wait", "--json"]).is(1);
    assert_eq!(ended.json()["status"], "canceled");
    let audit = place.chorus(&["audit", "list", "--target", id, "--json"]);
    let decided = audit.is(0).json();
    assert_eq!(
        (&decided["verb"], &decided["reason"]),
        (&"saga.cancel".into(), &"only a demo".into())
    );
    let audit = place.chorus(&["audit", "list"]).is(0).out;
    assert!(
        audit.contains("saga.cancel") && audit.contains("only a demo"),
        "{audit}"
    );
}

#[test]
fn a_saga_is_held_and_a_step_of_it_is_answered_for() {
    let place = Place::new();
    let _house = place.house();
    let told = place.chorus(&["jobs", "submit", "demo.fail", "--wait", "--json"]);
    let job = told.is(1).json();
    let id = job["id"].as_str().unwrap();
    let stands = place
        .chorus(&["sagas", "pause", id, "--reason", "wait"])
        .is(2);
    assert!(
        stands.err.contains("stands still already"),
        "{}",
        stands.err
    );
    let skip = ["sagas", "skip-step", id, "--reason", "by hand", "--force"];
    let looked = place.chorus(&[&skip[..], &["--dry-run"]].concat()).is(0);
    assert!(
        looked.out.contains("parked → succeeded") && looked.out.contains("Nothing was done."),
        "{}",
        looked.out
    );
    let wrong = place
        .chorus(&[&skip[..], &["--output", "7"]].concat())
        .is(2);
    assert!(wrong.err.contains("/output"), "{}", wrong.err);
    let no_json = place
        .chorus(&[&skip[..], &["--output", "yes"]].concat())
        .is(2);
    assert!(no_json.err.contains("no JSON"), "{}", no_json.err);
    let skipped = place
        .chorus(&[&skip[..], &["--json"]].concat())
        .is(0)
        .json();
    assert_eq!(skipped["consequence"]["was"], "parked");
    place.chorus(&["jobs", "get", id, "--wait"]).is(0);

    let pause = ["queues", "pause", "synthesis", "--reason", "a quiet hour"];
    place.chorus(&pause).is(0);
    // The worker hears of it within a second or two, and a saga that has ended cannot be held.
    let other = until("one is held", || {
        let other = place.chorus(&["jobs", "submit", "demo.pair", "--json"]);
        let other = other.is(0).json()["id"].as_str()?.to_owned();
        let command = ["sagas", "pause", &other, "--json"];
        let held = place.chorus(&[&command[..], &["--reason", "the owner called"]].concat());
        let queued = held.code == 0 && held.json()["consequence"]["was"] == "queued";
        queued.then_some(other)
    });
    place.chorus(&["queues", "resume", "synthesis"]).is(0);
    let why = place.chorus(&["why", &other]).is(0).out;
    assert!(
        why.contains("paused") && why.contains("the owner called"),
        "{why}"
    );
    let resumed = place.chorus(&["sagas", "resume", &other]).is(0).out;
    assert!(resumed.contains("runs"), "{resumed}");
    place.chorus(&["jobs", "get", &other, "--wait"]).is(0);
    let over = place.chorus(&["sagas", "retry-step", &other]).is(2);
    assert!(over.err.contains("has ended"), "{}", over.err);
}
