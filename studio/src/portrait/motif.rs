//! What floats behind each archetype.

use std::f32::consts::TAU;

use tiny_skia::{Path, Transform};

use super::emblem::{crescent, heart, shield};
use super::figure::Figure;
use super::palette::Archetype;
use crate::canvas::{Canvas, flat, veil};
use crate::dice::Dice;
use crate::shape::{Pen, Spot, circle, moved, oval, polygon, ribbon, sparkle};
use crate::tone::WHITE;

pub(super) fn draw(sheet: &mut Canvas, figure: &Figure, sun: Spot, size: f32) {
    let mut dice = Dice::new(figure.seed, "motif");
    match figure.archetype {
        Archetype::Protector => peaks(sheet, figure, &mut dice),
        Archetype::Sage => constellations(sheet, figure, &mut dice),
        Archetype::Rebel => slashes(sheet, figure, &mut dice),
        Archetype::Artist => blobs(sheet, figure, &mut dice),
        Archetype::Caregiver => leaves(sheet, figure, &mut dice),
        Archetype::Mystic => moons(sheet, figure, sun, size),
        Archetype::Leader => rays(sheet, figure, sun, size),
        Archetype::Trickster => confetti(sheet, figure, &mut dice),
    }
}

fn peaks(sheet: &mut Canvas, figure: &Figure, dice: &mut Dice) {
    let world = &figure.world;
    let shift = dice.between(-40.0, 40.0);
    for (x, high, wide) in [
        (150.0, 470.0, 260.0),
        (880.0, 430.0, 300.0),
        (1010.0, 560.0, 220.0),
        (20.0, 580.0, 200.0),
    ] {
        let x = x + shift;
        let slope = world.middle.mix(world.hill, 0.55);
        sheet.fill(
            &polygon(&[(x - wide, 900.0), (x, high), (x + wide, 900.0)]),
            &flat(slope),
        );
        let lit = slope.mix(world.sun, 0.24);
        sheet.fill(
            &polygon(&[
                (x - wide, 900.0),
                (x, high),
                (x + 16.0, 620.0),
                (x - 24.0, 900.0),
            ]),
            &flat(lit),
        );
        let snow = polygon(&[
            (x, high),
            (x + wide * 0.19, high + 82.0),
            (x + 14.0, high + 62.0),
            (x - 12.0, high + 92.0),
            (x - wide * 0.19, high + 82.0),
        ]);
        sheet.fill(&snow, &veil(WHITE.mix(world.sun, 0.3), 0.9));
    }
    for (x, y, size) in [(120.0, 200.0, 46.0), (912.0, 190.0, 34.0)] {
        let outline = moved(&shield(size), Transform::from_translate(x, y));
        sheet.stroke(&outline, 5.0, &veil(world.sun, 0.45));
    }
}

fn constellations(sheet: &mut Canvas, figure: &Figure, dice: &mut Dice) {
    let tone = figure.world.sun.lighter(0.3);
    let groups: [[Spot; 5]; 3] = [
        [
            (70.0, 150.0),
            (150.0, 96.0),
            (232.0, 150.0),
            (196.0, 250.0),
            (96.0, 290.0),
        ],
        [
            (960.0, 120.0),
            (880.0, 180.0),
            (800.0, 120.0),
            (930.0, 280.0),
            (850.0, 330.0),
        ],
        [
            (80.0, 500.0),
            (150.0, 570.0),
            (90.0, 650.0),
            (180.0, 690.0),
            (60.0, 740.0),
        ],
    ];
    for group in groups {
        let spots =
            group.map(|(x, y)| (x + dice.between(-22.0, 22.0), y + dice.between(-22.0, 22.0)));
        let mut pen = Pen::at(spots[0].0, spots[0].1);
        for &(x, y) in &spots[1..] {
            pen = pen.line(x, y);
        }
        sheet.stroke(&pen.open(), 3.0, &veil(tone, 0.45));
        for spot in spots {
            let size = dice.between(6.0, 10.0);
            sheet.fill(&circle(spot, size * 1.9), &veil(tone, 0.18));
            sheet.fill(&circle(spot, size), &veil(tone, 0.95));
        }
    }
    for _ in 0..40 {
        let spot = (dice.between(20.0, 1004.0), dice.between(20.0, 640.0));
        sheet.fill(&circle(spot, dice.between(1.4, 3.4)), &veil(tone, 0.6));
    }
}

fn slashes(sheet: &mut Canvas, figure: &Figure, dice: &mut Dice) {
    let world = &figure.world;
    for index in 0_u8..7 {
        let x = -60.0 + 180.0 * f32::from(index) + dice.between(-30.0, 30.0);
        let wide = dice.between(14.0, 46.0);
        let (top, bottom) = (dice.between(-40.0, 260.0), dice.between(500.0, 860.0));
        let lean = (bottom - top) * 0.36;
        let slash = polygon(&[
            (x + lean, top),
            (x + lean + wide, top - 20.0),
            (x + wide, bottom),
            (x - 4.0, bottom + 30.0),
        ]);
        let tone = if index % 2 == 0 {
            world.sun
        } else {
            world.high
        };
        sheet.fill(&slash, &veil(tone, 0.3));
    }
    for (x, y, scale) in [(140.0, 190.0, 1.0), (880.0, 330.0, 0.8)] {
        let bolt = polygon(&[
            (20.0, -90.0),
            (-46.0, 16.0),
            (-4.0, 16.0),
            (-22.0, 96.0),
            (50.0, -22.0),
            (8.0, -22.0),
            (44.0, -90.0),
        ]);
        let place = Transform::from_row(scale, 0.0, 0.0, scale, x, y);
        sheet.fill(&moved(&bolt, place), &veil(world.sun.lighter(0.2), 0.92));
    }
}

fn blobs(sheet: &mut Canvas, figure: &Figure, dice: &mut Dice) {
    let world = &figure.world;
    let tones = [
        world.trim,
        world.cloth_second,
        world.sun,
        world.high.lighter(0.2),
        world.low,
    ];
    for (index, (x, y)) in [
        (110.0, 180.0),
        (900.0, 150.0),
        (70.0, 560.0),
        (950.0, 520.0),
        (260.0, 60.0),
        (800.0, 690.0),
    ]
    .into_iter()
    .enumerate()
    {
        let size = dice.between(48.0, 110.0);
        let tone = tones[index % tones.len()];
        sheet.fill(&blob((x, y), size, dice), &veil(tone, 0.7));
        for _ in 0..3 {
            let angle = dice.between(0.0, TAU);
            let far = size * dice.between(1.2, 1.6);
            let spot = (x + far * angle.cos(), y + far * angle.sin());
            sheet.fill(&circle(spot, dice.between(5.0, 15.0)), &veil(tone, 0.75));
        }
    }
    let stroke = ribbon(&[
        (30.0, 360.0),
        (150.0, 320.0),
        (120.0, 420.0),
        (250.0, 380.0),
    ]);
    sheet.stroke(&stroke, 20.0, &veil(world.sun, 0.65));
    let stroke = ribbon(&[
        (780.0, 320.0),
        (880.0, 270.0),
        (870.0, 370.0),
        (1000.0, 330.0),
    ]);
    sheet.stroke(&stroke, 20.0, &veil(world.trim, 0.7));
}

/// A rounded puddle around a centre.
fn blob(centre: Spot, size: f32, dice: &mut Dice) -> Path {
    let spots: Vec<Spot> = (0_u8..7)
        .map(|index| {
            let angle = TAU * f32::from(index) / 7.0;
            let far = size * dice.between(0.84, 1.3);
            (centre.0 + far * angle.cos(), centre.1 + far * angle.sin())
        })
        .collect();
    // Every roll is a handle, and the line runs through the middles between them.
    let middle = |one: Spot, other: Spot| (one.0.midpoint(other.0), one.1.midpoint(other.1));
    let start = middle(spots[spots.len() - 1], spots[0]);
    let mut pen = Pen::at(start.0, start.1);
    for (index, &spot) in spots.iter().enumerate() {
        pen = pen.bend(spot, middle(spot, spots[(index + 1) % spots.len()]));
    }
    pen.close()
}

fn leaves(sheet: &mut Canvas, figure: &Figure, dice: &mut Dice) {
    let world = &figure.world;
    for (x, y, turn, count) in [
        (-10.0, 760.0, -62.0, 7_u8),
        (1034.0, 760.0, -118.0, 7),
        (-10.0, 330.0, -28.0, 5),
        (1034.0, 300.0, -152.0, 5),
    ] {
        let turn = turn + dice.between(-8.0, 8.0);
        let place = Transform::from_translate(x, y).pre_concat(Transform::from_rotate(turn));
        let tone = world.high.mix(world.hill, dice.between(0.0, 0.6));
        sheet.placed(place, |sheet| {
            let length = 58.0 * f32::from(count);
            sheet.stroke(
                &ribbon(&[(0.0, 0.0), (length * 0.5, -14.0), (length, 0.0)]),
                5.0,
                &veil(tone, 0.85),
            );
            for index in 0..count {
                let along = 50.0 * f32::from(index) + 40.0;
                for side in [-1.0, 1.0] {
                    let leaf = Pen::at(along, -8.0)
                        .curve(
                            (along + 10.0, side * 46.0 - 8.0),
                            (along + 50.0, side * 64.0),
                            (along + 78.0, side * 56.0),
                        )
                        .curve(
                            (along + 70.0, side * 20.0),
                            (along + 40.0, side * 2.0),
                            (along, -8.0),
                        )
                        .close();
                    let shade = if side > 0.0 { tone } else { tone.lighter(0.14) };
                    sheet.fill(&leaf, &veil(shade, 0.88));
                }
            }
        });
    }
    for _ in 0..4 {
        let side = if dice.chance(0.5) { 0.0 } else { 760.0 };
        let spot = (side + dice.between(60.0, 210.0), dice.between(90.0, 640.0));
        let sign = heart(spot, dice.between(12.0, 24.0));
        sheet.fill(&sign, &veil(world.sun, 0.85));
    }
}

fn moons(sheet: &mut Canvas, figure: &Figure, sun: Spot, size: f32) {
    let mut dice = Dice::new(figure.seed, "moons");
    let tone = figure.world.sun;
    for ring in [40.0, 64.0] {
        sheet.stroke(&circle(sun, size + ring), 2.5, &veil(tone, 0.4));
    }
    for (index, angle) in [-2.75_f32, -2.2, -0.94, -0.39].into_iter().enumerate() {
        let far = size + 52.0;
        let spot = (sun.0 + far * angle.cos(), sun.1 + far * angle.sin());
        let place = Transform::from_translate(spot.0, spot.1)
            .pre_concat(Transform::from_rotate(if index < 2 { 90.0 } else { -90.0 }));
        sheet.fill(&circle(spot, 27.0), &veil(figure.world.high, 0.85));
        sheet.fill(
            &moved(&crescent((0.0, -6.0), 24.0), place),
            &veil(tone, 0.95),
        );
    }
    for _ in 0..36 {
        let spot = (dice.between(20.0, 1004.0), dice.between(20.0, 720.0));
        let size = dice.between(3.0, 15.0);
        sheet.fill(&sparkle(spot, size), &veil(tone.lighter(0.3), 0.8));
    }
}

fn rays(sheet: &mut Canvas, figure: &Figure, sun: Spot, size: f32) {
    let tone = figure.world.sun;
    for index in 0_u8..20 {
        let angle = TAU * f32::from(index) / 20.0;
        let at = |far: f32, turn: f32| (sun.0 + far * turn.cos(), sun.1 + far * turn.sin());
        let inner = size + 26.0;
        let ray = polygon(&[
            at(inner, angle - 0.035),
            at(1200.0, angle - 0.075),
            at(1200.0, angle + 0.075),
            at(inner, angle + 0.035),
        ]);
        sheet.fill(&ray, &veil(tone, 0.16 + 0.14 * figure.mood.charisma));
    }
    sheet.stroke(&circle(sun, size + 14.0), 4.0, &veil(tone, 0.6));
    for side in [-1.0, 1.0] {
        for index in 0_u8..7 {
            let angle = 1.15 - 0.27 * f32::from(index);
            let far = size + 14.0;
            let spot = (sun.0 + side * far * angle.cos(), sun.1 + far * angle.sin());
            let turn = if side > 0.0 {
                angle.to_degrees() - 62.0
            } else {
                242.0 - angle.to_degrees()
            };
            let place =
                Transform::from_translate(spot.0, spot.1).pre_concat(Transform::from_rotate(turn));
            sheet.fill(
                &moved(&oval((20.0, 0.0), 32.0, 11.0), place),
                &veil(figure.world.trim, 0.9),
            );
        }
    }
}

fn confetti(sheet: &mut Canvas, figure: &Figure, dice: &mut Dice) {
    let world = &figure.world;
    for column in 0_u8..8 {
        for row in 0_u8..6 {
            let shift = if row % 2 == 0 { 0.0 } else { 73.0 };
            let (x, y) = (
                146.0 * f32::from(column) + shift - 40.0,
                70.0 + 116.0 * f32::from(row),
            );
            let diamond = polygon(&[(x, y - 104.0), (x + 64.0, y), (x, y + 104.0), (x - 64.0, y)]);
            sheet.fill(&diamond, &veil(WHITE, 0.055));
        }
    }
    let tones = [world.trim, world.cloth, world.cloth_second, world.sun];
    for index in 0_usize..46 {
        let spot = (dice.between(20.0, 1004.0), dice.between(20.0, 760.0));
        let turn = Transform::from_translate(spot.0, spot.1)
            .pre_concat(Transform::from_rotate(dice.between(0.0, 180.0)));
        let tone = tones[index % tones.len()];
        let size = dice.between(7.0, 15.0);
        let piece = match index % 3 {
            0 => polygon(&[
                (-size, -size * 0.5),
                (size, -size * 0.5),
                (size, size * 0.5),
                (-size, size * 0.5),
            ]),
            1 => circle((0.0, 0.0), size * 0.7),
            _ => polygon(&[(0.0, -size), (size, size * 0.7), (-size, size * 0.7)]),
        };
        sheet.fill(&moved(&piece, turn), &veil(tone, 0.85));
    }
}
