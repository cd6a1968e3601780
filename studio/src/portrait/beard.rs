//! Beards and moustaches, drawn before the mouth.

use tiny_skia::Path;

use super::figure::{Beard, Face, Figure};
use super::head;
use crate::canvas::{Canvas, fade, veil};
use crate::shape::{Pen, mirrored};

pub(super) fn draw(sheet: &mut Canvas, figure: &Figure) {
    let dark = figure.whiskers.darker(0.12);
    let face = &figure.face;
    match figure.beard {
        Beard::None => {}
        Beard::Stubble => sheet.inside(&head::outline(face), |sheet| {
            let tone = figure.whiskers.mix(figure.skin.deep, 0.5).darker(0.3);
            sheet.fill(&whiskers(face, 0.0), &veil(tone, 0.3));
        }),
        Beard::Short => sheet.inside(&head::outline(face), |sheet| {
            sheet.fill(
                &whiskers(face, 0.0),
                &fade(20.0, face.chin, figure.whiskers, dark),
            );
        }),
        Beard::Full => {
            let paint = fade(20.0, face.chin + 40.0, figure.whiskers.lighter(0.04), dark);
            sheet.fill(&whiskers(face, 1.0), &paint);
            draw_strands(sheet, figure);
        }
        Beard::Moustache => {
            let half = Pen::at(0.0, 88.0)
                .curve((20.0, 78.0), (46.0, 88.0), (66.0, 116.0))
                .curve((44.0, 118.0), (18.0, 112.0), (0.0, 104.0))
                .curve((-18.0, 112.0), (-44.0, 118.0), (-66.0, 116.0))
                .curve((-46.0, 88.0), (-20.0, 78.0), (0.0, 88.0))
                .close();
            sheet.fill(&half, &fade(80.0, 118.0, figure.whiskers, dark));
        }
    }
}

/// Everything below sideburns, cheeks and nose; `grown` is how far it leaves the chin.
fn whiskers(face: &Face, grown: f32) -> Path {
    let edge = face.wide + 1.0;
    let jaw = face.jaw + 3.0 + 8.0 * grown;
    let chin = face.chin + 3.0 + 40.0 * grown;
    mirrored(
        (0.0, 90.0),
        &[
            ((26.0, 80.0), (58.0, 82.0), (82.0, 104.0)),
            ((108.0, 96.0), (edge - 22.0, 62.0), (edge - 15.0, -6.0)),
            ((edge - 8.0, -14.0), (edge, -14.0), (edge, -6.0)),
            (
                (edge, 60.0),
                (jaw + (edge - jaw) * 0.72, face.chin - 116.0),
                (jaw, face.chin - 70.0 + 10.0 * grown),
            ),
            (
                (jaw * 0.86, chin - 26.0),
                (face.chin_wide + 14.0 * grown, chin),
                (0.0, chin),
            ),
        ],
    )
}

fn draw_strands(sheet: &mut Canvas, figure: &Figure) {
    let chin = figure.face.chin;
    for offset in [-64.0_f32, -38.0, -13.0, 13.0, 38.0, 64.0] {
        let top = chin - 14.0 - offset.abs() * 0.5;
        let strand = Pen::at(offset, top)
            .bend((offset * 0.98, top + 18.0), (offset * 0.86, top + 36.0))
            .open();
        sheet.stroke(&strand, 4.0, &veil(figure.whiskers.lighter(0.22), 0.3));
    }
}
