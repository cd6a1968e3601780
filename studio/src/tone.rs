//! Mixes colours.

use tiny_skia::Color;

/// A colour without transparency; how much of it covers is said where it is laid on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tone {
    r: f32,
    g: f32,
    b: f32,
}

/// A colour as it stands in a design tool: `hex(0xFFE0CC)`.
pub(crate) const fn hex(code: u32) -> Tone {
    let [_, r, g, b] = code.to_be_bytes();
    Tone {
        r: r as f32 / 255.0,
        g: g as f32 / 255.0,
        b: b as f32 / 255.0,
    }
}

/// A colour as it stands in a pixel.
pub(crate) fn solid([r, g, b]: [u8; 3]) -> Tone {
    hex(u32::from_be_bytes([0, r, g, b]))
}

pub(crate) const WHITE: Tone = hex(0xFFFFFF);
pub(crate) const INK: Tone = hex(0x1B1826);

impl Tone {
    /// Moves this far (0 stay, 1 arrive) towards another colour.
    pub(crate) fn mix(self, other: Tone, far: f32) -> Tone {
        let blend = |from: f32, to: f32| from + (to - from) * far;
        Tone {
            r: blend(self.r, other.r),
            g: blend(self.g, other.g),
            b: blend(self.b, other.b),
        }
    }

    /// Adds light.
    pub(crate) fn lighter(self, far: f32) -> Tone {
        self.mix(WHITE, far)
    }

    /// Takes light away, towards a cool ink and not a dead black.
    pub(crate) fn darker(self, far: f32) -> Tone {
        self.mix(INK, far)
    }

    /// Moves away from grey, as far as it stands from it times `far`.
    pub(crate) fn vivid(self, far: f32) -> Tone {
        let light = self.light();
        let grey = Tone {
            r: light,
            g: light,
            b: light,
        };
        grey.mix(self, 1.0 + far)
    }

    /// How bright the eye finds it, 0.0..=1.0.
    pub(crate) fn light(self) -> f32 {
        0.299 * self.r + 0.587 * self.g + 0.114 * self.b
    }

    /// The paint's own form, covering this much.
    pub(crate) fn covering(self, alpha: f32) -> Color {
        let bounded = |part: f32| part.clamp(0.0, 1.0);
        Color::from_rgba(
            bounded(self.r),
            bounded(self.g),
            bounded(self.b),
            bounded(alpha),
        )
        .expect("every part is between 0 and 1")
    }
}
