//! Houses side by side, trees among them, and the ground that they stand on.

use super::palette::Palette;
use super::{UNITS, span};
use crate::canvas::{Canvas, flat, veil};
use crate::dice::Dice;
use crate::shape::{Pen, circle, polygon};
use crate::tone::{INK, WHITE};

/// Where houses stand.
const FLOOR: f32 = 912.0;

pub(super) fn draw(sheet: &mut Canvas, palette: &Palette, seed: u64) {
    let mut dice = Dice::new(seed, "cover street");
    let mut left = -30.0;
    let mut before = None;
    while left < UNITS {
        let wide = dice.between(112.0, 176.0);
        if before != Some(false) || dice.chance(0.72) {
            draw_house(sheet, palette, (left, wide), &mut dice);
            before = Some(true);
        } else {
            before = Some(false);
        }
        left += wide + dice.between(6.0, 44.0);
    }
    for _ in 0..5 {
        let foot = dice.between(20.0, UNITS - 20.0);
        draw_tree(sheet, palette, foot, &mut dice);
    }
    let ground = Pen::at(-10.0, FLOOR + 6.0)
        .curve(
            (300.0, FLOOR - 14.0),
            (700.0, FLOOR + 18.0),
            (1034.0, FLOOR - 4.0),
        )
        .line(1034.0, 1034.0)
        .line(-10.0, 1034.0)
        .close();
    sheet.fill(&ground, &flat(palette.ground));
    let path = Pen::at(-10.0, 968.0)
        .curve((260.0, 936.0), (700.0, 990.0), (1034.0, 952.0))
        .line(1034.0, 974.0)
        .curve((700.0, 1014.0), (260.0, 962.0), (-10.0, 994.0))
        .close();
    sheet.fill(&path, &veil(palette.low, 0.5));
}

fn draw_house(sheet: &mut Canvas, palette: &Palette, (left, wide): (f32, f32), dice: &mut Dice) {
    let floors = dice.pick(&[1.0, 2.0, 2.0, 3.0]);
    let high = 62.0 + floors * 52.0;
    let (top, wall) = (FLOOR - high, dice.pick(&palette.walls));
    sheet.fill(
        &span((left, top), (left + wide, FLOOR + 20.0), 3.0),
        &flat(wall),
    );
    let shaded = span((left + wide * 0.72, top), (left + wide, FLOOR + 20.0), 1.0);
    sheet.fill(&shaded, &veil(INK, 0.09));
    let (roof, eaves) = (dice.pick(&palette.roofs), 11.0);
    let chimney = left + wide * dice.pick(&[0.2, 0.68]);
    sheet.fill(
        &span((chimney, top - 58.0), (chimney + 20.0, top), 2.0),
        &flat(roof.darker(0.2)),
    );
    let shape = if dice.chance(0.6) {
        let ridge = left + wide * dice.pick(&[0.5, 0.5, 0.38]);
        polygon(&[
            (left - eaves, top + 4.0),
            (ridge, top - wide * 0.46),
            (left + wide + eaves, top + 4.0),
        ])
    } else {
        polygon(&[
            (left - eaves, top + 4.0),
            (left + 20.0, top - 44.0),
            (left + wide - 20.0, top - 44.0),
            (left + wide + eaves, top + 4.0),
        ])
    };
    sheet.fill(&shape, &flat(roof));
    draw_windows(sheet, palette, (left, top, wide), dice);
    let door = left + wide * dice.pick(&[0.16, 0.42, 0.64]);
    let tone = dice
        .pick(&palette.roofs)
        .mix(dice.pick(&palette.leaves), 0.4);
    sheet.fill(
        &span((door, FLOOR - 56.0), (door + 32.0, FLOOR + 20.0), 9.0),
        &flat(tone),
    );
    sheet.fill(&circle((door + 25.0, FLOOR - 22.0), 3.0), &veil(WHITE, 0.8));
}

fn draw_windows(
    sheet: &mut Canvas,
    palette: &Palette,
    (left, top, wide): (f32, f32, f32),
    dice: &mut Dice,
) {
    let across = if wide > 140.0 { 3_u8 } else { 2 };
    let step = wide / (f32::from(across) + 0.35);
    let mut y = top + 20.0;
    while y < FLOOR - 84.0 {
        for at in 0..across {
            let x = left + step * (f32::from(at) + 0.35) + 4.0;
            let pane = span((x, y), (x + 25.0, y + 33.0), 3.0);
            let lit = dice.chance(0.75);
            sheet.fill(&pane, &veil(palette.window, if lit { 1.0 } else { 0.35 }));
            sheet.fill(
                &span((x + 11.5, y), (x + 13.5, y + 33.0), 0.5),
                &veil(WHITE, 0.45),
            );
        }
        y += 52.0;
    }
}

fn draw_tree(sheet: &mut Canvas, palette: &Palette, foot: f32, dice: &mut Dice) {
    let high = dice.between(78.0, 136.0);
    let trunk = span(
        (foot - 5.0, FLOOR - high * 0.6),
        (foot + 5.0, FLOOR + 16.0),
        3.0,
    );
    sheet.fill(&trunk, &flat(palette.roofs[1].darker(0.15)));
    let tone = dice.pick(&palette.leaves);
    let crown = high * 0.36;
    for (x, y, size) in [(-0.62, -0.55, 0.78), (0.6, -0.6, 0.8), (0.0, -1.2, 1.0)] {
        let centre = (foot + x * crown, FLOOR - high * 0.42 + y * crown);
        sheet.fill(&circle(centre, crown * size), &flat(tone));
    }
    let shine = (foot - crown * 0.3, FLOOR - high * 0.42 - crown * 1.45);
    sheet.fill(&circle(shine, crown * 0.42), &veil(WHITE, 0.1));
}
