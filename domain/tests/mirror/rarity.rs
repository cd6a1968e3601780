//! How unusual a persona is, worked out by hand.

use domain::mirror::archetype::Mode;
use domain::mirror::rarity::{Rarity, Score};
use domain::mirror::statistics::Stats;

use crate::support::{sample, scales};

const EVEN: Stats = Stats {
    charisma: 50,
    intellect: 50,
    kindness: 50,
    energy: 50,
};

#[test]
fn the_demo_is_epic() {
    // stats 63 85 96 46, mean 72.5; 0.7 × (96 − 72.5) = 16.45
    // energy means 1.5, 5, 2: mean 2.833, deviations −1.333, 2.167, −0.833,
    // squares 1.778 + 4.694 + 0.694 = 7.167, / 3 = 2.389, sd 1.546 ≥ 1.25: 30
    // three friends: floor(log2 3) = 1, 7 × 1 = 7; together 53.45
    let friends = sample();
    let stats = Stats::from_answers(&friends);
    let score = Score::of(stats, &friends);
    assert_eq!(
        score,
        Score {
            concentration: 16_450,
            disagreement: 30_000,
            crowd: 7_000
        }
    );
    assert_eq!(Rarity::of(stats, &friends, Mode::Fated), Rarity::Epic);
    assert_eq!(Rarity::of(stats, &friends, Mode::Alchemic), Rarity::Epic);
}

#[test]
fn concentration_grows_by_seven_tenths_and_stops_at_35() {
    let concentration = |charisma| {
        let stats = Stats { charisma, ..EVEN };
        Score::of(stats, &[]).concentration
    };
    assert_eq!(concentration(50), 0); // 50 − 50
    assert_eq!(concentration(51), 525); // mean 50.25, 0.7 × 0.75
    assert_eq!(concentration(90), 21_000); // mean 60, 0.7 × 30
    let lone = Stats {
        charisma: 100,
        intellect: 0,
        kindness: 0,
        energy: 0,
    };
    assert_eq!(Score::of(lone, &[]).concentration, 35_000); // mean 25, 0.7 × 75 = 52.5
}

#[test]
fn disagreement_begins_at_a_deviation_of_exactly_one_and_a_quarter() {
    let disagreement = |one: [u8; 2], other: [u8; 2]| {
        let [a, b] = [one, other].map(|k| scales([3, 3, 3, 3, k[0], k[1], 3, 3]));
        Score::of(EVEN, &[a, b]).disagreement
    };
    // of two friends the deviation is half the distance of their means
    assert_eq!(disagreement([5, 5], [2, 3]), 30_000); // 5.0 and 2.5: 1.25
    assert_eq!(disagreement([5, 5], [3, 3]), 0); // 5.0 and 3.0: 1.0
    assert_eq!(disagreement([4, 4], [4, 4]), 0);
    assert_eq!(disagreement([1, 1], [5, 5]), 30_000); // 1.0 and 5.0: 2.0
    assert_eq!(disagreement([1, 5], [5, 1]), 0); // 3.0 and 3.0: their own doubts do not count
}

#[test]
fn one_friend_cannot_disagree() {
    assert_eq!(
        Score::of(EVEN, &[scales([1, 5, 1, 5, 1, 5, 1, 5])]).disagreement,
        0
    );
}

#[test]
fn a_crowd_counts_in_doublings_up_to_35() {
    for (n, crowd) in [
        (0, 0),
        (1, 0),
        (2, 7),
        (3, 7),
        (4, 14),
        (7, 14),
        (8, 21),
        (16, 28),
        (31, 28),
        (32, 35),
        (200, 35),
    ] {
        let friends = vec![scales([3; 8]); n];
        assert_eq!(Score::of(EVEN, &friends).crowd, crowd * 1000, "{n} friends");
    }
}

#[test]
fn each_rarity_begins_exactly_at_its_points() {
    let rarity = |points| {
        let score = Score {
            concentration: points,
            disagreement: 0,
            crowd: 0,
        };
        score.rarity()
    };
    assert_eq!(rarity(29_999), Rarity::Common);
    assert_eq!(rarity(30_000), Rarity::Rare);
    assert_eq!(rarity(49_999), Rarity::Rare);
    assert_eq!(rarity(50_000), Rarity::Epic);
    assert_eq!(rarity(69_999), Rarity::Epic);
    assert_eq!(rarity(70_000), Rarity::Legendary);
    assert_eq!(rarity(100_000), Rarity::Legendary);
}

#[test]
fn practice_stays_common() {
    let friends = [scales([5; 8]), scales([5, 5, 5, 5, 5, 5, 1, 1])];
    let lone = Stats {
        charisma: 100,
        intellect: 0,
        kindness: 0,
        energy: 0,
    };
    assert_eq!(Rarity::of(lone, &friends, Mode::Fated), Rarity::Legendary); // 35 + 30 + 7
    assert_eq!(Rarity::of(lone, &friends, Mode::Practice), Rarity::Common);
}
