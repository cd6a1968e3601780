//! The nose, the mouth and the skin's small marks.

use tiny_skia::Path;

use super::figure::{Beard, Figure};
use super::palette::Archetype;
use crate::canvas::{Canvas, fade, flat, glow, veil};
use crate::dice::Dice;
use crate::shape::{Pen, circle, oval};
use crate::tone::{WHITE, hex};

const MOUTH: f32 = 120.0;

pub(super) fn draw(sheet: &mut Canvas, figure: &Figure) {
    if figure.freckles {
        draw_freckles(sheet, figure);
    }
    draw_nose(sheet, figure);
    let laughs = figure.mood.kindness * 0.75 + figure.mood.energy * 0.25 > 0.6;
    if laughs {
        draw_laugh(sheet, figure);
    } else {
        draw_smile(sheet, figure);
    }
    if figure.aged && figure.beard == Beard::None {
        for side in [-1.0, 1.0] {
            let line = Pen::at(44.0 * side, 72.0)
                .bend((66.0 * side, 90.0), (72.0 * side, 112.0))
                .open();
            sheet.stroke(&line, 4.0, &veil(figure.skin.deep, 0.2));
        }
    }
}

fn draw_freckles(sheet: &mut Canvas, figure: &Figure) {
    let mut dice = Dice::new(figure.seed, "freckles");
    for side in [-1.0, 1.0] {
        for _ in 0..9 {
            let spot = (side * dice.between(34.0, 112.0), dice.between(40.0, 78.0));
            let freckle = circle(spot, dice.between(2.0, 3.6));
            sheet.fill(&freckle, &veil(figure.skin.deep, 0.34));
        }
    }
}

fn draw_nose(sheet: &mut Canvas, figure: &Figure) {
    let skin = &figure.skin;
    let size = figure.face.nose;
    let bridge = Pen::at(14.0, -16.0)
        .curve((20.0, 20.0), (22.0 * size, 36.0), (30.0 * size, 58.0))
        .bend((20.0 * size, 74.0), (2.0, 70.0))
        .curve((10.0, 50.0), (8.0, 10.0), (14.0, -16.0))
        .close();
    sheet.fill(&bridge, &veil(skin.shade, 0.42));
    let shine = glow(
        (-4.0, 52.0),
        20.0,
        &[(0.0, skin.light.lighter(0.45), 0.5), (1.0, skin.light, 0.0)],
    );
    sheet.fill(&oval((-4.0, 48.0), 13.0, 20.0), &shine);
    let under = Pen::at(-24.0 * size, 62.0)
        .curve((-22.0 * size, 76.0), (-8.0, 70.0), (0.0, 76.0))
        .curve((8.0, 70.0), (22.0 * size, 76.0), (24.0 * size, 62.0))
        .open();
    sheet.stroke(&under, 5.5, &veil(skin.deep, 0.62));
}

fn half_width(figure: &Figure) -> f32 {
    40.0 + 15.0 * figure.mood.kindness
}

/// How much higher one corner is: some smile with half their face.
fn smirk(figure: &Figure) -> f32 {
    match figure.archetype {
        Archetype::Rebel => 8.0,
        Archetype::Trickster => 10.0,
        Archetype::Protector
        | Archetype::Sage
        | Archetype::Artist
        | Archetype::Caregiver
        | Archetype::Mystic
        | Archetype::Leader => 0.0,
    }
}

fn draw_smile(sheet: &mut Canvas, figure: &Figure) {
    let skin = &figure.skin;
    let (wide, smirk) = (half_width(figure), smirk(figure));
    let deep = 16.0 + 20.0 * figure.mood.kindness;
    let full = if figure.lashes { 1.0 } else { 0.55 };
    let upper = Pen::at(-wide, MOUTH - deep * 0.42)
        .curve(
            (-wide * 0.5, MOUTH - 6.0 * full),
            (-16.0, MOUTH - 11.0 * full),
            (0.0, MOUTH - 5.0 * full),
        )
        .curve(
            (16.0, MOUTH - 11.0 * full),
            (wide * 0.5, MOUTH - 6.0 * full),
            (wide, MOUTH - deep * 0.42 - smirk),
        )
        .curve(
            (wide * 0.5, MOUTH + deep * 0.6),
            (-wide * 0.5, MOUTH + deep * 0.6),
            (-wide, MOUTH - deep * 0.42),
        )
        .close();
    let lower = Pen::at(-wide * 0.78, MOUTH + deep * 0.12)
        .curve(
            (-wide * 0.4, MOUTH + deep * 0.5),
            (wide * 0.4, MOUTH + deep * 0.5),
            (wide * 0.78, MOUTH + deep * 0.12 - smirk * 0.5),
        )
        .curve(
            (wide * 0.5, MOUTH + deep * 0.5 + 19.0 * full),
            (-wide * 0.5, MOUTH + deep * 0.5 + 19.0 * full),
            (-wide * 0.78, MOUTH + deep * 0.12),
        )
        .close();
    sheet.fill(&lower, &veil(skin.lip, 0.92));
    sheet.fill(&upper, &veil(skin.lip.darker(0.16), 0.92));
    let line = Pen::at(-wide, MOUTH - deep * 0.42)
        .curve(
            (-wide * 0.5, MOUTH + deep * 0.56),
            (wide * 0.5, MOUTH + deep * 0.56),
            (wide, MOUTH - deep * 0.42 - smirk),
        )
        .open();
    sheet.stroke(
        &line,
        5.5,
        &veil(skin.deep.mix(skin.lip, 0.2).darker(0.3), 0.95),
    );
    draw_corners(sheet, figure, wide + 3.0, MOUTH - deep * 0.42);
    draw_lip_shadow(sheet, figure, MOUTH + deep * 0.5 + 22.0 * full);
}

fn laugh(wide: f32, smirk: f32, deep: f32) -> Path {
    Pen::at(-wide, MOUTH - 10.0)
        .curve(
            (-wide * 0.45, MOUTH - 1.0),
            (wide * 0.45, MOUTH - 1.0),
            (wide, MOUTH - 10.0 - smirk),
        )
        .curve(
            (wide * 0.82, MOUTH + deep),
            (-wide * 0.82, MOUTH + deep),
            (-wide, MOUTH - 10.0),
        )
        .close()
}

fn draw_laugh(sheet: &mut Canvas, figure: &Figure) {
    let skin = &figure.skin;
    let (wide, smirk) = (half_width(figure), smirk(figure));
    let deep = 34.0 + 16.0 * figure.mood.energy;
    let mouth = laugh(wide, smirk, deep);
    sheet.stroke(&mouth, 11.0, &flat(skin.lip));
    sheet.fill(
        &mouth,
        &fade(MOUTH - 8.0, MOUTH + deep, hex(0x4A1622), hex(0x74222E)),
    );
    sheet.inside(&mouth, |sheet| {
        let tongue = oval((2.0, MOUTH + deep * 0.86), wide * 0.52, deep * 0.36);
        sheet.fill(&tongue, &flat(hex(0xD96A6C)));
        let teeth = Pen::at(-wide * 1.1, MOUTH - 30.0)
            .line(wide * 1.1, MOUTH - 30.0)
            .line(wide * 0.86, MOUTH + 6.0)
            .curve(
                (wide * 0.4, MOUTH + 15.0),
                (-wide * 0.4, MOUTH + 15.0),
                (-wide * 0.86, MOUTH + 6.0),
            )
            .close();
        sheet.fill(&teeth, &flat(WHITE.mix(hex(0xFFEEDC), 0.4)));
    });
    draw_corners(sheet, figure, wide + 7.0, MOUTH - 11.0);
    draw_lip_shadow(sheet, figure, MOUTH + deep * 0.75 + 20.0);
}

fn draw_corners(sheet: &mut Canvas, figure: &Figure, wide: f32, height: f32) {
    for side in [-1.0, 1.0] {
        let rise = if side > 0.0 { smirk(figure) } else { 0.0 };
        let corner = Pen::at(side * (wide - 3.0), height - 7.0 - rise)
            .bend(
                (side * (wide + 5.0), height - 1.0 - rise),
                (side * wide, height + 8.0 - rise),
            )
            .open();
        sheet.stroke(&corner, 4.0, &veil(figure.skin.deep, 0.42));
    }
}

fn draw_lip_shadow(sheet: &mut Canvas, figure: &Figure, height: f32) {
    let shadow = Pen::at(-16.0, height)
        .bend((0.0, height + 6.0), (16.0, height))
        .open();
    sheet.stroke(&shadow, 5.0, &veil(figure.skin.shade, 0.5));
}
