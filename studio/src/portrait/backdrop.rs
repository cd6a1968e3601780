//! The sky, the disc behind the head, and the hills.

use super::UNITS;
use super::figure::Figure;
use super::motif;
use crate::canvas::{Canvas, Fill, glow, sweep, veil};
use crate::dice::Dice;
use crate::shape::{Pen, circle, rounded};
use crate::tone::{INK, WHITE};

pub(super) fn draw(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    let mut dice = Dice::new(figure.seed, "sky");
    let all = rounded((0.0, 0.0), (UNITS, UNITS), 0.5);
    let lean = dice.between(-200.0, 200.0);
    let sky = sweep(
        (512.0 - lean, -20.0),
        (512.0 + lean, 1000.0),
        &[
            (0.0, world.high, 1.0),
            (0.55, world.middle, 1.0),
            (1.0, world.low, 1.0),
        ],
    );
    sheet.fill(&all, &sky);

    let sun = (
        512.0 + dice.pick(&[-170.0, 0.0, 0.0, 170.0]),
        dice.between(330.0, 400.0),
    );
    let size = dice.between(255.0, 320.0);
    let aura = 0.25 + 0.6 * figure.mood.charisma;
    let halo = glow(
        sun,
        size * 2.1,
        &[
            (0.0, world.sun, aura),
            (0.45, world.sun, aura * 0.5),
            (1.0, world.sun, 0.0),
        ],
    );
    sheet.fill(&all, &halo);
    let disc = sweep(
        (sun.0, sun.1 - size),
        (sun.0, sun.1 + size),
        &[(0.0, world.sun, 0.85), (1.0, world.low, 0.35)],
    );
    sheet.fill(&circle(sun, size), &disc);
    motif::draw(sheet, figure, sun, size);
    draw_hills(sheet, figure, &mut dice);
    let corners = glow(
        (512.0, 470.0),
        760.0,
        &[(0.0, INK, 0.0), (0.62, INK, 0.0), (1.0, INK, 0.42)],
    );
    sheet.fill(&all, &corners);
}

fn draw_hills(sheet: &mut Canvas, figure: &Figure, dice: &mut Dice) {
    let world = &figure.world;
    let far = world.hill.mix(world.middle, 0.5);
    for (tone, height, alpha) in [(far, 770.0, 0.8), (world.hill, 850.0, 0.95)] {
        let rise = dice.between(40.0, 110.0) * if dice.chance(0.5) { 1.0 } else { -1.0 };
        let hill = Pen::at(-10.0, height + rise * 0.4)
            .curve(
                (220.0, height - rise),
                (330.0, height - rise * 0.8),
                (512.0, height),
            )
            .curve(
                (700.0, height + rise * 0.8),
                (820.0, height + rise * 0.4),
                (1034.0, height - rise * 0.6),
            )
            .line(1034.0, 1034.0)
            .line(-10.0, 1034.0)
            .close();
        sheet.fill(&hill, &veil(tone, alpha));
        sheet.inside(&hill, |sheet| {
            sheet.fill(&hill, &fade_out(height));
        });
    }
}

fn fade_out(height: f32) -> Fill {
    sweep(
        (0.0, height - 80.0),
        (0.0, height + 90.0),
        &[(0.0, WHITE, 0.12), (1.0, WHITE, 0.0)],
    )
}
