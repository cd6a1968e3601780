//! Choices that look free and depend on the seed alone.

/// A seed to choose by; the same seed and label always choose the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Rolls a number below `sides`. The label keeps rolls apart, so that a new sentence
    /// somewhere does not change all the others.
    pub(crate) fn roll(self, label: &str, sides: usize) -> usize {
        let mixed = mix(self.seed ^ fingerprint(label));
        mixed
            .checked_rem(sides as u64)
            .and_then(|rolled| usize::try_from(rolled).ok())
            .unwrap_or(0)
    }

    /// Turns `items` so that a rolled one comes first; nothing is lost.
    pub(crate) fn turn<T>(self, label: &str, mut items: Vec<T>) -> Vec<T> {
        let start = self.roll(label, items.len());
        items.rotate_left(start);
        items
    }
}

/// FNV-1a.
fn fingerprint(label: &str) -> u64 {
    label.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of `SplitMix64`.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
