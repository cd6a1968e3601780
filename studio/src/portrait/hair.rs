//! Puts hair on a head: behind it, its shadow on the forehead, and before it.

use tiny_skia::{Path, Transform};

use super::figure::{CROWN, Cut, Figure, HALF_WIDTH};
use super::{crops, curls, head, tresses};
use crate::canvas::{Canvas, fade, flat, glow, veil};
use crate::shape::{Spot, circle, flipped, moved, oval, ribbon};
use crate::tone::Tone;

pub(super) fn draw_behind(sheet: &mut Canvas, figure: &Figure) {
    let Some(shape) = behind(figure) else {
        return;
    };
    let shape = fitted(&shape, figure);
    let depth = if matches!(figure.cut, Cut::Afro | Cut::Curls) {
        0.08
    } else {
        0.2
    };
    let tone = worn(figure).darker(depth);
    sheet.fill(&shape, &fade(-260.0, 400.0, tone, tone.darker(0.3)));
    if figure.cut == Cut::Locs {
        for lock in tresses::locks() {
            tresses::draw_lock(sheet, &fitted(&lock, figure), tone, figure.world.trim);
        }
    }
    if matches!(figure.cut, Cut::Bun | Cut::Ponytail) {
        sheet.inside(&shape, |sheet| {
            for strand in tresses::tied_strands(figure.cut) {
                sheet.stroke(&fitted(&strand, figure), 5.0, &veil(tone.lighter(0.3), 0.3));
            }
        });
    }
}

pub(super) fn draw_shadow(sheet: &mut Canvas, figure: &Figure) {
    if figure.cut == Cut::Bald {
        let shine = glow(
            (-52.0, CROWN + 66.0),
            70.0,
            &[
                (0.0, figure.skin.light.lighter(0.5), 0.5),
                (1.0, figure.skin.light, 0.0),
            ],
        );
        sheet.fill(&oval((-52.0, CROWN + 66.0), 70.0, 46.0), &shine);
        return;
    }
    let Some(shape) = front(figure) else {
        return;
    };
    let cast = moved(
        &fitted(&shape, figure),
        Transform::from_translate(5.0, 13.0),
    );
    sheet.inside(&head::outline(&figure.face), |sheet| {
        if figure.cut == Cut::Scarf {
            sheet.fill_holed(&cast, &veil(figure.skin.shade, 0.8));
        } else if figure.cut != Cut::Buzz {
            sheet.fill(&cast, &veil(figure.skin.shade, 0.8));
        }
    });
}

pub(super) fn draw_front(sheet: &mut Canvas, figure: &Figure) {
    if let Some(shaved) = shaved(figure.cut) {
        let shaved = fitted(&shaved, figure);
        let tone = figure.hair.mix(figure.skin.shade, 0.42);
        sheet.fill(
            &shaved,
            &fade(-220.0, 0.0, tone, tone.mix(figure.skin.base, 0.35)),
        );
    }
    let Some(shape) = front(figure) else {
        return;
    };
    let shape = fitted(&shape, figure);
    if figure.cut == Cut::Scarf {
        draw_scarf(sheet, figure, &shape);
        return;
    }
    let tone = worn(figure);
    sheet.fill(
        &shape,
        &fade(-270.0, 190.0, tone.lighter(0.07), tone.darker(0.2)),
    );
    sheet.inside(&shape, |sheet| {
        let gleam = if tone.light() < 0.2 { 0.3 } else { 0.42 };
        let lit = glow(
            (-70.0, -205.0),
            150.0,
            &[(0.0, tone.lighter(0.4), gleam), (1.0, tone, 0.0)],
        );
        sheet.fill(&shape, &lit);
        for (index, strand) in strands(figure).iter().enumerate() {
            let strand = fitted(strand, figure);
            if index % 2 == 0 {
                sheet.stroke(&strand, 5.0, &veil(tone.lighter(0.3), 0.28));
            } else {
                sheet.stroke(&strand, 6.0, &veil(tone.darker(0.55), 0.26));
            }
        }
    });
}

fn worn(figure: &Figure) -> Tone {
    if figure.cut == Cut::Scarf {
        figure.world.trim.mix(figure.world.cloth, 0.35)
    } else {
        figure.hair
    }
}

fn fitted(shape: &Path, figure: &Figure) -> Path {
    moved(
        shape,
        Transform::from_scale(figure.face.wide / HALF_WIDTH, 1.0),
    )
}

fn behind(figure: &Figure) -> Option<Path> {
    match figure.cut {
        Cut::Crop | Cut::Quiff | Cut::Buzz | Cut::Bald | Cut::Swoosh | Cut::Pixie => None,
        Cut::Afro => Some(curls::cloud((0.0, -92.0), 192.0, 48.0, 19)),
        Cut::Curls => Some(curls::cloud((0.0, -62.0), 176.0, 44.0, 17)),
        Cut::Long | Cut::Waves | Cut::Bob | Cut::Bun | Cut::Locs | Cut::Ponytail | Cut::Scarf => {
            Some(tresses::behind(figure.cut))
        }
    }
}

fn front(figure: &Figure) -> Option<Path> {
    match figure.cut {
        Cut::Bald => None,
        Cut::Crop => Some(crops::crop()),
        Cut::Quiff => Some(crops::quiff()),
        Cut::Buzz => Some(crops::buzz()),
        Cut::Swoosh => Some(crops::swoosh()),
        Cut::Pixie => Some(crops::pixie()),
        Cut::Afro => Some(curls::hairline(crops::buzz(), figure.seed, 26.0)),
        Cut::Curls => Some(curls::hairline(curls::mop(), figure.seed, 34.0)),
        Cut::Long | Cut::Waves | Cut::Bob | Cut::Bun | Cut::Locs | Cut::Ponytail | Cut::Scarf => {
            Some(tresses::front(figure.cut))
        }
    }
}

fn strands(figure: &Figure) -> Vec<Path> {
    match figure.cut {
        Cut::Bald | Cut::Buzz | Cut::Scarf => Vec::new(),
        Cut::Afro | Cut::Curls => curls::coils(figure.seed),
        Cut::Crop | Cut::Quiff | Cut::Swoosh | Cut::Pixie => crops::strands(figure.cut),
        Cut::Long | Cut::Waves | Cut::Bob | Cut::Bun | Cut::Locs | Cut::Ponytail => {
            tresses::strands(figure.cut)
        }
    }
}

pub(super) fn lines(each: &[&[Spot]]) -> Vec<Path> {
    each.iter().map(|points| ribbon(points)).collect()
}

fn shaved(cut: Cut) -> Option<Path> {
    match cut {
        Cut::Swoosh | Cut::Quiff => Some(crops::buzz()),
        Cut::Crop
        | Cut::Buzz
        | Cut::Afro
        | Cut::Long
        | Cut::Waves
        | Cut::Bob
        | Cut::Bun
        | Cut::Locs
        | Cut::Curls
        | Cut::Bald
        | Cut::Scarf
        | Cut::Ponytail
        | Cut::Pixie => None,
    }
}

fn draw_scarf(sheet: &mut Canvas, figure: &Figure, shape: &Path) {
    let tone = worn(figure);
    let cloth = fade(-250.0, 330.0, tone.lighter(0.12), tone.darker(0.22));
    sheet.fill_holed(shape, &cloth);
    let fold = ribbon(&[
        (120.0, 96.0),
        (60.0, 206.0),
        (-40.0, 250.0),
        (-140.0, 268.0),
    ]);
    sheet.stroke(&fold, 6.0, &veil(tone.darker(0.6), 0.22));
    let fold = ribbon(&[
        (134.0, 160.0),
        (70.0, 246.0),
        (-20.0, 282.0),
        (-110.0, 300.0),
    ]);
    sheet.stroke(&fold, 6.0, &veil(tone.lighter(0.6), 0.22));
    for side in [-1.0, 1.0] {
        let fold = ribbon(&[(0.0, -222.0), (88.0, -180.0), (150.0, -70.0), (158.0, 60.0)]);
        let fold = if side < 0.0 { flipped(&fold) } else { fold };
        sheet.stroke(&fold, 5.0, &veil(tone.darker(0.6), 0.15));
    }
    let pin = (118.0, 118.0);
    sheet.fill(&circle(pin, 11.0), &flat(figure.world.cloth.darker(0.2)));
    sheet.fill(
        &circle((pin.0 - 3.0, pin.1 - 3.0), 4.0),
        &veil(tone.lighter(0.8), 0.9),
    );
}
