//! Which character the stats become.

use domain::mirror::archetype::{Archetype, Mode};
use domain::mirror::statistics::Stats;

fn stats(charisma: u8, intellect: u8, kindness: u8, energy: u8) -> Stats {
    Stats {
        charisma,
        intellect,
        kindness,
        energy,
    }
}

#[test]
fn every_ordered_pair_has_its_archetype() {
    let table = [
        (stats(90, 80, 10, 20), Archetype::Leader),
        (stats(90, 10, 80, 20), Archetype::Artist),
        (stats(90, 10, 20, 80), Archetype::Trickster),
        (stats(80, 90, 10, 20), Archetype::Trickster),
        (stats(10, 90, 80, 20), Archetype::Sage),
        (stats(10, 90, 20, 80), Archetype::Rebel),
        (stats(80, 10, 90, 20), Archetype::Caregiver),
        (stats(10, 80, 90, 20), Archetype::Mystic),
        (stats(10, 20, 90, 80), Archetype::Protector),
        (stats(80, 10, 20, 90), Archetype::Rebel),
        (stats(10, 80, 20, 90), Archetype::Artist),
        (stats(10, 20, 80, 90), Archetype::Protector),
    ];
    for (stats, archetype) in table {
        assert_eq!(Archetype::of(stats), archetype, "{stats:?}");
    }
    for archetype in Archetype::ALL {
        assert!(table.iter().any(|(_, reached)| *reached == archetype));
    }
}

#[test]
fn ties_go_by_charisma_intellect_kindness_energy() {
    assert_eq!(Archetype::of(stats(50, 50, 50, 50)), Archetype::Leader);
    assert_eq!(Archetype::of(stats(0, 50, 50, 50)), Archetype::Sage);
    assert_eq!(Archetype::of(stats(0, 0, 50, 50)), Archetype::Protector);
    assert_eq!(Archetype::of(stats(50, 50, 90, 50)), Archetype::Caregiver);
}

#[test]
fn only_alchemic_mode_takes_the_chosen_one() {
    let sage = stats(10, 90, 80, 20);
    let chosen = Some(Archetype::Rebel);
    assert_eq!(
        Archetype::decide(sage, Mode::Alchemic, chosen),
        Archetype::Rebel
    );
    assert_eq!(
        Archetype::decide(sage, Mode::Fated, chosen),
        Archetype::Sage
    );
    assert_eq!(
        Archetype::decide(sage, Mode::Practice, chosen),
        Archetype::Sage
    );
    assert_eq!(
        Archetype::decide(sage, Mode::Alchemic, None),
        Archetype::Sage
    );
}

#[test]
fn a_complement_is_mutual_and_somebody_else() {
    for archetype in Archetype::ALL {
        assert_eq!(archetype.complement().complement(), archetype);
        assert_ne!(archetype.complement(), archetype);
    }
}

#[test]
fn names_on_the_wire_and_in_code_agree() {
    for archetype in Archetype::ALL {
        let wire = serde_json::to_value(archetype).unwrap();
        assert_eq!(wire, archetype.as_str());
    }
    for mode in [Mode::Fated, Mode::Alchemic, Mode::Practice] {
        assert_eq!(serde_json::to_value(mode).unwrap(), mode.as_str());
    }
}
