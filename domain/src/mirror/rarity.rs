//! How unusual a persona is.

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::archetype::Mode;
use super::statistics::{Stat, Stats, scales};

/// How unusual a persona is, from the most to the least usual.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Rarity {
    /// Under 30 points.
    Common,
    /// From 30 points.
    Rare,
    /// From 50 points.
    Epic,
    /// From 70 points.
    Legendary,
}

impl Rarity {
    /// Decides the rarity; practice never gets past common.
    pub fn of(stats: Stats, answers: &[Answers], mode: Mode) -> Self {
        match mode {
            Mode::Practice => Self::Common,
            Mode::Fated | Mode::Alchemic => Score::of(stats, answers).rarity(),
        }
    }

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Rare => "rare",
            Self::Epic => "epic",
            Self::Legendary => "legendary",
        }
    }
}

/// One point, in the thousandths a [`Score`] counts in; they make every sum exact.
const POINT: u32 = 1_000;

/// The three reasons to be rare, in thousandths of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// How far one stat stands above the mean of the four: 0.7 points a step, at most 35 points.
    pub concentration: u32,
    /// 30 points when responders see some stat very differently.
    pub disagreement: u32,
    /// 7 points for each doubling of the number of responders, at most 35 points.
    pub crowd: u32,
}

impl Score {
    /// Scores stats and the answers behind them.
    pub fn of(stats: Stats, answers: &[Answers]) -> Self {
        let doublings = answers.len().checked_ilog2().unwrap_or(0);
        let disagree = Stat::ALL.iter().any(|stat| splits(*stat, answers));
        Self {
            concentration: concentration(stats),
            disagreement: if disagree { 30 * POINT } else { 0 },
            crowd: (7 * POINT * doublings).min(35 * POINT),
        }
    }

    /// The sum, in thousandths of a point.
    pub const fn total(self) -> u32 {
        self.concentration + self.disagreement + self.crowd
    }

    /// Reads the rarity off the sum.
    pub const fn rarity(self) -> Rarity {
        match self.total() / POINT {
            0..30 => Rarity::Common,
            30..50 => Rarity::Rare,
            50..70 => Rarity::Epic,
            70.. => Rarity::Legendary,
        }
    }
}

/// 0.7 × (max − mean) points, where max − mean = (4 × max − sum) / 4.
fn concentration(stats: Stats) -> u32 {
    let values = Stat::ALL.map(|stat| u32::from(stats.get(stat)));
    let sum: u32 = values.iter().sum();
    let most = values.into_iter().max().unwrap_or(0);
    (175 * (4 * most - sum)).min(35 * POINT)
}

/// Whether the standard deviation of the responders' means for `stat` is at least 1.25.
/// It is the deviation of the whole population, since everybody who answered is counted.
/// With doubled means s: (n Σs² − (Σs)²) / 4n² ≥ 25/16, which needs no fraction.
fn splits(stat: Stat, answers: &[Answers]) -> bool {
    let doubled: Vec<u64> = answers
        .iter()
        .map(|answers| scales(stat, answers))
        .filter(|given| !given.is_empty())
        .map(|given| 2 * u64::from(given.iter().sum::<u32>()) / given.len() as u64)
        .collect();
    let n = doubled.len() as u64;
    let sum: u64 = doubled.iter().sum();
    let squares: u64 = doubled.iter().map(|s| s * s).sum();
    n > 0 && 4 * (n * squares - sum * sum) >= 25 * n * n
}
