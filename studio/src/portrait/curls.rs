//! Round hair: afros and curls.

use std::f32::consts::TAU;

use tiny_skia::Path;

use crate::dice::Dice;
use crate::shape::{Pen, Spot};

/// A disc with a scalloped edge.
pub(super) fn cloud(centre: Spot, radius: f32, puff: f32, puffs: u8) -> Path {
    let mut pen = Pen::at(centre.0, centre.1).and_circle(centre, radius + puff * 0.3);
    for index in 0..puffs {
        let angle = TAU * f32::from(index) / f32::from(puffs);
        let spot = (
            centre.0 + radius * angle.cos(),
            centre.1 + radius * angle.sin(),
        );
        pen = pen.and_circle(spot, puff);
    }
    pen.open()
}

/// A loose cap of hair with room for a fringe.
pub(super) fn mop() -> Path {
    Pen::at(-158.0, 30.0)
        .curve((-190.0, -60.0), (-186.0, -180.0), (-110.0, -226.0))
        .curve((-56.0, -262.0), (56.0, -262.0), (110.0, -226.0))
        .curve((186.0, -180.0), (190.0, -60.0), (158.0, 30.0))
        .curve((146.0, 0.0), (146.0, -40.0), (132.0, -72.0))
        .curve((104.0, -128.0), (50.0, -140.0), (0.0, -136.0))
        .curve((-50.0, -140.0), (-104.0, -128.0), (-132.0, -72.0))
        .curve((-146.0, -40.0), (-146.0, 0.0), (-158.0, 30.0))
        .close()
}

/// Sets curls of about this radius along the edge of a cap.
pub(super) fn hairline(cap: Path, seed: u64, radius: f32) -> Path {
    let mut dice = Dice::new(seed, "curls");
    let edge: [Spot; 11] = [
        (-150.0, -6.0),
        (-144.0, -52.0),
        (-126.0, -96.0),
        (-90.0, -126.0),
        (-46.0, -138.0),
        (0.0, -142.0),
        (46.0, -138.0),
        (90.0, -126.0),
        (126.0, -96.0),
        (144.0, -52.0),
        (150.0, -6.0),
    ];
    let mut pen = Pen::at(0.0, -200.0).and(&cap);
    for (x, y) in edge {
        let size = radius * dice.between(0.8, 1.12);
        let out = if x.abs() > 135.0 {
            x.signum() * 10.0
        } else {
            0.0
        };
        pen = pen.and_circle(
            (x + out, y - 4.0),
            size * if x.abs() > 135.0 { 0.75 } else { 1.0 },
        );
    }
    pen.open()
}

/// Little arcs that read as coils of hair.
pub(super) fn coils(seed: u64) -> Vec<Path> {
    let mut dice = Dice::new(seed, "coils");
    (0..34)
        .map(|_| {
            let (x, y) = (dice.between(-190.0, 190.0), dice.between(-280.0, -80.0));
            let size = dice.between(12.0, 20.0);
            Pen::at(x - size, y)
                .curve(
                    (x - size, y - size * 1.4),
                    (x + size, y - size * 1.4),
                    (x + size, y),
                )
                .open()
        })
        .collect()
}
