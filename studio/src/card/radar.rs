//! Draws the four stats as a radar.

use super::Page;
use crate::canvas::{flat, glow, veil};
use crate::look::{Stats, share};
use crate::shape::{Pen, Spot, circle, polygon};
use crate::tone::WHITE;

const CENTRE: Spot = (842.0, 390.0);
const REACH: f32 = 112.0;

pub(super) fn draw(page: &mut Page<'_>, stats: Stats) {
    let diamond = |far: [f32; 4]| {
        let [up, right, down, left] = far.map(|part| part * REACH);
        polygon(&[
            (CENTRE.0, CENTRE.1 - up),
            (CENTRE.0 + right, CENTRE.1),
            (CENTRE.0, CENTRE.1 + down),
            (CENTRE.0 - left, CENTRE.1),
        ])
    };
    page.sheet.fill(&diamond([1.0; 4]), &veil(WHITE, 0.06));
    for ring in [0.25, 0.5, 0.75, 1.0] {
        page.sheet
            .stroke(&diamond([ring; 4]), 1.5, &veil(WHITE, 0.26));
    }
    for (x, y) in [(REACH, 0.0), (0.0, REACH)] {
        let axis = Pen::at(CENTRE.0 - x, CENTRE.1 - y)
            .line(CENTRE.0 + x, CENTRE.1 + y)
            .open();
        page.sheet.stroke(&axis, 1.5, &veil(WHITE, 0.26));
    }
    let values = [
        stats.charisma,
        stats.intellect,
        stats.kindness,
        stats.energy,
    ];
    // Even a zero keeps a little body, so that the shape can be seen.
    let shares = values.map(|stat| share(stat).max(0.04));
    let shape = diamond(shares);
    let accent = page.accent;
    let fill = glow(CENTRE, REACH, &[(0.0, accent, 0.35), (1.0, accent, 0.75)]);
    page.sheet.fill(&shape, &fill);
    page.sheet.stroke(&shape, 4.0, &flat(accent));
    let [up, right, down, left] = shares.map(|part| part * REACH);
    for (x, y) in [(0.0, -up), (right, 0.0), (0.0, down), (-left, 0.0)] {
        let spot = (CENTRE.0 + x, CENTRE.1 + y);
        page.sheet.fill(&circle(spot, 6.0), &flat(WHITE));
    }
    draw_labels(page, values);
}

/// Writes each stat's number over its name, outside the tip of its arm.
fn draw_labels(page: &mut Page<'_>, values: [u8; 4]) {
    let places = [
        ("Charisma", CENTRE.0, CENTRE.1 - REACH - 46.0),
        ("Intellect", CENTRE.0 + REACH + 50.0, CENTRE.1 - 4.0),
        ("Kindness", CENTRE.0, CENTRE.1 + REACH + 38.0),
        ("Energy", CENTRE.0 - REACH - 48.0, CENTRE.1 - 4.0),
    ];
    for ((name, middle, base), value) in places.into_iter().zip(values) {
        let number = value.min(100).to_string();
        let left = page.centred(&number, middle, 28.0);
        page.bold(&number, (left, base), 28.0, &flat(WHITE));
        let left = page.centred(name, middle, 20.0);
        page.line(name, (left, base + 26.0), 20.0, &veil(WHITE, 0.8));
    }
}
