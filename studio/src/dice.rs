//! Rolls the same numbers for the same seed, today and in ten years.

/// A small seeded generator (splitmix64): one per topic, so a new detail in the hair never changes the eyes.
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// Starts the stream that belongs to this seed and this topic.
    pub(crate) fn new(seed: u64, topic: &str) -> Dice {
        Dice {
            state: stir(seed, topic),
        }
    }

    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, 1.
    pub(crate) fn unit(&mut self) -> f32 {
        let bits = u16::try_from(self.roll() >> 48).expect("sixteen bits fit sixteen bits");
        f32::from(bits) / 65536.0
    }

    /// A number between two others.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True this often (0 never, 1 always).
    pub(crate) fn chance(&mut self, often: f32) -> bool {
        self.unit() < often
    }

    /// One of the choices, each as likely; repeat a choice to make it likelier.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let count = u64::try_from(choices.len()).expect("a slice is shorter than 2^64");
        let index = usize::try_from(self.roll() % count).expect("an index is below the length");
        choices[index]
    }
}

/// Mixes a word into a seed (FNV-1a over the bytes).
pub(crate) fn stir(seed: u64, word: &str) -> u64 {
    word.bytes()
        .fold(seed ^ 0xCBF2_9CE4_8422_2325, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        })
}
