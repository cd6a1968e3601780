//! The four numbers that friends' answers add up to.

use serde::{Deserialize, Serialize};

use super::answers::Answers;

/// One of the four qualities, in the order that breaks ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stat {
    /// How much a room turns towards them.
    Charisma,
    /// How far they follow a hard question.
    Intellect,
    /// How safe and helped people are with them.
    Kindness,
    /// How much starts because of them.
    Energy,
}

impl Stat {
    /// All four, in the order that breaks ties.
    pub const ALL: [Self; 4] = [
        Self::Charisma,
        Self::Intellect,
        Self::Kindness,
        Self::Energy,
    ];

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Charisma => "charisma",
            Self::Intellect => "intellect",
            Self::Kindness => "kindness",
            Self::Energy => "energy",
        }
    }

    /// The two scales that measure it.
    pub const fn scales(self) -> [&'static str; 2] {
        match self {
            Self::Charisma => ["c1", "c2"],
            Self::Intellect => ["i1", "i2"],
            Self::Kindness => ["k1", "k2"],
            Self::Energy => ["e1", "e2"],
        }
    }

    /// The choices that speak for it, as (question, option).
    const fn choices(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Charisma => &[("p1", "louder"), ("g1", "joker")],
            Self::Intellect => &[("p1", "quieter"), ("g1", "planner"), ("g1", "critic")],
            Self::Kindness => &[("p1", "calmer"), ("g1", "listener")],
            Self::Energy => &[("p1", "faster"), ("g1", "spark")],
        }
    }
}

/// The largest value of a stat.
pub const STAT_MAX: u8 = 100;

/// What a stat is worth when nobody answered its scales: the middle.
const UNKNOWN: u32 = 50;

/// What one responder's choice adds, before it is averaged over all of them.
const CHOICE_WEIGHT: u32 = 3;

/// The four stats, each 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// See [`Stat::Charisma`].
    pub charisma: u8,
    /// See [`Stat::Intellect`].
    pub intellect: u8,
    /// See [`Stat::Kindness`].
    pub kindness: u8,
    /// See [`Stat::Energy`].
    pub energy: u8,
}

impl Stats {
    /// Adds up the answers. Each stat is 25 × (mean of its scale answers − 1), rounded, plus
    /// 3 for every choice that speaks for it averaged over all responders, rounded, at most 100.
    /// Halves round away from zero. A left-out choice counts as a responder who adds nothing.
    pub fn from_answers(answers: &[Answers]) -> Self {
        let [charisma, intellect, kindness, energy] = Stat::ALL.map(|stat| value(stat, answers));
        Self {
            charisma,
            intellect,
            kindness,
            energy,
        }
    }

    /// Reads one stat.
    pub const fn get(self, stat: Stat) -> u8 {
        match stat {
            Stat::Charisma => self.charisma,
            Stat::Intellect => self.intellect,
            Stat::Kindness => self.kindness,
            Stat::Energy => self.energy,
        }
    }

    /// Sorts the stats from highest to lowest; equal ones keep the order of [`Stat::ALL`].
    pub fn ranked(self) -> [Stat; 4] {
        let mut ranked = Stat::ALL;
        ranked.sort_by_key(|stat| std::cmp::Reverse(self.get(*stat)));
        ranked
    }
}

fn value(stat: Stat, answers: &[Answers]) -> u8 {
    let scales: Vec<u32> = answers.iter().flat_map(|a| scales(stat, a)).collect();
    let base = match count(&scales) {
        0 => UNKNOWN,
        given => rounded(25 * scales.iter().sum::<u32>().saturating_sub(given), given),
    };
    let spoken = answers
        .iter()
        .flat_map(|a| stat.choices().iter().map(move |choice| (a, choice)))
        .filter(|(a, (question, option))| a.words(question) == Some(option))
        .count();
    let bonus = rounded(CHOICE_WEIGHT * saturated(spoken), count(answers).max(1));
    u8::try_from(base + bonus).map_or(STAT_MAX, |sum| sum.min(STAT_MAX))
}

/// The scale answers one responder gave for `stat`: two, unless some were left out.
pub(super) fn scales(stat: Stat, answers: &Answers) -> Vec<u32> {
    let numbers = stat.scales().into_iter();
    numbers
        .filter_map(|id| answers.number(id).map(u32::from))
        .collect()
}

/// Divides and rounds halves up, which for these never negative numbers is away from zero.
/// Whole numbers keep the goldens exact on every machine.
const fn rounded(dividend: u32, divisor: u32) -> u32 {
    (2 * dividend + divisor) / (2 * divisor)
}

fn count<T>(items: &[T]) -> u32 {
    saturated(items.len())
}

/// Counts far beyond any survey are cut, so that the sums above cannot overflow.
fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).min(1_000_000)
}
