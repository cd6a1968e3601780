//! How two personas get along, worked out by hand.

use domain::mirror::archetype::Archetype;
use domain::mirror::compatibility::{Label, compatibility};
use domain::mirror::statistics::Stats;

fn even(value: u8) -> Stats {
    Stats {
        charisma: value,
        intellect: value,
        kindness: value,
        energy: value,
    }
}

/// A sage against a leader: neither the same nor a pair.
fn score(one: Stats, other: Stats) -> u8 {
    compatibility((one, Archetype::Sage), (other, Archetype::Leader)).score
}

#[test]
fn the_score_is_100_less_the_mean_distance() {
    assert_eq!(score(even(50), even(50)), 100);
    assert_eq!(score(even(20), even(70)), 50);
    assert_eq!(score(even(0), even(100)), 0);
    // distances 1 0 0 0, mean 0.25: 99.75 → 100; 2 0 0 0, mean 0.5: 99.5 → 100; 3: 99.25 → 99
    for (charisma, expected) in [(51, 100), (52, 100), (53, 99)] {
        let other = Stats {
            charisma,
            ..even(50)
        };
        assert_eq!(score(even(50), other), expected);
    }
}

#[test]
fn the_same_archetype_adds_5_and_a_pair_10() {
    let between = |one, other| compatibility((even(20), one), (even(50), other)).score;
    assert_eq!(between(Archetype::Sage, Archetype::Leader), 70);
    assert_eq!(between(Archetype::Sage, Archetype::Sage), 75);
    assert_eq!(between(Archetype::Sage, Archetype::Trickster), 80);
}

#[test]
fn the_score_never_passes_100() {
    let same = (even(50), Archetype::Sage);
    assert_eq!(compatibility(same, same).score, 100);
}

#[test]
fn each_label_begins_at_its_score() {
    let label = |distance| {
        let one = (even(0), Archetype::Sage);
        compatibility(one, (even(distance), Archetype::Leader)).label
    };
    assert_eq!(label(20), Label::Harmonic); // 80
    assert_eq!(label(21), Label::Balanced);
    assert_eq!(label(40), Label::Balanced); // 60
    assert_eq!(label(41), Label::Challenging);
    assert_eq!(label(60), Label::Challenging); // 40
    assert_eq!(label(61), Label::Mirror);
}

#[test]
fn both_sides_see_the_same() {
    for one in Archetype::ALL {
        for other in Archetype::ALL {
            let (a, b) = ((even(30), one), (even(85), other));
            assert_eq!(compatibility(a, b), compatibility(b, a));
        }
    }
}
