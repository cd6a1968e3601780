//! The frame: the rarer the persona, the richer.

use super::UNITS;
use super::figure::{Figure, Rarity};
use crate::canvas::{Canvas, Fill, sweep, veil};
use crate::shape::{Pen, rounded, sparkle};
use crate::tone::{Tone, WHITE, hex};

const INSET: f32 = 26.0;

pub(super) fn draw(sheet: &mut Canvas, figure: &Figure) {
    match figure.rarity {
        Rarity::Common => border(sheet, INSET, 4.0, &veil(WHITE, 0.45)),
        Rarity::Rare => {
            let silver = metal([hex(0x8FB4D9), hex(0xF2F8FF), hex(0x5F8FC4)]);
            border(sheet, INSET, 8.0, &silver);
            border(sheet, INSET + 14.0, 2.5, &silver);
        }
        Rarity::Epic => {
            let violet = metal([hex(0x8A5CF0), hex(0xF3C6FF), hex(0xD04AC0)]);
            border(sheet, INSET, 10.0, &violet);
            border(sheet, INSET + 16.0, 2.5, &violet);
            corners(sheet, &violet, 18.0);
        }
        Rarity::Legendary => {
            let gold = metal([hex(0xC98A2B), hex(0xFFF3C0), hex(0xE0A132)]);
            border(sheet, INSET - 2.0, 14.0, &gold);
            border(sheet, INSET + 18.0, 3.0, &gold);
            corners(sheet, &gold, 30.0);
            flourishes(sheet, &gold);
        }
    }
}

fn metal(tones: [Tone; 3]) -> Fill {
    sweep(
        (0.0, 0.0),
        (UNITS, UNITS),
        &[
            (0.0, tones[0], 1.0),
            (0.22, tones[1], 1.0),
            (0.5, tones[2], 1.0),
            (0.74, tones[1], 1.0),
            (1.0, tones[0], 1.0),
        ],
    )
}

fn border(sheet: &mut Canvas, inset: f32, width: f32, fill: &Fill) {
    let side = UNITS - 2.0 * inset;
    sheet.stroke(&rounded((inset, inset), (side, side), 48.0), width, fill);
}

fn corners(sheet: &mut Canvas, fill: &Fill, size: f32) {
    let near = INSET + 40.0;
    for x in [near, UNITS - near] {
        for y in [near, UNITS - near] {
            sheet.fill(&sparkle((x, y), size), fill);
        }
    }
}

fn flourishes(sheet: &mut Canvas, fill: &Fill) {
    let near = INSET + 40.0;
    for (x, across) in [(near, 1.0), (UNITS - near, -1.0)] {
        for (y, down) in [(near, 1.0), (UNITS - near, -1.0)] {
            let along = Pen::at(x + across * 40.0, y)
                .bend(
                    (x + across * 90.0, y + down * 4.0),
                    (x + across * 128.0, y - down * 20.0),
                )
                .open();
            sheet.stroke(&along, 4.0, fill);
            let along = Pen::at(x, y + down * 40.0)
                .bend(
                    (x + across * 4.0, y + down * 90.0),
                    (x - across * 20.0, y + down * 128.0),
                )
                .open();
            sheet.stroke(&along, 4.0, fill);
        }
    }
}
