//! The eight characters a person can turn out to be.

use serde::{Deserialize, Serialize};

use super::statistics::{Stat, Stats};

/// How a persona comes by its archetype and its rarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ForgeMode)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The stats decide.
    Fated,
    /// The owner chose the archetype.
    Alchemic,
    /// The owner answered alone, to try it out.
    Practice,
}

impl Mode {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fated => "fated",
            Self::Alchemic => "alchemic",
            Self::Practice => "practice",
        }
    }
}

/// One of the eight characters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Archetype {
    /// Stands between the others and trouble.
    Protector,
    /// Asks until it is understood.
    Sage,
    /// Tests every rule.
    Rebel,
    /// Shows what others only feel.
    Artist,
    /// Looks after people first.
    Caregiver,
    /// Hears what is not said.
    Mystic,
    /// Knows the next step.
    Leader,
    /// Keeps it light and sharp.
    Trickster,
}

impl Archetype {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::Protector,
        Self::Sage,
        Self::Rebel,
        Self::Artist,
        Self::Caregiver,
        Self::Mystic,
        Self::Leader,
        Self::Trickster,
    ];

    /// Reads the archetype off the two highest stats:
    ///
    /// | highest ↓ second → | charisma | intellect | kindness | energy |
    /// |---|---|---|---|---|
    /// | **charisma** | – | leader | artist | trickster |
    /// | **intellect** | trickster | – | sage | rebel |
    /// | **kindness** | caregiver | mystic | – | protector |
    /// | **energy** | rebel | artist | protector | – |
    ///
    /// Equal stats rank in the order charisma, intellect, kindness, energy.
    pub fn of(stats: Stats) -> Self {
        let [first, second, ..] = stats.ranked();
        Self::of_pair(first, second)
    }

    /// Decides the archetype of a forge: the chosen one in alchemic mode, else that of the stats.
    /// Alchemic mode without a choice falls back to the stats.
    pub fn decide(stats: Stats, mode: Mode, chosen: Option<Self>) -> Self {
        match mode {
            Mode::Alchemic => chosen.unwrap_or_else(|| Self::of(stats)),
            Mode::Fated | Mode::Practice => Self::of(stats),
        }
    }

    /// The archetype that completes this one: protector and artist, sage and trickster,
    /// rebel and caregiver, leader and mystic.
    #[must_use]
    pub const fn complement(self) -> Self {
        match self {
            Self::Protector => Self::Artist,
            Self::Artist => Self::Protector,
            Self::Sage => Self::Trickster,
            Self::Trickster => Self::Sage,
            Self::Rebel => Self::Caregiver,
            Self::Caregiver => Self::Rebel,
            Self::Leader => Self::Mystic,
            Self::Mystic => Self::Leader,
        }
    }

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protector => "protector",
            Self::Sage => "sage",
            Self::Rebel => "rebel",
            Self::Artist => "artist",
            Self::Caregiver => "caregiver",
            Self::Mystic => "mystic",
            Self::Leader => "leader",
            Self::Trickster => "trickster",
        }
    }

    /// The table of [`Archetype::of`]; the pairs of a stat with itself never occur.
    const fn of_pair(first: Stat, second: Stat) -> Self {
        match (first, second) {
            (Stat::Charisma, Stat::Intellect | Stat::Charisma) => Self::Leader,
            (Stat::Charisma, Stat::Energy) | (Stat::Intellect, Stat::Charisma) => Self::Trickster,
            (Stat::Charisma, Stat::Kindness) | (Stat::Energy, Stat::Intellect) => Self::Artist,
            (Stat::Intellect, Stat::Kindness | Stat::Intellect) => Self::Sage,
            (Stat::Intellect, Stat::Energy) | (Stat::Energy, Stat::Charisma | Stat::Energy) => {
                Self::Rebel
            }
            (Stat::Kindness, Stat::Charisma | Stat::Kindness) => Self::Caregiver,
            (Stat::Kindness, Stat::Intellect) => Self::Mystic,
            (Stat::Kindness, Stat::Energy) | (Stat::Energy, Stat::Kindness) => Self::Protector,
        }
    }
}
