//! `chorus demo`.

use crate::support::Place;
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("../../samples/friends.json");

#[test]
fn the_demo_makes_a_persona_and_leaves_its_pictures() {
    let place = Place::new();
    let told = place.chorus(&["demo"]).is(0);
    for name in ["portrait", "card"] {
        let file = place.path(&format!("chorus-demo-{name}.png"));
        let png = std::fs::read(&file).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{}", file.display());
    }
    let (_, after) = told.out.split_once("http://127.0.0.1:").unwrap();
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    assert!(
        told.out
            .contains(&format!("http://127.0.0.1:{port}/api/v1/surveys/")),
        "the survey's link leads to where the demo listens: {}",
        told.out
    );
    assert!(told.out.contains("Next: "), "{}", told.out);
}

#[test]
fn answers_of_ones_own_are_used() {
    let place = Place::new();
    let mut own: Value = serde_json::from_str(SAMPLE).unwrap();
    own["title"] = json!("Who is Ada?");
    std::fs::write(place.path("own.json"), own.to_string()).unwrap();
    let told = place.chorus(&["demo", "--answers", "own.json"]).is(0);
    assert!(told.out.contains("Who is Ada?"), "{}", told.out);
}

#[test]
fn a_file_that_is_missing_or_wrong_is_named_with_its_field() {
    let place = Place::new();
    let none = place.chorus(&["demo", "--answers", "none.json"]).is(2);
    assert!(
        none.err.contains("none.json: cannot be read") && none.err.contains("\ntry: "),
        "{}",
        none.err
    );
    let mut wrong: Value = serde_json::from_str(SAMPLE).unwrap();
    wrong["friends"][1]["answers"]["c1"] = json!(9);
    for (text, named) in [
        ("{".to_owned(), "is not JSON"),
        ("{}".to_owned(), "friends: is missing"),
        (wrong.to_string(), "friends[1].answers.c1"),
    ] {
        std::fs::write(place.path("wrong.json"), text).unwrap();
        let told = place.chorus(&["demo", "--answers", "wrong.json"]).is(2);
        assert!(told.err.contains(named), "no {named}: {}", told.err);
    }
}

#[test]
fn the_demo_of_topics_makes_three_discussions_and_leaves_their_covers() {
    let place = Place::new();
    let told = place.chorus(&["demo", "topics"]).is(0);
    for at in 1..=3 {
        let file = place.path(&format!("chorus-demo-topic-{at}.png"));
        let png = std::fs::read(&file).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{}", file.display());
    }
    for ideas in [
        "11 ideas",
        "9 ideas",
        "8 ideas",
        "39 were taken up, 11 are live again",
    ] {
        assert!(told.out.contains(ideas), "{ideas} in {}", told.out);
    }
    place
        .chorus(&["demo", "topics", "--answers", "own.json"])
        .is(2);
}
