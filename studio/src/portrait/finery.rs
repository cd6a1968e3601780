//! The softer garments and what is worn over them, in body coordinates.

use std::f32::consts::PI;

use tiny_skia::{Path, Transform};

use super::emblem::{crescent, heart};
use super::figure::Figure;
use super::garments::both;
use crate::canvas::{Canvas, fade, flat, veil};
use crate::dice::Dice;
use crate::shape::{Pen, circle, moved, oval, polygon, ribbon, sparkle};
use crate::tone::{INK, WHITE};

pub(super) fn knit(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    let dark = world.cloth_second;
    for column in 0_u8..9 {
        let x = -320.0 + 80.0 * f32::from(column);
        for row in 0_u8..9 {
            let y = 800.0 + 30.0 * f32::from(row);
            let stitch = Pen::at(x - 17.0, y)
                .bend((x - 4.0, y + 16.0), (x, y + 22.0))
                .bend((x + 4.0, y + 16.0), (x + 17.0, y))
                .open();
            sheet.stroke(&stitch, 6.0, &veil(dark, 0.55));
        }
        let rib = ribbon(&[(x + 40.0, 760.0), (x + 40.0, 1050.0)]);
        sheet.stroke(&rib, 4.0, &veil(dark, 0.5));
    }
    let heart = heart((-152.0, 900.0), 30.0);
    sheet.fill(&heart, &flat(world.trim));
    sheet.stroke(&heart, 4.0, &veil(dark.darker(0.2), 0.5));
}

pub(super) fn roll_neck(sheet: &mut Canvas, figure: &Figure) {
    let tone = figure.world.cloth;
    let roll = Pen::at(-82.0, 700.0)
        .curve((-50.0, 728.0), (50.0, 728.0), (82.0, 700.0))
        .curve((98.0, 716.0), (102.0, 760.0), (92.0, 778.0))
        .curve((50.0, 806.0), (-50.0, 806.0), (-92.0, 778.0))
        .curve((-102.0, 760.0), (-98.0, 716.0), (-82.0, 700.0))
        .close();
    sheet.fill(
        &roll,
        &fade(700.0, 800.0, tone.lighter(0.14), tone.darker(0.1)),
    );
    sheet.inside(&roll, |sheet| {
        for column in 0_u8..11 {
            let x = -90.0 + 18.0 * f32::from(column);
            let rib = ribbon(&[(x * 0.94, 700.0), (x * 1.04, 756.0), (x, 810.0)]);
            sheet.stroke(&rib, 4.0, &veil(figure.world.cloth_second, 0.6));
        }
    });
}

pub(super) fn cloak(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    let mantle = Pen::at(70.0, 716.0)
        .curve((120.0, 800.0), (60.0, 900.0), (30.0, 1050.0))
        .line(400.0, 1050.0)
        .line(400.0, 690.0)
        .close();
    let cloth = world.cloth_second;
    both(sheet, &mantle, |sheet, shape| {
        sheet.fill(
            shape,
            &fade(730.0, 1040.0, cloth.lighter(0.14), cloth.darker(0.2)),
        );
        sheet.stroke(shape, 6.0, &veil(world.trim, 0.9));
    });
    let mut dice = Dice::new(figure.seed, "stars");
    for _ in 0..16 {
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        let spot = (
            side * dice.between(130.0, 320.0),
            dice.between(810.0, 1010.0),
        );
        let star = sparkle(spot, dice.between(4.0, 12.0));
        sheet.fill(&star, &veil(world.trim.lighter(0.3), 0.75));
    }
}

pub(super) fn pendant(sheet: &mut Canvas, figure: &Figure) {
    let gold = figure.world.trim;
    let chain = ribbon(&[
        (-70.0, 748.0),
        (-40.0, 800.0),
        (0.0, 822.0),
        (40.0, 800.0),
        (70.0, 748.0),
    ]);
    sheet.stroke(&chain, 4.0, &flat(gold));
    let moon = crescent((0.0, 846.0), 27.0);
    sheet.fill(&moon, &fade(820.0, 876.0, gold.lighter(0.4), gold));
    sheet.fill(
        &circle((0.0, 844.0), 7.0),
        &flat(WHITE.mix(figure.world.sun, 0.4)),
    );
}

pub(super) fn motley(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    let half = polygon(&[(0.0, 700.0), (400.0, 700.0), (400.0, 1050.0), (0.0, 1050.0)]);
    sheet.fill(
        &half,
        &fade(
            740.0,
            1040.0,
            world.cloth_second.lighter(0.1),
            world.cloth_second,
        ),
    );
    for column in 0_u8..9 {
        for row in 0_u8..5 {
            let shift = if row % 2 == 0 { 0.0 } else { 40.0 };
            let (x, y) = (
                -360.0 + 80.0 * f32::from(column) + shift,
                800.0 + 58.0 * f32::from(row),
            );
            let diamond = polygon(&[(x, y - 54.0), (x + 36.0, y), (x, y + 54.0), (x - 36.0, y)]);
            let tone = if x < 0.0 {
                world.cloth_second
            } else {
                world.cloth
            };
            sheet.fill(&diamond, &veil(tone, 0.75));
        }
    }
    for y in [880.0, 944.0, 1006.0] {
        sheet.fill(&circle((0.0, y), 13.0), &flat(world.trim.darker(0.15)));
        sheet.fill(
            &circle((-3.0, y - 3.0), 8.0),
            &flat(world.trim.lighter(0.35)),
        );
    }
}

pub(super) fn ruff(sheet: &mut Canvas, figure: &Figure) {
    let tone = figure.world.trim.lighter(0.25);
    for (wide, high, drop, dark) in [
        (168.0, 58.0, 800.0, 0.2),
        (140.0, 46.0, 780.0, 0.06),
        (108.0, 34.0, 758.0, 0.0),
    ] {
        let frill = scallops((0.0, drop), (wide, high));
        let shadow = moved(&frill, Transform::from_translate(3.0, 9.0));
        sheet.fill(&shadow, &veil(INK, 0.2));
        let top = tone.darker(dark);
        sheet.fill(
            &frill,
            &fade(drop - high, drop + high + 20.0, top.darker(0.1), top),
        );
        for pleat in 0_u8..13 {
            let angle = PI * (0.04 + 0.92 * f32::from(pleat) / 12.0);
            let at = |far: f32| (wide * far * angle.cos(), drop + high * far * angle.sin());
            sheet.stroke(&ribbon(&[at(0.66), at(1.0)]), 3.5, &veil(INK, 0.14));
        }
    }
}

fn scallops(centre: (f32, f32), size: (f32, f32)) -> Path {
    let mut pen = Pen::at(centre.0, centre.1).and(&oval(centre, size.0, size.1));
    for frill in 0_u8..26 {
        let angle = 2.0 * PI * f32::from(frill) / 26.0;
        let spot = (
            centre.0 + size.0 * angle.cos(),
            centre.1 + size.1 * angle.sin(),
        );
        pen = pen.and_circle(spot, size.0 * 0.13);
    }
    pen.open()
}
