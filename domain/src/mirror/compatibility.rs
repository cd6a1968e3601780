//! How two personas get along.

use serde::{Deserialize, Serialize};

use super::archetype::Archetype;
use super::statistics::{Stat, Stats};

/// How two personas get along, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// From 80.
    Harmonic,
    /// From 60.
    Balanced,
    /// From 40.
    Challenging,
    /// Below 40.
    Mirror,
}

/// The answer of the compatibility endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Compatibility {
    /// 0 to 100.
    pub score: u8,
    /// The word for the score.
    pub label: Label,
    /// One friendly sentence about it.
    pub description: &'static str,
}

/// Compares two personas: 100 less the mean distance of their four stats, all weighing the same,
/// and 5 more for the same archetype or 10 more for a pair of [`Archetype::complement`]s,
/// rounded with halves away from zero and kept within 0 to 100. The order does not matter.
pub fn compatibility(one: (Stats, Archetype), other: (Stats, Archetype)) -> Compatibility {
    let distances = Stat::ALL.map(|stat| one.0.get(stat).abs_diff(other.0.get(stat)));
    let distance: u16 = distances.into_iter().map(u16::from).sum();
    let bonus = if one.1 == other.1 {
        5
    } else if one.1.complement() == other.1 {
        10
    } else {
        0
    };
    let quarters = 4 * (100 + bonus) - distance;
    let score = u8::try_from((quarters + 2) / 4).map_or(100, |score| score.min(100));
    let label = label(score);
    Compatibility {
        score,
        label,
        description: description(label),
    }
}

const fn label(score: u8) -> Label {
    match score {
        80.. => Label::Harmonic,
        60..80 => Label::Balanced,
        40..60 => Label::Challenging,
        0..40 => Label::Mirror,
    }
}

const fn description(label: Label) -> &'static str {
    match label {
        Label::Harmonic => {
            "You move at the same pace and rarely need to explain yourselves to each other."
        }
        Label::Balanced => {
            "You agree on enough to feel at home and differ on enough to stay curious."
        }
        Label::Challenging => {
            "You pull in different directions, and both of you grow when you meet in the middle."
        }
        Label::Mirror => {
            "You are each other's opposite, as in a mirror: what one lacks, the other has plenty of."
        }
    }
}
