//! What is worn on the face and the head.

use tiny_skia::Path;

use super::figure::{CROWN, Cut, Figure, Glasses};
use super::palette::Archetype;
use crate::canvas::{Canvas, fade, flat, sweep, veil};
use crate::dice::Dice;
use crate::shape::{Pen, circle, mirrored, oval, polygon, ribbon, rounded, sparkle};
use crate::tone::{INK, Tone, WHITE, hex};

/// What lies on the skin, below the hair.
pub(super) fn draw_face(sheet: &mut Canvas, figure: &Figure) {
    let mut dice = Dice::new(figure.seed, "face paint");
    match figure.archetype {
        Archetype::Trickster if figure.glasses == Glasses::None && dice.chance(0.5) => {
            let tear = polygon(&[(-84.0, 36.0), (-75.0, 52.0), (-84.0, 70.0), (-93.0, 52.0)]);
            sheet.fill(&tear, &veil(figure.world.cloth, 0.9));
        }
        Archetype::Mystic if figure.cut != Cut::Bob && figure.cut != Cut::Pixie => {
            let gem = polygon(&[(0.0, -104.0), (9.0, -90.0), (0.0, -74.0), (-9.0, -90.0)]);
            sheet.fill(&gem, &flat(figure.world.trim));
            sheet.fill(&circle((-2.0, -92.0), 2.6), &veil(WHITE, 0.9));
        }
        Archetype::Rebel if dice.chance(0.35) => {
            let plaster = ribbon(&[(74.0, 62.0), (108.0, 48.0)]);
            sheet.stroke(&plaster, 17.0, &flat(hex(0xF0C9A0)));
            sheet.stroke(
                &ribbon(&[(86.0, 57.0), (96.0, 53.0)]),
                13.0,
                &flat(hex(0xDFAE80)),
            );
        }
        Archetype::Protector
        | Archetype::Sage
        | Archetype::Rebel
        | Archetype::Artist
        | Archetype::Caregiver
        | Archetype::Mystic
        | Archetype::Leader
        | Archetype::Trickster => {}
    }
    draw_glasses(sheet, figure);
}

fn draw_glasses(sheet: &mut Canvas, figure: &Figure) {
    let lens: fn(f32) -> Path = match figure.glasses {
        Glasses::None => return,
        Glasses::Round => |x| oval((x, 2.0), 55.0, 53.0),
        Glasses::Square => |x| rounded((x - 56.0, -40.0), (112.0, 84.0), 26.0),
    };
    let mut dice = Dice::new(figure.seed, "glasses");
    let rim = dice.pick(&[
        hex(0x2A2430),
        hex(0x4A2F22),
        figure.world.trim.darker(0.2),
        figure.world.cloth.darker(0.3),
    ]);
    for x in [-69.0, 69.0] {
        let glass = lens(x);
        sheet.fill(&glass, &veil(WHITE, 0.1));
        sheet.inside(&glass, |sheet| {
            let gleam = polygon(&[
                (x - 30.0, -60.0),
                (x - 4.0, -60.0),
                (x - 44.0, 60.0),
                (x - 70.0, 60.0),
            ]);
            sheet.fill(&gleam, &veil(WHITE, 0.15));
        });
        sheet.stroke(&glass, 7.0, &flat(rim));
    }
    sheet.stroke(
        &ribbon(&[(-15.0, -4.0), (0.0, -12.0), (15.0, -4.0)]),
        7.0,
        &flat(rim),
    );
    for side in [-1.0, 1.0] {
        let arm = ribbon(&[
            (side * 124.0, -8.0),
            (side * (figure.face.wide + 2.0), -14.0),
        ]);
        sheet.stroke(&arm, 7.0, &flat(rim));
    }
}

/// What is put on last, above the hair.
pub(super) fn draw_worn(sheet: &mut Canvas, figure: &Figure) {
    let covered = matches!(figure.cut, Cut::Scarf);
    if figure.earrings && !figure.cut.hides_ears() && figure.cut != Cut::Swoosh {
        draw_earrings(sheet, figure);
    }
    let mut dice = Dice::new(figure.seed, "worn");
    match figure.archetype {
        Archetype::Artist
            if !covered
                && !matches!(figure.cut, Cut::Afro | Cut::Bun | Cut::Quiff)
                && dice.chance(0.6) =>
        {
            draw_beret(sheet, figure);
        }
        Archetype::Caregiver if !covered && figure.cut != Cut::Bald && figure.lashes => {
            draw_flower(sheet, figure);
        }
        Archetype::Leader if dice.chance(0.4) && !covered && figure.cut != Cut::Quiff => {
            draw_circlet(sheet, figure);
        }
        Archetype::Rebel
            if dice.chance(0.4)
                && !covered
                && !matches!(figure.cut, Cut::Afro | Cut::Curls | Cut::Quiff | Cut::Bun) =>
        {
            draw_headphones(sheet, figure);
        }
        Archetype::Mystic if !covered && figure.cut != Cut::Bald => {
            sheet.fill(
                &sparkle((118.0, -166.0), 30.0),
                &flat(figure.world.trim.lighter(0.3)),
            );
            sheet.fill(
                &sparkle((146.0, -122.0), 16.0),
                &flat(figure.world.trim.lighter(0.3)),
            );
        }
        Archetype::Protector
        | Archetype::Sage
        | Archetype::Rebel
        | Archetype::Artist
        | Archetype::Caregiver
        | Archetype::Mystic
        | Archetype::Leader
        | Archetype::Trickster => {}
    }
}

fn draw_earrings(sheet: &mut Canvas, figure: &Figure) {
    let mut dice = Dice::new(figure.seed, "earrings");
    let gold: Tone = dice.pick(&[hex(0xE9BE5C), hex(0xDDDFE6), figure.world.trim]);
    let hoop = dice.chance(0.5);
    for side in [-1.0, 1.0] {
        let x = side * (figure.face.wide + 14.0);
        if hoop && figure.lashes {
            sheet.stroke(&circle((x, 76.0), 20.0), 5.0, &flat(gold));
        } else {
            sheet.fill(&circle((x, 52.0), 8.5), &flat(gold));
            sheet.fill(&circle((x - 2.5, 49.5), 3.0), &veil(WHITE, 0.85));
        }
    }
}

fn draw_beret(sheet: &mut Canvas, figure: &Figure) {
    let tone = figure.world.trim;
    let crown = Pen::at(-172.0, -116.0)
        .curve((-236.0, -180.0), (-190.0, -276.0), (-60.0, -290.0))
        .curve((70.0, -304.0), (196.0, -260.0), (194.0, -170.0))
        .curve((192.0, -140.0), (176.0, -118.0), (160.0, -112.0))
        .curve((80.0, -176.0), (-80.0, -182.0), (-172.0, -116.0))
        .close();
    sheet.fill(
        &crown,
        &fade(-290.0, -110.0, tone.lighter(0.14), tone.darker(0.18)),
    );
    let fold = ribbon(&[(-150.0, -170.0), (-20.0, -220.0), (130.0, -196.0)]);
    sheet.stroke(&fold, 6.0, &veil(INK, 0.12));
    let band = Pen::at(-172.0, -116.0)
        .curve((-80.0, -186.0), (80.0, -180.0), (162.0, -112.0))
        .open();
    sheet.stroke(&band, 20.0, &flat(tone.darker(0.3)));
    let stalk = ribbon(&[(-34.0, -288.0), (-30.0, -304.0), (-22.0, -312.0)]);
    sheet.stroke(&stalk, 10.0, &flat(tone.darker(0.12)));
}

fn draw_flower(sheet: &mut Canvas, figure: &Figure) {
    let petal = figure.world.trim;
    let (x, y) = (-136.0, -112.0);
    for (lean, size) in [(-0.5_f32, 1.0), (2.4, 0.9)] {
        let leaf = ribbon(&[
            (x, y),
            (x + 50.0 * lean.cos(), y + 56.0 * lean.sin()),
            (x + 62.0 * lean.cos(), y + 70.0 * lean.sin()),
        ]);
        sheet.stroke(&leaf, 20.0 * size, &flat(figure.world.hill.lighter(0.15)));
    }
    for index in 0_u8..6 {
        let angle = std::f32::consts::TAU * f32::from(index) / 6.0;
        let spot = (x + 25.0 * angle.cos(), y + 25.0 * angle.sin());
        sheet.fill(
            &circle(spot, 20.0),
            &flat(petal.mix(figure.skin.blush, if index % 2 == 0 { 0.12 } else { 0.24 })),
        );
    }
    sheet.fill(&circle((x, y), 15.0), &flat(hex(0xF2B83E)));
    sheet.fill(&circle((x - 4.0, y - 4.0), 5.0), &veil(WHITE, 0.6));
}

fn draw_circlet(sheet: &mut Canvas, figure: &Figure) {
    let gold = figure.world.trim;
    let wide = figure.face.wide + 8.0;
    let band = mirrored(
        (0.0, CROWN + 72.0),
        &[
            (
                (60.0, CROWN + 72.0),
                (120.0, CROWN + 84.0),
                (wide, CROWN + 116.0),
            ),
            (
                (wide + 2.0, CROWN + 122.0),
                (wide, CROWN + 132.0),
                (wide - 4.0, CROWN + 134.0),
            ),
            (
                (118.0, CROWN + 100.0),
                (60.0, CROWN + 90.0),
                (0.0, CROWN + 90.0),
            ),
        ],
    );
    let metal = sweep(
        (-wide, 0.0),
        (wide, 0.0),
        &[
            (0.0, gold.darker(0.2), 1.0),
            (0.35, gold.lighter(0.5), 1.0),
            (1.0, gold.darker(0.25), 1.0),
        ],
    );
    sheet.fill(&band, &metal);
    let peak = polygon(&[
        (0.0, CROWN + 36.0),
        (20.0, CROWN + 74.0),
        (0.0, CROWN + 108.0),
        (-20.0, CROWN + 74.0),
    ]);
    sheet.fill(&peak, &metal);
    sheet.fill(
        &oval((0.0, CROWN + 74.0), 9.0, 13.0),
        &flat(figure.world.cloth),
    );
    sheet.fill(&circle((-3.0, CROWN + 70.0), 3.0), &veil(WHITE, 0.9));
}

fn draw_headphones(sheet: &mut Canvas, figure: &Figure) {
    let tone = figure.world.low;
    let wide = figure.face.wide + 14.0;
    let band = Pen::at(-wide - 4.0, -30.0)
        .curve((-wide - 16.0, -190.0), (-104.0, -256.0), (0.0, -256.0))
        .curve((104.0, -256.0), (wide + 16.0, -190.0), (wide + 4.0, -30.0))
        .open();
    sheet.stroke(&band, 17.0, &flat(INK.lighter(0.1)));
    sheet.stroke(&band, 6.0, &veil(tone, 0.9));
    for side in [-1.0, 1.0] {
        let x = side * (wide + 8.0);
        sheet.fill(
            &rounded((x - 24.0, -42.0), (48.0, 104.0), 22.0),
            &fade(-42.0, 62.0, INK.lighter(0.22), INK),
        );
        sheet.fill(
            &rounded((x + side * 8.0 - 15.0, -34.0), (30.0, 88.0), 15.0),
            &fade(-34.0, 54.0, tone.lighter(0.2), tone.darker(0.15)),
        );
    }
}
