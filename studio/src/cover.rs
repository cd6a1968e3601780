//! Draws the cover of a discussion: a street of houses under a question.

mod palette;
mod question;
mod street;

use crate::canvas::{Canvas, flat, glow, sweep, veil};
use crate::dice::Dice;
use crate::lettering::Lettering;
use crate::picture::{Picture, SIDE_MAX};
use crate::shape::{Pen, Spot, circle, rounded};
use palette::Palette;

/// The cover is drawn on a sheet this wide, whatever its size in pixels.
const UNITS: f32 = 1024.0;

/// What a cover shows.
#[derive(Clone, Copy, Debug)]
pub struct Cover<'a> {
    /// Another seed is another street at another time of day.
    pub seed: u64,
    /// Written large, in as many lines as it takes; too long, it ends in "…".
    pub title: &'a str,
    /// Up to three are written small below it.
    pub keywords: &'a [String],
}

/// Draws the cover, `size` pixels square (kept within 16..=4096). The font knows Latin, Greek and
/// Cyrillic: a title in another script is left out whole, and there are clouds in its place.
pub fn cover(cover: &Cover<'_>, size: u32) -> Picture {
    let pixels = u16::try_from(size.clamp(16, SIDE_MAX)).expect("4096 fits sixteen bits");
    let mut sheet = Canvas::new(pixels, UNITS);
    let palette = Palette::of(cover.seed);
    draw_sky(&mut sheet, &palette, cover.seed);
    draw_hills(&mut sheet, &palette, cover.seed);
    street::draw(&mut sheet, &palette, cover.seed);
    let letters = Lettering::open();
    question::draw(&mut sheet, &palette, (&letters, cover));
    sheet.finish()
}

/// A box with round corners, given by two corners.
fn span(from: Spot, to: Spot, radius: f32) -> tiny_skia::Path {
    rounded(from, (to.0 - from.0, to.1 - from.1), radius)
}

fn draw_sky(sheet: &mut Canvas, palette: &Palette, seed: u64) {
    let mut dice = Dice::new(seed, "cover sky");
    let all = rounded((0.0, 0.0), (UNITS, UNITS), 0.5);
    let stops = [
        (0.0, palette.high, 1.0),
        (0.5, palette.middle, 1.0),
        (0.85, palette.low, 1.0),
    ];
    sheet.fill(&all, &sweep((0.0, 0.0), (0.0, UNITS), &stops));
    let sun = (dice.between(180.0, 844.0), dice.between(600.0, 660.0));
    let halo = [
        (0.0, palette.sun, 0.8),
        (0.4, palette.sun, 0.3),
        (1.0, palette.sun, 0.0),
    ];
    sheet.fill(&all, &glow(sun, 420.0, &halo));
    sheet.fill(&circle(sun, 84.0), &veil(palette.sun, 0.95));
}

fn draw_hills(sheet: &mut Canvas, palette: &Palette, seed: u64) {
    let mut dice = Dice::new(seed, "cover hills");
    for (height, tone) in [
        (690.0, palette.hill.mix(palette.low, 0.6)),
        (760.0, palette.hill.mix(palette.low, 0.3)),
    ] {
        let rise = dice.between(-70.0, 70.0);
        let hill = Pen::at(-10.0, height + rise)
            .curve(
                (250.0, height - 90.0 - rise),
                (380.0, height - 40.0),
                (560.0, height + rise * 0.3),
            )
            .curve(
                (720.0, height + 40.0),
                (860.0, height - 80.0),
                (1034.0, height - rise),
            )
            .line(1034.0, 1034.0)
            .line(-10.0, 1034.0)
            .close();
        sheet.fill(&hill, &flat(tone));
    }
}
