//! The four numbers, worked out by hand.

use domain::mirror::statistics::{Stat, Stats};

use crate::support::{choices, friend, sample, scales, scales_json};

#[test]
fn the_demo_adds_up() {
    // charisma   4+3 3+4 4+3 = 21, mean 3.5,    25 × 2.5    = 62.5  → 63, no choice      → 63
    // intellect  4+5 5+4 4+4 = 26, mean 4.333…, 25 × 3.333… = 83.33 → 83,
    //            1 planner + 1 quieter of 3: 3 × 2 / 3 = 2                              → 85
    // kindness   5+5 4+5 5+4 = 28, mean 4.666…, 25 × 3.666… = 91.67 → 92,
    //            2 calmer + 2 listeners of 3: 3 × 4 / 3 = 4                             → 96
    // energy     2+1 5+5 2+2 = 17, mean 2.833…, 25 × 1.833… = 45.83 → 46, no choice      → 46
    let stats = Stats::from_answers(&sample());
    assert_eq!(
        stats,
        Stats {
            charisma: 63,
            intellect: 85,
            kindness: 96,
            energy: 46
        }
    );
}

#[test]
fn the_scale_runs_from_0_over_50_to_100() {
    for (answer, value) in [(1, 0), (2, 25), (3, 50), (4, 75), (5, 100)] {
        let stats = Stats::from_answers(&[scales([answer; 8])]);
        for stat in Stat::ALL {
            assert_eq!(stats.get(stat), value);
        }
    }
}

#[test]
fn halves_round_away_from_zero() {
    // 3+4 = 7, mean 3.5, 25 × 2.5 = 62.5 → 63; 1+2 = 3, mean 1.5, 25 × 0.5 = 12.5 → 13
    let stats = Stats::from_answers(&[scales([3, 4, 1, 2, 1, 1, 1, 1])]);
    assert_eq!((stats.charisma, stats.intellect), (63, 13));
}

#[test]
fn each_choice_speaks_for_one_stat() {
    let pressures = [
        ("calmer", Stat::Kindness),
        ("faster", Stat::Energy),
        ("louder", Stat::Charisma),
        ("quieter", Stat::Intellect),
    ];
    let groups = [
        ("planner", Stat::Intellect),
        ("joker", Stat::Charisma),
        ("listener", Stat::Kindness),
        ("spark", Stat::Energy),
        ("critic", Stat::Intellect),
    ];
    for (pressure, first) in pressures {
        for (group, second) in groups {
            let stats = Stats::from_answers(&[choices([3; 8], pressure, group)]);
            for stat in Stat::ALL {
                let expected = 50 + 3 * u8::from(stat == first) + 3 * u8::from(stat == second);
                assert_eq!(stats.get(stat), expected, "{pressure} {group} {stat:?}");
            }
        }
    }
}

#[test]
fn choices_are_averaged_over_everybody() {
    // one calmer friend of n adds 3/n: 3, 1.5 → 2, 1, 0.75 → 1, 0.6 → 1, 0.5 → 1, 0.43 → 0
    for (n, bonus) in [(1, 3), (2, 2), (3, 1), (4, 1), (5, 1), (6, 1), (7, 0)] {
        let mut given = scales_json([3; 8]);
        given["p1"] = serde_json::json!("calmer");
        let mut friends = vec![friend(&given)];
        friends.resize(n, scales([3; 8]));
        assert_eq!(Stats::from_answers(&friends).kindness, 50 + bonus, "{n}");
    }
}

#[test]
fn a_stat_stops_at_100() {
    let stats = Stats::from_answers(&[choices([5; 8], "calmer", "listener")]);
    assert_eq!(stats.kindness, 100); // 100 + 6
}

#[test]
fn nobody_at_all_is_in_the_middle() {
    for stat in Stat::ALL {
        assert_eq!(Stats::from_answers(&[]).get(stat), 50);
    }
}

#[test]
fn equal_stats_rank_in_their_own_order() {
    let equal = Stats {
        charisma: 50,
        intellect: 50,
        kindness: 50,
        energy: 50,
    };
    assert_eq!(equal.ranked(), Stat::ALL);
    let mixed = Stats {
        energy: 90,
        kindness: 70,
        ..equal
    };
    let expected = [
        Stat::Energy,
        Stat::Kindness,
        Stat::Charisma,
        Stat::Intellect,
    ];
    assert_eq!(mixed.ranked(), expected);
}
