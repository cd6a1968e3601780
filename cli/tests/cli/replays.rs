//! `chorus replays`.

use crate::support::{Place, until};

#[test]
fn letters_are_replayed_together_and_watched() {
    let place = Place::new();
    let _house = place.house();
    let none = place.chorus(&["replays", "list"]).is(0);
    assert!(none.out.contains("No replays."), "{}", none.out);
    for _ in 0..2 {
        place
            .chorus(&["jobs", "submit", "demo.fail", "--wait"])
            .is(1);
    }
    let all = ["replays", "start", "--kind", "demo.fail"];
    place.chorus(&all[..2]).is(2); // which letters?
    let dry = place.chorus(&[&all[..], &["--dry-run"]].concat()).is(0);
    assert!(
        dry.out.contains("2 letters would be replayed"),
        "{}",
        dry.out
    );
    assert!(dry.out.contains("2 × demo.stumble"), "{}", dry.out);
    // It fails for good, so the first that is tried fails again.
    let watched = place
        .chorus(&[&all[..], &["--watch", "--json"]].concat())
        .is(1);
    let last = watched.lines().pop().unwrap();
    assert_eq!(
        (&last["status"], &last["counts"]["dead_again"]),
        (&"stopped".into(), &1.into())
    );
    let id = last["id"].as_str().unwrap();
    let shown = place.chorus(&["replays", "show", id]).is(0).out;
    assert!(
        shown.contains("1 of the 1 tried first failed again"),
        "{shown}"
    );
    place.chorus(&["replays", "watch", id]).is(1);
    let slow = [&all[..], &["--rate", "0.01", "--canary", "0", "--json"]].concat();
    let id = place.chorus(&slow).is(0).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let steer = |verb: &str| place.chorus(&["replays", verb, &id, "--json"]).is(0).json();
    assert_eq!(steer("pause")["status"], "paused");
    assert_eq!(steer("resume")["status"], "running");
    steer("stop");
    until("it has stopped", || {
        let told = place
            .chorus(&["replays", "show", &id, "--json"])
            .is(0)
            .json();
        (told["status"] == "stopped").then_some(())
    });
    place.chorus(&["replays", "pause", &id]).is(2);
    let bad = place.chorus(&[&all[..], &["--rate", "0"]].concat()).is(2);
    assert!(bad.err.contains("rate_per_s"), "{}", bad.err);
}
