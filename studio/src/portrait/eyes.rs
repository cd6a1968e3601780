//! Eyes and brows: the mood is mostly here.

use tiny_skia::{Path, Transform};

use super::figure::{Cut, Figure};
use super::palette::Archetype;
use crate::canvas::{Canvas, fade, flat, glow, sweep, veil};
use crate::dice::Dice;
use crate::shape::{Pen, circle, oval};
use crate::tone::{INK, WHITE, hex};

const APART: f32 = 68.0;

pub(super) fn draw(sheet: &mut Canvas, figure: &Figure) {
    let mut dice = Dice::new(figure.seed, "eyes");
    let winks = figure.archetype == Archetype::Trickster && dice.chance(0.45);
    for side in [-1.0, 1.0] {
        // Authored as the right-hand eye; the other is its mirror image, save for the light in it.
        let place = Transform::from_row(side, 0.0, 0.0, 1.0, APART * side, 0.0);
        sheet.placed(place, |sheet| {
            if winks && side > 0.0 {
                draw_wink(sheet, figure);
            } else {
                draw_eye(sheet, figure, side);
            }
            draw_brow(sheet, figure, winks && side < 0.0);
        });
    }
}

fn opening(figure: &Figure) -> Path {
    let open = 0.7 + 0.32 * figure.mood.energy;
    // A real smile pushes the lower lid up.
    let lower = 17.0 - 5.0 * figure.mood.kindness;
    Pen::at(-32.0, 6.0)
        .curve((-24.0, -27.0 * open), (14.0, -33.0 * open), (35.0, -1.0))
        .curve((24.0, lower + 4.0), (-16.0, lower + 6.0), (-32.0, 6.0))
        .close()
}

fn draw_eye(sheet: &mut Canvas, figure: &Figure, side: f32) {
    let eye = opening(figure);
    let skin = &figure.skin;
    let socket = glow(
        (0.0, -8.0),
        56.0,
        &[(0.0, skin.shade, 0.34), (1.0, skin.shade, 0.0)],
    );
    sheet.fill(&oval((0.0, -8.0), 56.0, 40.0), &socket);
    sheet.fill(&eye, &flat(hex(0xFFFAF4)));
    sheet.inside(&eye, |sheet| {
        let middle = (1.0, -3.0);
        sheet.fill(&circle(middle, 22.5), &flat(figure.iris.darker(0.45)));
        let iris = fade(
            -24.0,
            18.0,
            figure.iris.darker(0.3),
            figure.iris.lighter(0.3),
        );
        sheet.fill(&circle(middle, 20.0), &iris);
        sheet.fill(&circle(middle, 11.0), &flat(hex(0x17121C)));
        let lid_shadow = sweep(
            (0.0, -26.0),
            (0.0, -2.0),
            &[(0.0, skin.deep, 0.6), (1.0, skin.deep, 0.0)],
        );
        sheet.fill(&eye, &lid_shadow);
        // The light comes from the left on both sides.
        sheet.fill(&circle((-7.0 * side, -10.0), 6.4), &veil(WHITE, 0.96));
        sheet.fill(&circle((8.0 * side, 6.0), 3.2), &veil(WHITE, 0.5));
    });
    draw_lids(sheet, figure);
}

fn draw_lids(sheet: &mut Canvas, figure: &Figure) {
    let open = 0.7 + 0.32 * figure.mood.energy;
    let skin = &figure.skin;
    let dark = skin.deep.mix(INK, 0.78);
    let lash = Pen::at(-34.0, 8.0)
        .curve((-25.0, -29.0 * open), (15.0, -36.0 * open), (37.0, -2.0))
        .curve((18.0, -27.0 * open), (-18.0, -21.0 * open), (-34.0, 8.0))
        .close();
    sheet.fill(&lash, &flat(dark));
    sheet.stroke(&lash, 3.0, &flat(dark));
    let crease = Pen::at(-26.0, -16.0 * open - 8.0)
        .curve(
            (-12.0, -30.0 * open - 7.0),
            (14.0, -34.0 * open - 6.0),
            (36.0, -14.0 * open - 6.0),
        )
        .open();
    sheet.stroke(&crease, 3.5, &veil(skin.deep, 0.38));
    if figure.lashes {
        let wing = Pen::at(24.0, -15.0 * open)
            .bend((40.0, -12.0), (49.0, -19.0))
            .bend((44.0, -6.0), (34.0, 0.0))
            .close();
        sheet.fill(&wing, &flat(dark));
    }
    let lower = Pen::at(-14.0, 19.0 - 4.0 * figure.mood.kindness)
        .bend((8.0, 22.0 - 4.0 * figure.mood.kindness), (28.0, 9.0))
        .open();
    sheet.stroke(&lower, 3.0, &veil(skin.deep, 0.3));
    if figure.aged {
        let crow = Pen::at(48.0, 2.0).bend((56.0, 2.0), (62.0, -3.0)).open();
        sheet.stroke(&crow, 3.0, &veil(skin.deep, 0.3));
        let crow = Pen::at(48.0, 10.0).bend((56.0, 13.0), (62.0, 12.0)).open();
        sheet.stroke(&crow, 3.0, &veil(skin.deep, 0.3));
    }
}

fn draw_wink(sheet: &mut Canvas, figure: &Figure) {
    let dark = figure.skin.deep.mix(INK, 0.78);
    let closed = Pen::at(-32.0, 8.0)
        .curve((-18.0, -14.0), (16.0, -16.0), (36.0, 4.0))
        .open();
    sheet.stroke(&closed, 8.0, &flat(dark));
    for (x, y) in [(20.0, -4.0), (30.0, 2.0)] {
        let lash = Pen::at(x, y).line(x + 10.0, y - 9.0).open();
        sheet.stroke(&lash, 4.5, &flat(dark));
    }
}

fn draw_brow(sheet: &mut Canvas, figure: &Figure, raised: bool) {
    let tone = if figure.cut == Cut::Scarf || figure.hair.light() > 0.7 {
        figure.hair.mix(figure.skin.deep, 0.5)
    } else {
        figure.hair.darker(0.22).mix(figure.skin.deep, 0.16)
    };
    let lift = -48.0 - 7.0 * figure.mood.energy - if raised { 12.0 } else { 0.0 };
    let bold = match figure.archetype {
        Archetype::Rebel | Archetype::Trickster => 2.5,
        Archetype::Leader | Archetype::Protector => -0.5,
        Archetype::Caregiver => -5.0,
        Archetype::Sage | Archetype::Artist | Archetype::Mystic => -3.0,
    } - 3.0 * figure.mood.kindness;
    let thick = if figure.lashes { 10.0 } else { 14.0 };
    let brow = Pen::at(-36.0, lift + bold + 4.0)
        .curve(
            (-20.0, lift - 8.0 + bold * 0.5),
            (12.0, lift - 16.0),
            (43.0, lift + 4.0),
        )
        .curve(
            (14.0, lift - 14.0 + thick * 0.62),
            (-14.0, lift - 6.0 + bold * 0.5 + thick),
            (-34.0, lift + bold + 4.0 + thick),
        )
        .bend(
            (-42.0, lift + bold + 6.0 + thick * 0.5),
            (-36.0, lift + bold + 4.0),
        )
        .close();
    sheet.fill(&brow, &veil(tone, 0.94));
}
