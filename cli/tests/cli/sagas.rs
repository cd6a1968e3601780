//! `chorus sagas`, `chorus why` and `chorus audit`.

use crate::support::Place;

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
