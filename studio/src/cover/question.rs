//! The question, in a bubble that comes from one of the houses.

use super::palette::Palette;
use super::{Cover, UNITS, span};
use crate::canvas::{Canvas, flat, veil};
use crate::dice::Dice;
use crate::lettering::{Lettering, Weight};
use crate::shape::{Pen, oval};
use crate::tone::{INK, WHITE};

const MARGIN: f32 = 72.0;
const PADDING: f32 = 56.0;
const TOP: f32 = 84.0;
/// Sizes of the letters, from the largest; the first that fits is taken.
const SIZES: [f32; 7] = [76.0, 68.0, 60.0, 54.0, 48.0, 42.0, 38.0];
const LINES_MAX: usize = 6;
/// The lowest that the bubble may reach.
const BOTTOM_MAX: f32 = 596.0;
const KEYWORD: f32 = 30.0;

pub(super) fn draw(
    sheet: &mut Canvas,
    palette: &Palette,
    (letters, cover): (&Lettering, &Cover<'_>),
) {
    let Some(title) = letters.spell(cover.title) else {
        draw_clouds(sheet, cover.seed);
        return;
    };
    let wide = UNITS - 2.0 * (MARGIN + PADDING);
    let keywords = keywords(letters, cover, wide);
    let below = if keywords.is_some() {
        KEYWORD + 40.0
    } else {
        0.0
    };
    let room = BOTTOM_MAX - TOP - 2.0 * PADDING - below;
    let (lines, size) = set(&title, letters, (wide, room));
    let leading = size * 1.2;
    let high = 2.0 * PADDING + leading * count(lines.len()) + below;
    draw_bubble(sheet, cover.seed, TOP + high);
    let mut y = TOP + PADDING + size * 0.92;
    for line in &lines {
        letters.write(
            sheet,
            line,
            ((MARGIN + PADDING, y), size, Weight::Bold),
            &flat(INK),
        );
        y += leading;
    }
    if let Some(keywords) = keywords {
        let spot = (MARGIN + PADDING, TOP + high - PADDING - 2.0);
        let tone = palette.hill.darker(0.25);
        letters.write(
            sheet,
            &keywords,
            (spot, KEYWORD, Weight::Regular),
            &flat(tone),
        );
    }
}

/// Breaks a title at blanks, in the largest letters in which it fits; else the smallest, cut.
fn set(title: &str, letters: &Lettering, (wide, high): (f32, f32)) -> (Vec<String>, f32) {
    let least = SIZES[SIZES.len() - 1];
    for size in SIZES {
        let lines = broken(title, letters, (size, wide));
        let fits = lines.iter().all(|line| letters.width(line, size) <= wide);
        if fits && lines.len() <= LINES_MAX && count(lines.len()) * size * 1.2 <= high {
            return (lines, size);
        }
    }
    let mut lines = broken(title, letters, (least, wide));
    let most = (1..=LINES_MAX)
        .rev()
        .find(|lines| count(*lines) * least * 1.2 <= high)
        .unwrap_or(1);
    if lines.len() > most {
        let rest = lines.split_off(most - 1).join(" ");
        lines.push(rest);
    }
    let cut = |line: String| letters.fit(&line, (least, least), wide).0;
    (lines.into_iter().map(cut).collect(), least)
}

fn broken(title: &str, letters: &Lettering, (size, wide): (f32, f32)) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in title.split(' ') {
        match lines.last_mut() {
            Some(line) if letters.width(&format!("{line} {word}"), size) <= wide => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn keywords(letters: &Lettering, cover: &Cover<'_>, wide: f32) -> Option<String> {
    let words: Vec<String> = cover
        .keywords
        .iter()
        .filter_map(|word| letters.spell(word))
        .take(3)
        .collect();
    let line = words.join("  ·  ");
    (!line.is_empty()).then(|| letters.fit(&line, (KEYWORD, KEYWORD), wide).0)
}

fn draw_bubble(sheet: &mut Canvas, seed: u64, bottom: f32) {
    let mut dice = Dice::new(seed, "cover bubble");
    let tail = dice.pick(&[250.0, 420.0, 610.0, 780.0]);
    let lean = if tail < UNITS / 2.0 { -46.0 } else { 46.0 };
    let body = |shift: f32| {
        span(
            (MARGIN, TOP + shift),
            (UNITS - MARGIN, bottom + shift),
            44.0,
        )
    };
    let tail = |shift: f32| {
        Pen::at(tail + 40.0, bottom - 6.0 + shift)
            .bend(
                (tail + 34.0, bottom + 40.0 + shift),
                (tail + lean, bottom + 88.0 + shift),
            )
            .bend(
                (tail, bottom + 30.0 + shift),
                (tail - 40.0, bottom - 6.0 + shift),
            )
            .close()
    };
    // One after the other: in one outline their overlap would be a hole.
    sheet.fill(&tail(10.0), &veil(INK, 0.16));
    sheet.fill(&body(10.0), &veil(INK, 0.16));
    sheet.fill(&tail(0.0), &veil(WHITE, 1.0));
    sheet.fill(&body(0.0), &veil(WHITE, 1.0));
}

fn draw_clouds(sheet: &mut Canvas, seed: u64) {
    let mut dice = Dice::new(seed, "cover clouds");
    for _ in 0..4 {
        let (x, y) = (dice.between(120.0, 900.0), dice.between(110.0, 480.0));
        for (dx, dy, size) in [(-70.0, 12.0, 52.0), (0.0, -8.0, 74.0), (78.0, 14.0, 48.0)] {
            sheet.fill(
                &oval((x + dx, y + dy), size * 1.25, size * 0.72),
                &veil(WHITE, 0.55),
            );
        }
    }
}

/// A handful, as a length.
fn count(lines: usize) -> f32 {
    f32::from(u8::try_from(lines).unwrap_or(u8::MAX))
}
