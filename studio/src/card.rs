//! Lays out the card that people send to each other.

mod code;
mod pills;
mod radar;
mod words;

use crate::canvas::{Canvas, Fill, flat, glow, sweep, veil};
use crate::lettering::{Lettering, Weight};
use crate::look::Stats;
use crate::picture::Picture;
use crate::shape::{Spot, rounded};
use crate::tone::{INK, Tone, WHITE, hex};
use words::Words;

/// The card is this many pixels wide and high.
const SIDE: u16 = 1080;
const MARGIN: f32 = 48.0;
const PORTRAIT: u16 = 560;

/// Everything a card says.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    /// Shrinks, then wraps to two lines, then ends in "…".
    pub name: &'a str,
    /// One line under the name.
    pub title: &'a str,
    /// As in [`Look`](crate::Look); any word is written as it is.
    pub archetype: &'a str,
    /// As in [`Look`](crate::Look); sets the accent too.
    pub rarity: &'a str,
    /// The four arms of the radar.
    pub stats: Stats,
    /// Up to six are drawn.
    pub traits: &'a [String],
    /// What the QR code opens.
    pub link: &'a str,
    /// Who made the persona, as in "made by the local provider".
    pub provider: &'a str,
}

/// Draws the card, 1080 pixels square.
///
/// A portrait that is not square is cropped around its centre. The font knows Latin, Greek and Cyrillic:
/// a text in another script is left out whole, emoji are left out alone, and the title (or the archetype)
/// takes the place of a name that cannot be written; [`left_out`] tells which. A link beyond 280 bytes gets no QR code.
pub fn card(card: &Card<'_>, portrait: &Picture) -> Picture {
    let letters = Lettering::open();
    let mut sheet = Canvas::new(SIDE, f32::from(SIDE));
    let accent = accent(card.rarity);
    draw_ground(&mut sheet, portrait.mean().vivid(0.9), accent);
    draw_portrait(&mut sheet, portrait, accent);
    let mut page = Page {
        sheet: &mut sheet,
        letters: &letters,
        accent,
    };
    let words = Words::of(card, &letters);
    draw_kind(&mut page, &words);
    radar::draw(&mut page, card.stats);
    let below = draw_name(&mut page, &words);
    pills::draw(&mut page, &words.traits, below);
    let label_wide = code::draw(&mut page, card.link);
    page.fitted(
        &words.maker,
        (MARGIN, 1026.0),
        (17.0, 22.0, label_wide),
        &veil(WHITE, 0.72),
    );
    sheet.finish()
}

/// Which texts of the card its font cannot write, in the order of the fields; a link too long for the QR code comes last.
pub fn left_out<'a>(card: &Card<'a>) -> Vec<&'a str> {
    let letters = Lettering::open();
    let mut missing: Vec<&str> = [card.name, card.title, card.archetype, card.rarity]
        .into_iter()
        .chain(card.traits.iter().map(String::as_str))
        .chain([card.provider])
        .filter(|text| !text.trim().is_empty() && letters.spell(text).is_none())
        .collect();
    if !code::fits(card.link) {
        missing.push(card.link);
    }
    missing
}

/// What every part of the card draws with.
struct Page<'a> {
    sheet: &'a mut Canvas,
    letters: &'a Lettering,
    accent: Tone,
}

impl Page<'_> {
    fn line(&mut self, text: &str, spot: Spot, size: f32, fill: &Fill) {
        self.letters
            .write(self.sheet, text, (spot, size, Weight::Regular), fill);
    }

    fn bold(&mut self, text: &str, spot: Spot, size: f32, fill: &Fill) {
        self.letters
            .write(self.sheet, text, (spot, size, Weight::Bold), fill);
    }

    /// A line no wider than the third bound, its size between the first two.
    fn fitted(&mut self, text: &str, spot: Spot, bounds: (f32, f32, f32), fill: &Fill) {
        let (text, size) = self.letters.fit(text, (bounds.0, bounds.1), bounds.2);
        self.line(&text, spot, size, fill);
    }

    /// Where a line must start to stand around this x.
    fn centred(&self, text: &str, middle: f32, size: f32) -> f32 {
        middle - self.letters.width(text, size) / 2.0
    }
}

fn accent(rarity: &str) -> Tone {
    match rarity {
        "rare" => hex(0x8FC4F5),
        "epic" => hex(0xD5A2FF),
        "legendary" => hex(0xF7D077),
        _ => hex(0xD9E2EA),
    }
}

/// A dark ground that takes its hue from the portrait.
fn draw_ground(sheet: &mut Canvas, mean: Tone, accent: Tone) {
    let side = f32::from(SIDE);
    let all = rounded((0.0, 0.0), (side, side), 0.5);
    let ground = sweep(
        (0.0, 0.0),
        (side * 0.6, side),
        &[
            (0.0, mean.darker(0.62), 1.0),
            (1.0, INK.mix(mean, 0.12), 1.0),
        ],
    );
    sheet.fill(&all, &ground);
    let light = glow(
        (side * 0.8, side * 0.3),
        560.0,
        &[(0.0, accent, 0.14), (1.0, accent, 0.0)],
    );
    sheet.fill(&all, &light);
    let border = rounded((14.0, 14.0), (side - 28.0, side - 28.0), 40.0);
    sheet.stroke(&border, 2.5, &veil(accent, 0.5));
}

fn draw_portrait(sheet: &mut Canvas, portrait: &Picture, accent: Tone) {
    let side = f32::from(PORTRAIT);
    let window = rounded((MARGIN, MARGIN), (side, side), 34.0);
    let shadow = rounded(
        (MARGIN - 6.0, MARGIN + 4.0),
        (side + 12.0, side + 14.0),
        40.0,
    );
    sheet.fill(&shadow, &veil(INK, 0.4));
    let square = portrait.squared().resized(u32::from(PORTRAIT));
    sheet.paste(&square, (MARGIN, MARGIN), &window);
    sheet.stroke(&window, 3.0, &veil(accent, 0.85));
}

/// Writes the archetype and the rarity at the top of the right column.
fn draw_kind(page: &mut Page<'_>, words: &Words) {
    let left = 652.0;
    page.line("Archetype", (left, 84.0), 22.0, &veil(WHITE, 0.66));
    let (archetype, size) = page.letters.fit(&words.archetype, (26.0, 50.0), 380.0);
    page.bold(&archetype, (left, 136.0), size, &flat(WHITE));
    if let Some(rarity) = &words.rarity {
        let (rarity, size) = page.letters.fit(rarity, (16.0, 22.0), 300.0);
        let wide = page.letters.width(&rarity, size) + 36.0;
        let pill = rounded((left, 158.0), (wide, 38.0), 19.0);
        page.sheet.fill(&pill, &flat(page.accent));
        page.bold(&rarity, (left + 18.0, 184.0), size, &flat(INK));
    }
}

/// Writes the heading and the line below it; answers where the next part may start.
fn draw_name(page: &mut Page<'_>, words: &Words) -> f32 {
    let wide = f32::from(SIDE) - 2.0 * MARGIN;
    let lines = words::heading(&words.heading, page.letters, wide);
    let mut base = if lines.len() == 1 { 694.0 } else { 676.0 };
    for (line, size) in &lines {
        page.bold(line, (MARGIN, base), *size, &flat(WHITE));
        base += size * 1.12;
    }
    let (_, last) = lines
        .last()
        .map_or(("", 0.0), |(line, size)| (line.as_str(), *size));
    let mut base = base - last * 1.12;
    if let Some(title) = &words.title {
        base += 48.0;
        page.fitted(
            title,
            (MARGIN, base),
            (20.0, 31.0, wide),
            &flat(page.accent.lighter(0.2)),
        );
    }
    base + 34.0
}
