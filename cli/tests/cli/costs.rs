//! `chorus costs` and `chorus limits`.

use crate::support::{Place, until};
use serde_json::json;

#[test]
fn limits_are_told_set_and_left_to_the_settings_again() {
    let place = Place::new();
    let _house = place.house();
    let told = place.chorus(&["limits"]).is(0).out;
    assert!(
        told.contains("no bound") && told.contains("today     0.00 USD"),
        "{told}"
    );
    let set = [
        "limits",
        "set",
        "--account",
        "0.5",
        "--all",
        "20",
        "--reason",
        "a trial",
        "--json",
    ];
    let set = place.chorus(&set).is(0).json();
    assert_eq!(set["items"][1]["cap_usd"], "0.50");
    let told = place.chorus(&["limits"]).is(0).out;
    for part in [
        "0.50 USD a day",
        "20.00 USD a day",
        "set by you@localhost",
        "a trial",
    ] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    let back = place.chorus(&["limits", "set", "--all", "default", "--json"]);
    assert_eq!(back.is(0).json()["items"][2]["cap_usd"], json!(null));
    let wrong = place.chorus(&["limits", "set", "--all", "much"]).is(2);
    assert!(wrong.err.contains("2.50"), "{}", wrong.err);
    place.chorus(&["limits", "set"]).is(2);
}

#[test]
fn costs_are_added_up_by_what_is_asked_for() {
    let place = Place::new();
    let _house = place.house();
    let told = place
        .chorus(&["costs", "--by", "model", "--json"])
        .is(0)
        .json();
    assert_eq!((&told["by"], &told["items"]), (&json!("model"), &json!([])));
    assert_eq!(told["total"]["cost_usd"], "0.00");
    let told = place.chorus(&["costs"]).is(0).out;
    assert!(told.contains("tokens in") && told.contains("all"), "{told}");
    place.chorus(&["costs", "--by", "hour"]).is(2);
    let wrong = place.chorus(&["costs", "--from", "soon"]).is(2);
    assert!(wrong.err.contains("query"), "{}", wrong.err);
}

#[tokio::test]
async fn calls_of_models_are_listed_page_by_page() {
    let place = Place::new();
    let _house = place.house();
    let none = place.chorus(&["ai-requests", "list"]).is(0).out;
    assert!(none.contains("No model was called"), "{none}");
    place.forge().await;
    let list = ["ai-requests", "list", "--json", "--limit", "1"];
    let page = until("two calls are answered", || {
        let page = place.chorus(&list).is(0).lines();
        (page.len() == 2 && page[0]["purpose"] == "image").then_some(page)
    });
    assert_eq!(
        (&page[0]["provider"], &page[0]["cache_hit"]),
        (&json!("local"), &json!(false))
    );
    let cursor = page[1]["next_cursor"].as_str().unwrap();
    let rest = place.chorus(&[&list[..], &["--cursor", cursor]].concat());
    let rest = rest.is(0).lines();
    assert_eq!((rest.len(), &rest[0]["purpose"]), (1, &json!("persona")));
    let told = place.chorus(&["ai-requests", "list", "--purpose", "persona"]);
    let told = told.is(0).out;
    assert!(told.contains("local/phrasebook/1 for persona"), "{told}");
    let wrong = place
        .chorus(&["ai-requests", "list", "--status", "odd"])
        .is(2);
    assert!(wrong.err.contains("processing"), "{}", wrong.err);
}
