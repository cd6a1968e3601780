//! The signs that archetypes wear and that float behind them.

use tiny_skia::{Path, Transform};

use crate::shape::{Pen, mirrored, moved};

pub(super) fn shield(size: f32) -> Path {
    mirrored(
        (0.0, -size),
        &[
            (
                (size * 0.3, -size * 0.86),
                (size * 0.6, -size * 0.8),
                (size * 0.86, -size * 0.82),
            ),
            (
                (size * 0.92, size * 0.2),
                (size * 0.5, size * 0.82),
                (0.0, size * 1.1),
            ),
        ],
    )
}

pub(super) fn heart(centre: (f32, f32), size: f32) -> Path {
    let whole = mirrored(
        (0.0, -size * 0.45),
        &[
            (
                (size * 0.2, -size),
                (size, -size * 1.05),
                (size, -size * 0.3),
            ),
            ((size, size * 0.25), (size * 0.35, size * 0.6), (0.0, size)),
        ],
    );
    moved(&whole, Transform::from_translate(centre.0, centre.1))
}

pub(super) fn crescent(centre: (f32, f32), size: f32) -> Path {
    let (x, y) = centre;
    Pen::at(x - size, y - size * 0.3)
        .curve(
            (x - size, y + size * 1.3),
            (x + size, y + size * 1.3),
            (x + size, y - size * 0.3),
        )
        .curve(
            (x + size * 0.66, y + size * 0.62),
            (x - size * 0.66, y + size * 0.62),
            (x - size, y - size * 0.3),
        )
        .close()
}
