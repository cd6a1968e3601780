//! The neck, the head, the ears and the light on them.

use tiny_skia::{Path, Transform};

use super::figure::{CROWN, EYE_LINE, Face, Figure};
use crate::canvas::{Canvas, fade, flat, glow, sweep, veil};
use crate::shape::{Pen, flipped, mirrored, moved, oval};

/// The outline of the face.
pub(super) fn outline(face: &Face) -> Path {
    let Face {
        wide,
        jaw,
        chin,
        chin_wide,
        ..
    } = *face;
    mirrored(
        (0.0, CROWN),
        &[
            ((wide * 0.72, CROWN), (wide, -128.0), (wide, -14.0)),
            (
                (wide, 52.0),
                (jaw + (wide - jaw) * 0.72, chin - 122.0),
                (jaw, chin - 76.0),
            ),
            (
                (jaw * 0.82, chin - 28.0),
                (chin_wide * 0.95, chin),
                (0.0, chin),
            ),
        ],
    )
}

/// Draws the neck and the top of the chest, in body coordinates.
pub(super) fn draw_neck(sheet: &mut Canvas, figure: &Figure) {
    let skin = &figure.skin;
    let neck = mirrored(
        (0.0, 540.0),
        &[
            ((40.0, 540.0), (64.0, 560.0), (64.0, 600.0)),
            ((62.0, 700.0), (64.0, 738.0), (104.0, 776.0)),
            ((120.0, 860.0), (90.0, 930.0), (0.0, 940.0)),
        ],
    );
    sheet.fill(&neck, &fade(600.0, 900.0, skin.base, skin.light));
    sheet.inside(&neck, |sheet| {
        let below = Transform::from_translate(figure.tilt * -1.5, EYE_LINE + 40.0);
        let cast = moved(&outline(&figure.face), below);
        sheet.fill(&cast, &veil(skin.shade, 0.9));
        let hollow = Pen::at(-26.0, 776.0)
            .bend((-8.0, 800.0), (0.0, 802.0))
            .bend((8.0, 800.0), (26.0, 776.0))
            .open();
        sheet.stroke(&hollow, 5.0, &veil(skin.shade, 0.45));
    });
}

/// Draws the bare head, in head coordinates.
pub(super) fn draw(sheet: &mut Canvas, figure: &Figure) {
    if !figure.cut.hides_ears() {
        draw_ears(sheet, figure);
    }
    let skin = &figure.skin;
    let wide = figure.face.wide;
    let face = outline(&figure.face);
    sheet.fill(&face, &flat(skin.base));
    sheet.inside(&face, |sheet| {
        let lit = glow(
            (-46.0, -40.0),
            250.0,
            &[(0.0, skin.light, 0.95), (1.0, skin.light, 0.0)],
        );
        sheet.fill(&face, &lit);
        let side = sweep(
            (wide * 0.42, 0.0),
            (wide * 1.02, 20.0),
            &[(0.0, skin.shade, 0.0), (1.0, skin.shade, 0.75)],
        );
        sheet.fill(&face, &side);
        let under = sweep(
            (0.0, figure.face.chin - 52.0),
            (6.0, figure.face.chin + 8.0),
            &[(0.0, skin.shade, 0.0), (1.0, skin.shade, 0.5)],
        );
        sheet.fill(&face, &under);
        for (x, warm) in [(-86.0, 0.42), (88.0, 0.36)] {
            let strength = warm + 0.16 * figure.mood.kindness;
            let blush = glow(
                (x, 70.0),
                58.0,
                &[(0.0, skin.blush, strength), (1.0, skin.blush, 0.0)],
            );
            sheet.fill(&oval((x, 70.0), 58.0, 52.0), &blush);
        }
    });
}

fn draw_ears(sheet: &mut Canvas, figure: &Figure) {
    let skin = &figure.skin;
    let wide = figure.face.wide;
    let ear = Pen::at(wide - 12.0, -22.0)
        .curve(
            (wide + 6.0, -44.0),
            (wide + 38.0, -32.0),
            (wide + 30.0, 8.0),
        )
        .curve((wide + 26.0, 34.0), (wide + 12.0, 58.0), (wide - 8.0, 56.0))
        .close();
    let fold = Pen::at(wide + 18.0, -14.0)
        .curve((wide + 6.0, -22.0), (wide, -6.0), (wide + 8.0, 4.0))
        .curve((wide + 14.0, 14.0), (wide + 6.0, 26.0), (wide + 2.0, 30.0))
        .open();
    sheet.fill(&ear, &flat(skin.base.mix(skin.shade, 0.62)));
    sheet.stroke(&fold, 6.0, &veil(skin.deep, 0.45));
    sheet.fill(&flipped(&ear), &flat(skin.base.mix(skin.shade, 0.2)));
    sheet.stroke(&flipped(&fold), 6.0, &veil(skin.shade, 0.75));
}
