//! Decides everything about a person before the first line is drawn.

use super::palette::{self, Archetype, Skin, World};
use crate::dice::{Dice, stir};
use crate::look::{Look, share};
use crate::tone::Tone;

/// How far below the top edge the eyes are.
pub(super) const EYE_LINE: f32 = 462.0;
/// The top of the skull above the eye line.
pub(super) const CROWN: f32 = -206.0;
/// Hair is authored for a head of this half width and stretched to the real one.
pub(super) const HALF_WIDTH: f32 = 148.0;

/// How the hair is worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Crop,
    Quiff,
    Buzz,
    Afro,
    Long,
    Waves,
    Bob,
    Bun,
    Locs,
    Curls,
    Bald,
    Scarf,
    Swoosh,
    Ponytail,
    Pixie,
}

impl Cut {
    /// Whether the hair falls over both ears.
    pub(super) fn hides_ears(self) -> bool {
        matches!(self, Cut::Long | Cut::Waves | Cut::Bob | Cut::Scarf)
    }
}

/// What grows on the chin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beard {
    None,
    Stubble,
    Short,
    Full,
    Moustache,
}

/// What sits on the nose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glasses {
    None,
    Round,
    Square,
}

/// The plates of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rarity {
    Common,
    Rare,
    Epic,
    Legendary,
}

/// A face's proportions, measured from the point between the eyes.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub wide: f32,
    pub jaw: f32,
    pub chin: f32,
    pub chin_wide: f32,
    pub nose: f32,
}

/// Moods, each 0.0..=1.0.
#[derive(Clone, Copy)]
pub(super) struct Mood {
    pub charisma: f32,
    pub intellect: f32,
    pub kindness: f32,
    pub energy: f32,
}

/// Everything that the layers need to know.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a plain yes or no about one face"
)]
pub(super) struct Figure {
    pub seed: u64,
    pub archetype: Archetype,
    pub rarity: Rarity,
    pub mood: Mood,
    pub world: World,
    pub skin: Skin,
    pub hair: Tone,
    pub whiskers: Tone,
    pub aged: bool,
    pub iris: Tone,
    pub cut: Cut,
    pub beard: Beard,
    pub glasses: Glasses,
    pub face: Face,
    /// Degrees the head leans.
    pub tilt: f32,
    pub freckles: bool,
    pub lashes: bool,
    pub earrings: bool,
}

impl Figure {
    pub(super) fn of(look: &Look) -> Figure {
        let archetype = Archetype::named(&look.archetype);
        let seed = look
            .traits
            .iter()
            .fold(stir(look.seed, "traits"), |seed, word| stir(seed, word));
        let mood = Mood {
            charisma: share(look.stats.charisma),
            intellect: share(look.stats.intellect),
            kindness: share(look.stats.kindness),
            energy: share(look.stats.energy),
        };
        let mut person = Dice::new(seed, "person");
        let skin = palette::skin(&mut person);
        let hair = palette::hair(&mut person, &skin, archetype);
        let soft = person.chance(0.5);
        let cut = cut(&mut person, soft, archetype);
        let beard = beard(&mut person, soft, cut);
        let mut details = Dice::new(seed, "details");
        let lean = if details.chance(0.5) { 1.0 } else { -1.0 };
        Figure {
            seed,
            archetype,
            rarity: rarity(&look.rarity),
            mood,
            world: details.pick(palette::worlds(archetype)),
            skin,
            hair: hair.tone,
            whiskers: hair.beard,
            aged: hair.aged,
            iris: palette::iris(&mut person, &skin),
            cut,
            beard,
            glasses: glasses(&mut details, archetype, mood),
            face: face(&mut person, soft),
            tilt: lean * (0.6 + 4.2 * mood.energy * details.between(0.5, 1.0)),
            freckles: details.chance(0.22),
            lashes: soft,
            earrings: details.chance(if soft { 0.55 } else { 0.16 }),
        }
    }
}

fn rarity(word: &str) -> Rarity {
    match word {
        "rare" => Rarity::Rare,
        "epic" => Rarity::Epic,
        "legendary" => Rarity::Legendary,
        _ => Rarity::Common,
    }
}

fn face(dice: &mut Dice, soft: bool) -> Face {
    let sturdy = if soft { 0.0 } else { 1.0 };
    Face {
        wide: dice.between(138.0, 150.0) + 3.0 * sturdy,
        jaw: dice.between(98.0, 112.0) + 10.0 * sturdy,
        chin: dice.between(182.0, 196.0) + 6.0 * sturdy,
        chin_wide: dice.between(34.0, 48.0) + 12.0 * sturdy,
        nose: dice.between(0.85, 1.15),
    }
}

fn cut(dice: &mut Dice, soft: bool, archetype: Archetype) -> Cut {
    use Cut::{
        Afro, Bald, Bob, Bun, Buzz, Crop, Curls, Locs, Long, Pixie, Ponytail, Quiff, Scarf, Swoosh,
        Waves,
    };
    let special: &[Cut] = match archetype {
        Archetype::Rebel => &[Swoosh, Swoosh, Quiff, Locs, Pixie],
        Archetype::Artist => &[Curls, Bob, Bun, Waves, Swoosh],
        Archetype::Mystic => &[Long, Waves, Locs, Long],
        Archetype::Sage => &[Bun, Crop, Bald, Long, Scarf],
        Archetype::Caregiver => &[Curls, Waves, Bun, Scarf, Ponytail],
        Archetype::Leader => &[Crop, Quiff, Bun, Bob, Afro],
        Archetype::Protector => &[Buzz, Crop, Locs, Ponytail, Bun],
        Archetype::Trickster => &[Curls, Quiff, Pixie, Afro, Swoosh],
    };
    if dice.chance(0.4) {
        return dice.pick(special);
    }
    if soft {
        dice.pick(&[
            Long, Waves, Bob, Bun, Locs, Curls, Afro, Scarf, Ponytail, Pixie, Swoosh,
        ])
    } else {
        dice.pick(&[
            Crop, Crop, Quiff, Quiff, Buzz, Afro, Curls, Locs, Bald, Swoosh, Bun,
        ])
    }
}

fn beard(dice: &mut Dice, soft: bool, cut: Cut) -> Beard {
    use Beard::{Full, Moustache, None, Short, Stubble};
    if soft || cut == Cut::Scarf {
        return None;
    }
    if cut == Cut::Bald {
        return dice.pick(&[Full, Short, None]);
    }
    dice.pick(&[None, None, None, Stubble, Short, Full, Moustache])
}

fn glasses(dice: &mut Dice, archetype: Archetype, mood: Mood) -> Glasses {
    let often = match archetype {
        Archetype::Sage => 0.35 + 0.5 * mood.intellect,
        Archetype::Rebel | Archetype::Mystic => 0.25 * mood.intellect,
        Archetype::Protector
        | Archetype::Artist
        | Archetype::Caregiver
        | Archetype::Leader
        | Archetype::Trickster => 0.7 * (mood.intellect - 0.35).max(0.0),
    };
    if dice.chance(often) {
        dice.pick(&[Glasses::Round, Glasses::Round, Glasses::Square])
    } else {
        Glasses::None
    }
}
