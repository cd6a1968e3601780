//! The colours people and their worlds come in.

use crate::dice::Dice;
use crate::tone::{Tone, hex};

/// Who a persona is among their friends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Archetype {
    Protector,
    Sage,
    Rebel,
    Artist,
    Caregiver,
    Mystic,
    Leader,
    Trickster,
}

impl Archetype {
    pub(super) fn named(word: &str) -> Archetype {
        match word {
            "protector" => Archetype::Protector,
            "rebel" => Archetype::Rebel,
            "artist" => Archetype::Artist,
            "caregiver" => Archetype::Caregiver,
            "mystic" => Archetype::Mystic,
            "leader" => Archetype::Leader,
            "trickster" => Archetype::Trickster,
            _ => Archetype::Sage,
        }
    }
}

/// The colours of one portrait's world: a sky from `high` to `low`, hills, cloth and its trim.
#[derive(Clone, Copy)]
pub(super) struct World {
    pub high: Tone,
    pub middle: Tone,
    pub low: Tone,
    /// The disc behind the head.
    pub sun: Tone,
    pub hill: Tone,
    pub cloth: Tone,
    pub cloth_second: Tone,
    pub trim: Tone,
}

const fn world(sky: [u32; 3], sun: u32, hill: u32, cloth: [u32; 3]) -> World {
    World {
        high: hex(sky[0]),
        middle: hex(sky[1]),
        low: hex(sky[2]),
        sun: hex(sun),
        hill: hex(hill),
        cloth: hex(cloth[0]),
        cloth_second: hex(cloth[1]),
        trim: hex(cloth[2]),
    }
}

const PROTECTOR: [World; 3] = [
    world(
        [0x1F3A5F, 0x4A6D8C, 0xE0A47A],
        0xF3CF9B,
        0x1A2C47,
        [0x2F4E73, 0x1D3350, 0xE0B25A],
    ),
    world(
        [0x17414A, 0x3F7F7C, 0xE8C08A],
        0xF7DFAE,
        0x12333A,
        [0x2A5C5E, 0x173E44, 0xD9A441],
    ),
    world(
        [0x3B3355, 0x7C5E86, 0xEBA58B],
        0xF8D2A6,
        0x2A2440,
        [0x5A3A52, 0x38243F, 0xD8B26A],
    ),
];
const SAGE: [World; 3] = [
    world(
        [0x232B5C, 0x4F5D9B, 0xD9B9A0],
        0xF5E3BE,
        0x1C2247,
        [0x37457F, 0x28315F, 0xE3C37B],
    ),
    world(
        [0x1E4250, 0x5C8C8A, 0xEAD9A8],
        0xFBF0CD,
        0x183540,
        [0x6B5B45, 0x4A3D30, 0xE7D3A1],
    ),
    world(
        [0x40365F, 0x8272A0, 0xE9C7B5],
        0xF9E6CF,
        0x2E2748,
        [0x4B5D58, 0x33443F, 0xDDBB82],
    ),
];
const REBEL: [World; 3] = [
    world(
        [0x3A1B3E, 0xB23A55, 0xF49A5C],
        0xFFD08A,
        0x2A1430,
        [0x2B2731, 0x17151C, 0xD9DCE3],
    ),
    world(
        [0x1C2340, 0x5A3B78, 0xF0627B],
        0xFFB48F,
        0x161A30,
        [0x3D2A2A, 0x241819, 0xE0C9A6],
    ),
    world(
        [0x10343B, 0x2E7C74, 0xF2B84B],
        0xFFE08A,
        0x0D282D,
        [0x3A2F45, 0x241D2C, 0xF0E4D0],
    ),
];
const ARTIST: [World; 3] = [
    world(
        [0x5B4B8A, 0xD783A6, 0xFCD0A8],
        0xFFE9C9,
        0x463A70,
        [0xF4EDE4, 0x36568F, 0xE2574C],
    ),
    world(
        [0x2B6777, 0x7FB7A6, 0xFBE3B4],
        0xFFF3D6,
        0x23525E,
        [0xF7F0E6, 0xC4553F, 0x2E6F82],
    ),
    world(
        [0x7A3E5D, 0xE58A7B, 0xFBD98F],
        0xFFF0C2,
        0x5C2F49,
        [0xEFE6DA, 0x3E3A5E, 0xF2B134],
    ),
];
const CAREGIVER: [World; 3] = [
    world(
        [0x4E8C84, 0x9CC9B0, 0xFBE6C4],
        0xFFF6DC,
        0x3B6F69,
        [0xE59A84, 0xC77664, 0xFFF1DE],
    ),
    world(
        [0x6D7FB3, 0xB8BEDD, 0xFCE0CF],
        0xFFF3E2,
        0x54649A,
        [0xE9C46A, 0xC99B45, 0xFFF6E0],
    ),
    world(
        [0xB5727A, 0xE9B2A0, 0xFDE9CC],
        0xFFF7E3,
        0x8F565F,
        [0x7FA58A, 0x5C8269, 0xFBF3E2],
    ),
];
const MYSTIC: [World; 3] = [
    world(
        [0x1B1642, 0x4B2F7F, 0xB668A8],
        0xE9D7FF,
        0x15112F,
        [0x4A2C78, 0x2E1B52, 0xE8C872],
    ),
    world(
        [0x0F2545, 0x26557F, 0x7FA9BE],
        0xE4F4FF,
        0x0B1B33,
        [0x1F4C6B, 0x13324C, 0xCFE5EE],
    ),
    world(
        [0x2A1238, 0x7A2F6B, 0xE08A8B],
        0xFFDCCB,
        0x200D2C,
        [0x6B2450, 0x451636, 0xF0C987],
    ),
];
const LEADER: [World; 3] = [
    world(
        [0x1E2F6B, 0x5566B0, 0xF7C98B],
        0xFFE6AE,
        0x182553,
        [0x26335F, 0x182243, 0xE9BC5B],
    ),
    world(
        [0x5A1E34, 0xB5524B, 0xF8C77C],
        0xFFE3A3,
        0x441627,
        [0x6A1F35, 0x471324, 0xF0C869],
    ),
    world(
        [0x12463F, 0x3E8671, 0xF4D68C],
        0xFFEDB8,
        0x0E3630,
        [0x1F4A44, 0x12322E, 0xE6BD62],
    ),
];
const TRICKSTER: [World; 3] = [
    world(
        [0x1F4E79, 0x2FA39B, 0xFBD66B],
        0xFFF0B0,
        0x1A3F62,
        [0xC73E73, 0x2C3E8C, 0xFFD257],
    ),
    world(
        [0x4A1D6B, 0xC0418B, 0xFFB35C],
        0xFFE09A,
        0x391553,
        [0x1E9C8F, 0x5B2A86, 0xFFE074],
    ),
    world(
        [0x0E4D4A, 0x55A36B, 0xF7E07A],
        0xFFF6BD,
        0x0B3B39,
        [0xE8703A, 0x24526B, 0xFFF0C2],
    ),
];

/// The worlds an archetype may live in.
pub(super) fn worlds(archetype: Archetype) -> &'static [World; 3] {
    match archetype {
        Archetype::Protector => &PROTECTOR,
        Archetype::Sage => &SAGE,
        Archetype::Rebel => &REBEL,
        Archetype::Artist => &ARTIST,
        Archetype::Caregiver => &CAREGIVER,
        Archetype::Mystic => &MYSTIC,
        Archetype::Leader => &LEADER,
        Archetype::Trickster => &TRICKSTER,
    }
}

/// One complexion: lit, in shade, and where blood shows.
#[derive(Clone, Copy)]
pub(super) struct Skin {
    pub base: Tone,
    pub light: Tone,
    pub shade: Tone,
    pub deep: Tone,
    pub blush: Tone,
    pub lip: Tone,
}

const COMPLEXIONS: [u32; 11] = [
    0xFFDFC8, 0xF8D0B0, 0xF2C29C, 0xE6AE83, 0xD99C70, 0xC68659, 0xAD6F47, 0x935A38, 0x7A482D,
    0x673C27, 0x583423,
];

pub(super) fn skin(dice: &mut Dice) -> Skin {
    let base = hex(dice.pick(&COMPLEXIONS));
    let warm = hex(0x8A2F3C);
    let dark = 1.0 - base.light();
    Skin {
        base,
        light: base.mix(hex(0xFFDDB4), 0.22 - dark * 0.06),
        shade: base.mix(warm, 0.2).darker(0.1 + dark * 0.1),
        deep: base.mix(hex(0x5A1F33), 0.42).darker(0.16),
        blush: base.mix(hex(0xE4485A), 0.5 - dark * 0.28),
        lip: base.mix(hex(0xB5384A), 0.48 - dark * 0.16).darker(0.06),
    }
}

const DARK_HAIR: [u32; 4] = [0x1F1A22, 0x2C1E1C, 0x3D271F, 0x241C2C];
const ANY_HAIR: [u32; 11] = [
    0x1F1A22, 0x2E1F1C, 0x4A2E22, 0x4A2E22, 0x6B402B, 0x8C4527, 0xB8602F, 0xA67C4C, 0xD7B06C,
    0xE6D2A4, 0x5A3A2A,
];
const GREY_HAIR: [u32; 3] = [0x9A9CA6, 0xC9CAD1, 0xE9E7E4];
const DYED_HAIR: [u32; 6] = [0x2A8A99, 0xB93A74, 0x6A4AB5, 0x3A62B8, 0xE0605A, 0x3E8F63];

/// What grows on a head: dye goes no lower than the brows.
#[derive(Clone, Copy)]
pub(super) struct Hair {
    pub tone: Tone,
    pub beard: Tone,
    pub aged: bool,
}

/// Rolls the colour of the hair.
pub(super) fn hair(dice: &mut Dice, skin: &Skin, archetype: Archetype) -> Hair {
    let (dyed, grey) = match archetype {
        Archetype::Rebel | Archetype::Artist | Archetype::Trickster => (0.34, 0.05),
        Archetype::Sage => (0.0, 0.42),
        Archetype::Mystic => (0.2, 0.18),
        Archetype::Protector | Archetype::Caregiver | Archetype::Leader => (0.03, 0.16),
    };
    let roll = dice.unit();
    if roll < dyed {
        return Hair {
            tone: hex(dice.pick(&DYED_HAIR)),
            beard: hex(dice.pick(&DARK_HAIR)),
            aged: false,
        };
    }
    if roll < dyed + grey {
        let tone = hex(dice.pick(&GREY_HAIR));
        return Hair {
            tone,
            beard: tone,
            aged: true,
        };
    }
    let choices: &[u32] = if skin.base.light() < 0.62 {
        &DARK_HAIR
    } else {
        &ANY_HAIR
    };
    let tone = hex(dice.pick(choices));
    Hair {
        tone,
        beard: tone,
        aged: false,
    }
}

/// The colour of the iris.
pub(super) fn iris(dice: &mut Dice, skin: &Skin) -> Tone {
    let browns = [0x5B3A24, 0x6E4628, 0x46291B, 0x7A5430];
    let all = [
        0x5B3A24, 0x6E4628, 0x7A6A35, 0x4E7A5A, 0x3F75A8, 0x5A87A0, 0x66748A, 0x4A8C86,
    ];
    hex(if skin.base.light() < 0.66 {
        dice.pick(&browns)
    } else {
        dice.pick(&all)
    })
}
