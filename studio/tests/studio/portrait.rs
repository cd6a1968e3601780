//! Portraits.

use std::collections::HashSet;

use studio::{Look, Stats, portrait};

use crate::support::{ARCHETYPES, look};

#[test]
fn the_same_look_gives_the_same_bytes() {
    let look = look(42, "artist");

    let (first, second) = (portrait(&look, 256).png(), portrait(&look, 256).png());

    assert_eq!(first, second);
}

#[test]
fn every_seed_is_another_person() {
    let faces: HashSet<Vec<u8>> = (0..40)
        .map(|seed| portrait(&look(seed, "sage"), 64).rgba().to_vec())
        .collect();

    assert_eq!(faces.len(), 40);
}

#[test]
fn every_archetype_mood_and_rarity_draws_an_opaque_square() {
    let moods = [0, 50, 100, 255].map(|stat| Stats {
        charisma: stat,
        intellect: stat,
        kindness: stat,
        energy: stat,
    });
    let mut drawn = HashSet::new();
    for archetype in ARCHETYPES {
        for (mood, rarity) in moods
            .into_iter()
            .zip(["common", "rare", "epic", "legendary"])
        {
            let look = Look {
                stats: mood,
                rarity: rarity.to_owned(),
                ..look(9, archetype)
            };

            let picture = portrait(&look, 96);

            assert_eq!((picture.width(), picture.height()), (96, 96));
            assert!(picture.rgba().chunks(4).all(|pixel| pixel[3] == 255));
            drawn.insert(picture.rgba().to_vec());
        }
    }
    assert_eq!(drawn.len(), 32);
}

#[test]
fn three_hundred_people_are_drawn_without_a_stumble() {
    for seed in 0..300 {
        let archetype = ARCHETYPES[usize::try_from(seed % 8).unwrap()];

        let picture = portrait(&look(seed * 31, archetype), 32);

        assert_eq!(picture.width(), 32);
    }
}

#[test]
fn unknown_words_and_odd_sizes_still_draw() {
    let look = Look {
        rarity: "mythic".to_owned(),
        ..look(1, "wizard")
    };

    assert_eq!(portrait(&look, 0).width(), 16);
    assert_eq!(portrait(&look, 333).height(), 333);
}

#[test]
fn traits_bring_other_details() {
    let plain = look(5, "leader");
    let other = Look {
        traits: vec!["stubborn".to_owned()],
        ..plain.clone()
    };

    assert_ne!(portrait(&plain, 64), portrait(&other, 64));
}
