//! `chorus round` and `chorus topics`.

use crate::support::Place;

#[test]
fn a_round_of_an_empty_pool_is_empty_and_says_so() {
    let place = Place::new();
    let _house = place.house();
    let none = place.chorus(&["rounds", "list"]).is(0);
    assert!(none.out.contains("chorus round start"), "{none:?}");
    let none = place.chorus(&["topics", "list"]).is(0);
    assert!(none.out.contains("chorus round start"), "{none:?}");

    let ended = place.chorus(&["round", "start", "--wait", "--json"]).is(0);
    let job = ended.json();
    assert_eq!(
        (&job["kind"], &job["done"]),
        (&"topic.round".into(), &true.into())
    );
    let listed = place.chorus(&["rounds", "list", "--json"]).is(0).lines();
    assert_eq!(listed.len(), 1);
    let round = &listed[0];
    assert_eq!(
        (&round["id"], &round["state"]),
        (&job["id"], &"empty".into())
    );
    assert_eq!(
        (&round["trigger"], &round["note"]),
        (&"cli".into(), &"no live submissions".into())
    );
    let id = round["id"].as_str().unwrap();
    let shown = place.chorus(&["rounds", "show", id]).is(0);
    assert!(
        shown.out.contains("empty") && shown.out.contains("no live submissions"),
        "{shown:?}"
    );
    place.chorus(&["rounds", "clusters", id]).is(0);

    let refused = place
        .chorus(&["round", "start", "--max-topics", "11"])
        .is(2);
    assert!(refused.err.contains("max_topics"), "{refused:?}");
}
