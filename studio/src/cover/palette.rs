//! The colours of a street at a time of day.

use crate::dice::Dice;
use crate::tone::{Tone, hex};

/// The colours of one cover.
pub(super) struct Palette {
    pub high: Tone,
    pub middle: Tone,
    pub low: Tone,
    pub sun: Tone,
    pub hill: Tone,
    pub ground: Tone,
    pub walls: [Tone; 5],
    pub roofs: [Tone; 3],
    pub leaves: [Tone; 3],
    pub window: Tone,
}

impl Palette {
    pub(super) fn of(seed: u64) -> Palette {
        let times: [fn() -> Palette; 4] = [morning, noon, evening, dusk];
        Dice::new(seed, "cover palette").pick(&times)()
    }
}

fn tones<const N: usize>(codes: [u32; N]) -> [Tone; N] {
    codes.map(hex)
}

fn morning() -> Palette {
    Palette {
        high: hex(0x8EC9D9),
        middle: hex(0xCFE6DF),
        low: hex(0xFBE8C8),
        sun: hex(0xFFD98A),
        hill: hex(0x7FA88B),
        ground: hex(0x4F7F69),
        walls: tones([0xF6E3C5, 0xE9B79A, 0xD98F6C, 0xF3EFE4, 0xB9CFC9]),
        roofs: tones([0xA6553F, 0x6E4A4A, 0x3F5B66]),
        leaves: tones([0x3F7D5B, 0x5B9A6B, 0x2F6650]),
        window: hex(0x4A6572),
    }
}

fn noon() -> Palette {
    Palette {
        high: hex(0x4FA3C7),
        middle: hex(0x9BD0DF),
        low: hex(0xE8F4E6),
        sun: hex(0xFFF0B8),
        hill: hex(0x74B08A),
        ground: hex(0x3E8466),
        walls: tones([0xFFF5E1, 0xF7C873, 0xEE9480, 0xCDE3E8, 0xF0DCCB]),
        roofs: tones([0xC0583F, 0x845B4F, 0x3B6B7E]),
        leaves: tones([0x2F8F63, 0x57AD74, 0x247052]),
        window: hex(0x3F6C82),
    }
}

fn evening() -> Palette {
    Palette {
        high: hex(0x6B5B95),
        middle: hex(0xE58A7B),
        low: hex(0xFFD3A1),
        sun: hex(0xFFE3B0),
        hill: hex(0x8A5F7A),
        ground: hex(0x4B3D60),
        walls: tones([0xF2C6A0, 0xD98C7A, 0xB66D7A, 0xF6DFC4, 0x9C7C98]),
        roofs: tones([0x6B3F52, 0x4A3557, 0x8C4A4A]),
        leaves: tones([0x4F5B6B, 0x6A6F74, 0x3E4A5E]),
        window: hex(0xFFE9A8),
    }
}

fn dusk() -> Palette {
    Palette {
        high: hex(0x1F2F57),
        middle: hex(0x3F5C8A),
        low: hex(0xC99BA0),
        sun: hex(0xF7E7C4),
        hill: hex(0x334A6B),
        ground: hex(0x1D2B45),
        walls: tones([0x6E7FA0, 0x8C7A98, 0x55688C, 0xA08C9E, 0x4B5E80]),
        roofs: tones([0x2A3554, 0x3B3350, 0x223049]),
        leaves: tones([0x284A57, 0x36606A, 0x1E3C4A]),
        window: hex(0xFFD98A),
    }
}
