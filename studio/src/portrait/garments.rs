//! The garments themselves, drawn inside the torso in body coordinates.

use tiny_skia::{Path, Transform};

use super::emblem::shield;
use super::figure::Figure;
use crate::canvas::{Canvas, fade, flat, veil};
use crate::dice::Dice;
use crate::shape::{Pen, circle, flipped, moved, polygon, ribbon, rounded, sparkle, star};
use crate::tone::{INK, Tone};

pub(super) fn both(sheet: &mut Canvas, shape: &Path, paint: impl Fn(&mut Canvas, &Path)) {
    paint(sheet, shape);
    paint(sheet, &flipped(shape));
}

pub(super) fn cape(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    for row in 0_u8..5 {
        let low = 850.0 + 46.0 * f32::from(row);
        let seam = ribbon(&[(-190.0, low - 26.0), (0.0, low), (190.0, low - 26.0)]);
        sheet.stroke(&seam, 4.0, &veil(world.cloth.darker(0.6), 0.55));
    }
    let fold = Pen::at(60.0, 730.0)
        .curve((150.0, 780.0), (110.0, 900.0), (170.0, 1050.0))
        .line(380.0, 1050.0)
        .line(380.0, 700.0)
        .close();
    let cloth = world.cloth_second;
    both(sheet, &fold, |sheet, shape| {
        sheet.fill(
            shape,
            &fade(730.0, 1030.0, cloth.lighter(0.1), cloth.darker(0.25)),
        );
        sheet.stroke(shape, 7.0, &veil(world.trim, 0.95));
    });
    for lean in [0.0, 44.0, 92.0] {
        let crease = ribbon(&[
            (150.0 + lean * 0.8, 790.0 + lean * 0.3),
            (176.0 + lean, 900.0),
            (214.0 + lean, 1040.0),
        ]);
        both(sheet, &crease, |sheet, line| {
            sheet.stroke(line, 6.0, &veil(INK, 0.2));
        });
    }
}

pub(super) fn clasp(sheet: &mut Canvas, figure: &Figure) {
    let (gold, dark) = (figure.world.trim, figure.world.cloth.darker(0.3));
    let chain = ribbon(&[(-92.0, 796.0), (0.0, 836.0), (92.0, 796.0)]);
    sheet.stroke(&chain, 9.0, &flat(gold.darker(0.25)));
    sheet.stroke(&chain, 4.0, &flat(gold.lighter(0.3)));
    let badge = shield(42.0);
    let place = Transform::from_translate(0.0, 846.0);
    sheet.fill(
        &moved(&badge, place),
        &fade(800.0, 900.0, gold.lighter(0.35), gold.darker(0.2)),
    );
    sheet.fill(
        &moved(&shield(31.0), place),
        &fade(810.0, 890.0, dark.lighter(0.12), dark),
    );
    sheet.fill(&star((0.0, 846.0), 5, 17.0, 7.4), &flat(gold.lighter(0.3)));
}

pub(super) fn robe(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    let under = polygon(&[
        (84.0, 720.0),
        (-70.0, 960.0),
        (-40.0, 1050.0),
        (180.0, 1050.0),
    ]);
    sheet.fill(&under, &veil(world.cloth_second, 0.6));
    let band = |lean: f32, width: f32| {
        Pen::at(lean * 66.0, 720.0)
            .curve(
                (lean * 60.0, 800.0),
                (lean * 10.0, 860.0),
                (lean * -86.0, 1050.0),
            )
            .line(lean * (width - 86.0), 1050.0)
            .curve(
                (lean * (10.0 + width), 880.0),
                (lean * (60.0 + width), 820.0),
                (lean * (66.0 + width), 720.0),
            )
            .close()
    };
    for (lean, tone) in [(1.0, world.trim.darker(0.16)), (-1.0, world.trim)] {
        sheet.fill(
            &band(lean, 56.0),
            &fade(720.0, 1040.0, tone.lighter(0.1), tone.darker(0.14)),
        );
        sheet.stroke(&band(lean, 56.0), 3.0, &veil(INK, 0.16));
    }
    let mut dice = Dice::new(figure.seed, "robe");
    let dots = dice.chance(0.4 + 0.5 * figure.mood.intellect);
    if dots {
        for (x, y) in [
            (-236.0, 850.0),
            (-190.0, 930.0),
            (-266.0, 980.0),
            (214.0, 860.0),
            (256.0, 940.0),
            (186.0, 990.0),
        ] {
            sheet.fill(&sparkle((x, y), 20.0), &veil(world.trim, 0.6));
        }
    }
}

pub(super) fn jacket(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    let shell = Pen::at(74.0, 726.0)
        .curve((90.0, 800.0), (70.0, 900.0), (64.0, 1050.0))
        .line(400.0, 1050.0)
        .line(400.0, 700.0)
        .close();
    let leather = world.cloth;
    both(sheet, &shell, |sheet, shape| {
        sheet.fill(
            shape,
            &fade(740.0, 1030.0, leather.lighter(0.12), leather.darker(0.3)),
        );
    });
    let lapel = polygon(&[
        (70.0, 716.0),
        (176.0, 762.0),
        (204.0, 846.0),
        (152.0, 850.0),
        (172.0, 896.0),
        (72.0, 1010.0),
    ]);
    both(sheet, &lapel, |sheet, shape| {
        let tone = world.cloth_second.lighter(0.1);
        sheet.fill(shape, &fade(740.0, 1000.0, tone.lighter(0.14), tone));
        sheet.stroke(shape, 4.0, &veil(leather.lighter(0.4), 0.5));
    });
    for (x, y) in [(128.0, 776.0), (158.0, 800.0), (176.0, 830.0)] {
        both(sheet, &circle((x, y), 6.0), |sheet, stud| {
            sheet.fill(stud, &flat(world.trim.lighter(0.2)));
        });
    }
    let zip = ribbon(&[(66.0, 1050.0), (76.0, 950.0), (74.0, 900.0)]);
    both(sheet, &zip, |sheet, line| {
        sheet.stroke(line, 5.0, &veil(world.trim, 0.8));
    });
    let flash = polygon(&[
        (8.0, 900.0),
        (-34.0, 968.0),
        (-6.0, 968.0),
        (-16.0, 1026.0),
        (34.0, 946.0),
        (6.0, 946.0),
        (24.0, 900.0),
    ]);
    sheet.fill(&flash, &flat(world.low));
}

pub(super) fn stripes(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    for row in 0_u8..6 {
        let low = 834.0 + 44.0 * f32::from(row);
        let line = ribbon(&[
            (-380.0, low - 4.0),
            (-200.0, low - 16.0),
            (0.0, low),
            (200.0, low - 16.0),
            (380.0, low - 4.0),
        ]);
        sheet.stroke(&line, 17.0, &flat(world.cloth_second));
    }
    let mut dice = Dice::new(figure.seed, "paint");
    for tone in [world.trim, world.high.lighter(0.2), world.low, world.middle] {
        let spot = (dice.between(-250.0, 250.0), dice.between(880.0, 1010.0));
        let size = dice.between(9.0, 20.0);
        sheet.fill(&circle(spot, size), &flat(tone));
        let drop = (spot.0 + size * 1.3, spot.1 - size * 0.8);
        sheet.fill(&circle(drop, size * 0.36), &flat(tone));
    }
}

pub(super) fn neckerchief(sheet: &mut Canvas, figure: &Figure) {
    let tone = figure.world.trim;
    let tail = Pen::at(20.0, 800.0)
        .curve((50.0, 830.0), (64.0, 870.0), (58.0, 916.0))
        .curve((34.0, 906.0), (16.0, 884.0), (2.0, 830.0))
        .close();
    sheet.fill(
        &tail,
        &fade(800.0, 910.0, tone.darker(0.1), tone.darker(0.28)),
    );
    let tail = moved(&flipped(&tail), Transform::from_translate(14.0, 4.0));
    sheet.fill(&tail, &fade(800.0, 910.0, tone, tone.darker(0.2)));
    let wrap = Pen::at(-104.0, 742.0)
        .curve((-60.0, 786.0), (60.0, 786.0), (104.0, 742.0))
        .curve((112.0, 770.0), (70.0, 826.0), (8.0, 830.0))
        .curve((-60.0, 828.0), (-112.0, 776.0), (-104.0, 742.0))
        .close();
    sheet.fill(
        &wrap,
        &fade(742.0, 830.0, tone.lighter(0.12), tone.darker(0.12)),
    );
    let crease = ribbon(&[(-80.0, 782.0), (0.0, 806.0), (82.0, 778.0)]);
    sheet.stroke(&crease, 4.0, &veil(INK, 0.16));
    sheet.fill(
        &rounded((-18.0, 796.0), (42.0, 40.0), 15.0),
        &flat(tone.darker(0.08)),
    );
    sheet.stroke(
        &ribbon(&[(-6.0, 804.0), (-2.0, 816.0), (-6.0, 828.0)]),
        3.0,
        &veil(INK, 0.2),
    );
}

pub(super) fn suit(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    let cloth = world.cloth;
    let collar = polygon(&[(64.0, 712.0), (96.0, 770.0), (50.0, 850.0), (0.0, 800.0)]);
    let shell = Pen::at(88.0, 730.0)
        .line(20.0, 1050.0)
        .line(400.0, 1050.0)
        .line(400.0, 690.0)
        .close();
    both(sheet, &shell, |sheet, shape| {
        sheet.fill(
            shape,
            &fade(740.0, 1040.0, cloth.lighter(0.1), cloth.darker(0.2)),
        );
    });
    let tie = Pen::at(-20.0, 818.0)
        .line(20.0, 818.0)
        .line(12.0, 850.0)
        .line(30.0, 1050.0)
        .line(-30.0, 1050.0)
        .line(-12.0, 850.0)
        .close();
    sheet.fill(
        &tie,
        &fade(820.0, 1040.0, world.trim, world.trim.darker(0.25)),
    );
    let lapel = polygon(&[
        (86.0, 730.0),
        (164.0, 776.0),
        (180.0, 842.0),
        (136.0, 846.0),
        (150.0, 880.0),
        (16.0, 1046.0),
    ]);
    both(sheet, &lapel, |sheet, shape| {
        sheet.fill(
            shape,
            &fade(740.0, 1040.0, cloth.lighter(0.2), cloth.lighter(0.03)),
        );
        sheet.stroke(shape, 4.0, &veil(INK, 0.22));
    });
    both(sheet, &collar, |sheet, shape| {
        sheet.fill(shape, &flat(world.trim.lighter(0.72)));
        sheet.stroke(shape, 3.0, &veil(INK, 0.12));
    });
    let pin: Tone = world.trim;
    sheet.fill(&star((-196.0, 884.0), 8, 22.0, 13.0), &flat(pin));
    sheet.fill(&circle((-196.0, 884.0), 8.0), &flat(pin.lighter(0.5)));
}
