//! Shoulders, and what each archetype wears on them.

use tiny_skia::Path;

use super::figure::{Cut, Figure};
use super::finery;
use super::garments;
use super::palette::Archetype;
use crate::canvas::{Canvas, fade, glow, sweep, veil};
use crate::shape::{Pen, Spot, mirrored, ribbon};
use crate::tone::INK;

/// What stands up behind the head.
pub(super) fn draw_behind(sheet: &mut Canvas, figure: &Figure) {
    let world = &figure.world;
    match figure.archetype {
        Archetype::Mystic => {
            let hood = mirrored(
                (0.0, 640.0),
                &[
                    ((100.0, 640.0), (214.0, 660.0), (236.0, 780.0)),
                    ((228.0, 840.0), (100.0, 860.0), (0.0, 860.0)),
                ],
            );
            let cloth = world.cloth_second;
            sheet.fill(
                &hood,
                &fade(640.0, 860.0, cloth.lighter(0.1), cloth.darker(0.3)),
            );
        }
        Archetype::Protector => {
            let collar = mirrored(
                (0.0, 690.0),
                &[
                    ((50.0, 690.0), (90.0, 676.0), (120.0, 656.0)),
                    ((146.0, 640.0), (162.0, 652.0), (168.0, 690.0)),
                    ((178.0, 740.0), (196.0, 780.0), (200.0, 830.0)),
                    ((100.0, 860.0), (60.0, 860.0), (0.0, 860.0)),
                ],
            );
            let cloth = world.cloth_second;
            sheet.fill(
                &collar,
                &fade(640.0, 860.0, cloth.lighter(0.16), cloth.darker(0.2)),
            );
        }
        Archetype::Sage
        | Archetype::Rebel
        | Archetype::Artist
        | Archetype::Caregiver
        | Archetype::Leader
        | Archetype::Trickster => {}
    }
}

/// Draws the garment, in body coordinates.
pub(super) fn draw(sheet: &mut Canvas, figure: &Figure) {
    let body = torso(neckline(figure));
    let world = &figure.world;
    let base = match figure.archetype {
        Archetype::Rebel | Archetype::Leader => world.trim.lighter(0.55),
        Archetype::Protector
        | Archetype::Sage
        | Archetype::Artist
        | Archetype::Caregiver
        | Archetype::Mystic
        | Archetype::Trickster => world.cloth,
    };
    sheet.fill(
        &body,
        &fade(700.0, 1030.0, base.lighter(0.06), base.darker(0.2)),
    );
    sheet.inside(&body, |sheet| {
        match figure.archetype {
            Archetype::Protector => garments::cape(sheet, figure),
            Archetype::Sage => garments::robe(sheet, figure),
            Archetype::Rebel => garments::jacket(sheet, figure),
            Archetype::Artist => garments::stripes(sheet, figure),
            Archetype::Caregiver => finery::knit(sheet, figure),
            Archetype::Mystic => finery::cloak(sheet, figure),
            Archetype::Leader => garments::suit(sheet, figure),
            Archetype::Trickster => finery::motley(sheet, figure),
        }
        draw_light(sheet, &body);
    });
    match figure.archetype {
        Archetype::Artist => garments::neckerchief(sheet, figure),
        Archetype::Caregiver => finery::roll_neck(sheet, figure),
        Archetype::Trickster => finery::ruff(sheet, figure),
        Archetype::Protector => garments::clasp(sheet, figure),
        Archetype::Mystic => finery::pendant(sheet, figure),
        Archetype::Sage | Archetype::Rebel | Archetype::Leader => {}
    }
}

/// Half the width of the neck opening at the shoulder, and its lowest point; a headscarf asks for a closed one.
fn neckline(figure: &Figure) -> Spot {
    if figure.cut == Cut::Scarf {
        return (66.0, 770.0);
    }
    match figure.archetype {
        Archetype::Sage => (78.0, 880.0),
        Archetype::Mystic => (88.0, 850.0),
        Archetype::Leader => (70.0, 830.0),
        Archetype::Rebel => (80.0, 806.0),
        Archetype::Artist => (92.0, 800.0),
        Archetype::Protector => (72.0, 790.0),
        Archetype::Caregiver | Archetype::Trickster => (66.0, 770.0),
    }
}

fn torso((open, low): Spot) -> Path {
    let high = 742.0;
    Pen::at(open, high - 8.0)
        .curve((120.0, 762.0), (170.0, 768.0), (216.0, 786.0))
        .curve((300.0, 818.0), (338.0, 880.0), (356.0, 1050.0))
        .line(-356.0, 1050.0)
        .curve((-338.0, 880.0), (-300.0, 818.0), (-216.0, 786.0))
        .curve((-170.0, 768.0), (-120.0, 762.0), (-open, high - 8.0))
        .curve((-open * 0.8, low - 14.0), (-open * 0.4, low), (0.0, low))
        .curve(
            (open * 0.4, low),
            (open * 0.8, low - 14.0),
            (open, high - 8.0),
        )
        .close()
}

/// Light from the left, the shade of the chin, and the folds of the arms.
fn draw_light(sheet: &mut Canvas, body: &Path) {
    let shade = sweep(
        (60.0, 0.0),
        (360.0, 60.0),
        &[(0.0, INK, 0.0), (1.0, INK, 0.34)],
    );
    sheet.fill(body, &shade);
    let below_chin = glow((14.0, 730.0), 170.0, &[(0.0, INK, 0.3), (1.0, INK, 0.0)]);
    sheet.fill(body, &below_chin);
    for side in [-1.0, 1.0] {
        let fold = ribbon(&[
            (side * 214.0, 1040.0),
            (side * 222.0, 960.0),
            (side * 238.0, 900.0),
        ]);
        sheet.stroke(&fold, 6.0, &veil(INK, 0.2));
    }
}
