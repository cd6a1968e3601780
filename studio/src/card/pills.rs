//! Sets the traits in rounded labels, row after row, beside the code.

use super::{MARGIN, Page};
use crate::canvas::{flat, veil};
use crate::shape::rounded;
use crate::tone::WHITE;

const RIGHT: f32 = 772.0;
const HIGH: f32 = 46.0;
const GAP: f32 = 12.0;
/// Below this stands the maker's line.
const BOTTOM: f32 = 990.0;

pub(super) fn draw(page: &mut Page<'_>, traits: &[String], top: f32) {
    let (mut x, mut y) = (MARGIN, top);
    for word in traits {
        let (word, size) = page.letters.fit(word, (18.0, 24.0), 340.0);
        let wide = page.letters.width(&word, size) + 40.0;
        if x + wide > RIGHT {
            (x, y) = (MARGIN, y + HIGH + GAP);
        }
        if y + HIGH > BOTTOM {
            return;
        }
        let pill = rounded((x, y), (wide, HIGH), HIGH / 2.0);
        page.sheet.fill(&pill, &veil(WHITE, 0.12));
        page.sheet.stroke(&pill, 1.5, &veil(page.accent, 0.5));
        page.line(&word, (x + 20.0, y + 31.0), size, &flat(WHITE));
        x += wide + GAP;
    }
}
