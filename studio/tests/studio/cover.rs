//! Covers.

use std::collections::HashSet;

use studio::{Cover, cover};

const TITLE: &str = "What would make getting around by bike work better for everyone here?";

fn drawn(seed: u64, title: &str, keywords: &[&str]) -> Vec<u8> {
    let keywords: Vec<String> = keywords.iter().map(|&word| word.to_owned()).collect();
    let cover = cover(
        &Cover {
            seed,
            title,
            keywords: &keywords,
        },
        128,
    );
    assert_eq!((cover.width(), cover.height()), (128, 128));
    assert!(cover.rgba().chunks(4).all(|pixel| pixel[3] == 255));
    cover.rgba().to_vec()
}

#[test]
fn the_same_cover_gives_the_same_bytes() {
    assert_eq!(drawn(7, TITLE, &["bike"]), drawn(7, TITLE, &["bike"]));
}

#[test]
fn every_seed_is_another_street() {
    let streets: HashSet<Vec<u8>> = (0..40).map(|seed| drawn(seed, TITLE, &[])).collect();
    assert_eq!(streets.len(), 40);
}

#[test]
fn the_question_and_its_words_are_written_on_it() {
    let plain = drawn(7, TITLE, &[]);
    assert_ne!(plain, drawn(7, "How should we use the old mill?", &[]));
    assert_ne!(plain, drawn(7, TITLE, &["bike", "lane"]));
}

#[test]
fn any_title_is_drawn() {
    let long = format!("{}?", "unbreakable".repeat(30));
    for title in [
        "",
        " ",
        "?",
        &long,
        &"many words ".repeat(18),
        "どうすれば町が良くなる？",
        "\u{202e}x\n\t",
    ] {
        drawn(3, title, &["", "とても長い", &long]);
    }
}

#[test]
#[ignore = "draws covers to be looked at, into the folder COVERS"]
fn covers_to_be_looked_at() {
    let folder = std::env::var("COVERS").expect("a folder to draw into");
    let keywords = ["bike", "lane", "cars"].map(str::to_owned);
    for seed in 0..6 {
        let cover = cover(
            &Cover {
                seed,
                title: TITLE,
                keywords: &keywords,
            },
            512,
        );
        std::fs::write(format!("{folder}/{seed}.png"), cover.png()).expect("it can be written");
    }
}
