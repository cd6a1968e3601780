//! `chorus dead-letters`.

use crate::support::{Place, until};
use serde_json::Value;

fn open(place: &Place) -> Vec<Value> {
    let list = place.chorus(&["dead-letters", "list", "--json"]);
    list.is(0).lines()
}

#[test]
fn a_letter_is_shown_replayed_and_discarded() {
    let place = Place::new();
    let _house = place.house();
    let none = place.chorus(&["dead-letters", "list"]).is(0);
    assert!(none.out.contains("No dead letters."), "{}", none.out);
    let told = place.chorus(&["jobs", "submit", "demo.fail", "--wait", "--json"]);
    let job = told.is(1).json();
    let letters = open(&place);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["id"], job["dead_letter"]);
    let first = letters[0]["id"].as_str().unwrap().to_owned();
    let list = place.chorus(&["dead-letters", "list"]).is(0).out;
    assert!(
        list.contains(&first) && list.contains("demo.stumble"),
        "{list}"
    );
    let groups = place.chorus(&["dead-letters", "groups"]).is(0).out;
    let group = letters[0]["group"].as_str().unwrap();
    assert!(
        groups.contains("1 × demo.stumble") && groups.contains(&format!("--group {group}")),
        "{groups}"
    );
    let groups = place.chorus(&["dead-letters", "groups", "--by", "step", "--json"]);
    assert_eq!(groups.is(0).json()["key"], "demo.stumble");
    let of_group = ["dead-letters", "list", "--group", group, "--json"];
    assert_eq!(place.chorus(&of_group).is(0).lines(), letters);
    let of_text = ["dead-letters", "list", "--text", "no such words", "--json"];
    assert!(place.chorus(&of_text).is(0).lines().is_empty());
    let of_none = ["dead-letters", "list", "--group", "of-none", "--json"];
    assert!(place.chorus(&of_none).is(0).lines().is_empty());
    let shown = place.chorus(&["dead-letters", "show", &first]).is(0).out;
    assert!(
        shown.contains("try: chorus dead-letters replay") && shown.contains("saga.parked"),
        "{shown}"
    );
    assert!(
        shown.contains("  failed  "),
        "who tried, and what came of it: {shown}"
    );
    let json = place.chorus(&["dead-letters", "show", &first, "--json"]);
    assert_eq!(json.is(0).json()["state"], "open");

    let replay = ["dead-letters", "replay", &first, "--reason", "once more"];
    let replayed = place.chorus(&replay).is(0);
    assert!(
        replayed.out.contains("chorus jobs watch"),
        "{}",
        replayed.out
    );
    place.chorus(&replay).is(2);
    let second = until("it gives up again", || {
        let letters = open(&place);
        let letter = letters.first()?["id"].as_str()?.to_owned();
        (letter != first).then_some(letter)
    });
    let discard = ["dead-letters", "discard", &second, "--json"];
    assert_eq!(place.chorus(&discard).is(0).json()["state"], "discarded");
    let id = job["id"].as_str().unwrap();
    let ended = place.chorus(&["jobs", "get", id, "--wait", "--json"]).is(1);
    assert_eq!(ended.json()["status"], "failed");
    let all = ["dead-letters", "list", "--state", "all", "--json"];
    assert_eq!(place.chorus(&all).is(0).lines().len(), 2);
    let one = ["dead-letters", "list", "--state", "all", "--limit", "1"];
    let told = place.chorus(&one).is(0).out;
    let (_, cursor) = told
        .trim_end()
        .rsplit_once("There are more: --cursor ")
        .unwrap();
    let rest = [&one[..], &["--cursor", cursor, "--json"]].concat();
    assert_eq!(place.chorus(&rest).is(0).json()["id"], first);
}

#[test]
fn a_letter_is_looked_at_noted_skipped_and_restored() {
    let place = Place::new();
    let _house = place.house();
    let submit = || {
        let told = place.chorus(&["jobs", "submit", "demo.fail", "--wait", "--json"]);
        told.is(1).json()["dead_letter"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = submit();
    let group = open(&place)[0]["group"].as_str().unwrap().to_owned();
    let note = ["dead-letters", "note", &group, "ticket 4711"];
    assert!(place.chorus(&note).is(0).out.contains("Noted."));
    let groups = place.chorus(&["dead-letters", "groups"]).is(0).out;
    assert!(groups.contains("ticket 4711"), "{groups}");
    place.chorus(&["dead-letters", "note", &group]).is(0);

    let replay = ["dead-letters", "replay", &first, "--dry-run"];
    let looked = place.chorus(&replay).is(0).out;
    assert!(
        looked.contains("demo.stumble#1 runs") && looked.contains("Nothing was done."),
        "{looked}"
    );
    let start = [
        "dead-letters",
        "replay",
        &first,
        "--from",
        "start",
        "--dry-run",
        "--json",
    ];
    assert_eq!(place.chorus(&start).is(0).json()["mode"], "new_job");
    let edit = [
        "dead-letters",
        "replay",
        &first,
        "--edit",
        "{\"spoons\": 1}",
    ];
    let wrong = place.chorus(&edit).is(2);
    assert!(wrong.err.contains("spoons"), "{}", wrong.err);
    let skip = ["dead-letters", "skip", &first, "--output", "null"];
    place.chorus(&skip).is(2);
    let skipped = place.chorus(&[&skip[..], &["--reason", "by hand", "--json"]].concat());
    let job = skipped.is(0).json()["job_id"].as_str().unwrap().to_owned();
    place.chorus(&["jobs", "get", &job, "--wait"]).is(0);

    let second = submit();
    place.chorus(&["dead-letters", "discard", &second]).is(0);
    let restore = ["dead-letters", "restore", &second, "--json"];
    let restored = until("it is undone", || {
        let ended = place.chorus(&restore);
        (ended.code == 0).then(|| ended.json())
    });
    assert_eq!(restored["mode"], "new_job");
    place.chorus(&restore).is(2);
    let shown = place.chorus(&["dead-letters", "show", &second]).is(0).out;
    assert!(
        shown.contains(restored["job_id"].as_str().unwrap()),
        "{shown}"
    );
}
