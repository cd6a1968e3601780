//! `chorus workers` and `chorus queues`.

use crate::support::{Place, until};

#[test]
fn the_house_shows_its_worker_and_ends_when_that_is_asked_to_leave() {
    let place = Place::new();
    let house = place.house();
    let worker = until("the worker shows itself", || {
        let list = place.chorus(&["workers", "--json"]).is(0).lines();
        list.into_iter().next()
    });
    assert_eq!(
        worker["queues"],
        serde_json::json!(["synthesis", "image", "delivery"])
    );
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
        let worked = [
            &synthesis["consumers"],
            &synthesis["ready"],
            &synthesis["done_per_minute"],
        ];
        (worked == [1, 0, 2]).then_some(())
    });
    let table = place.chorus(&["queues"]).is(0).out;
    assert!(
        table.contains("done/min") && table.contains("delivery"),
        "{table}"
    );

    let unknown = place.chorus(&["workers", "drain", "no body/?"]).is(2);
    assert!(unknown.err.contains("no such worker"), "{}", unknown.err);
    let drained = place.chorus(&["workers", "drain", id, "--json"]).is(0);
    assert_eq!(drained.json()["state"], "draining");
    let ended = house.ended().is(0);
    assert!(ended.out.contains("Stopped."), "{}", ended.out);
}
