//! What a portrait is drawn from.

/// How a persona looks, said in the words of the survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The only source of chance: another seed is another person.
    pub seed: u64,
    /// One of `protector`, `sage`, `rebel`, `artist`, `caregiver`, `mystic`, `leader`, `trickster`;
    /// any other word is drawn as a `sage`.
    pub archetype: String,
    /// Sets the mood: smile, eyes, pose, glow, glasses.
    pub stats: Stats,
    /// Stirred into the seed, so that other traits bring other details.
    pub traits: Vec<String>,
    /// One of `common`, `rare`, `epic`, `legendary`: the frame; any other word is `common`.
    pub rarity: String,
}

/// Four numbers from 0 to 100; what lies above counts as 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// How much a room notices them.
    pub charisma: u8,
    /// How far they think things through.
    pub intellect: u8,
    /// How safe they are to be near.
    pub kindness: u8,
    /// How lively a day with them is.
    pub energy: u8,
}

/// Brings a stat to 0.0..=1.0.
pub(crate) fn share(stat: u8) -> f32 {
    f32::from(stat.min(100)) / 100.0
}
