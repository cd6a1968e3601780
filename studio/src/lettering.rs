//! Sets lines of text in the one font that travels with the program.

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

use crate::canvas::{Canvas, Fill};
use crate::shape::Spot;

/// How thick the strokes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Bold,
}

/// The font, opened.
pub(crate) struct Lettering {
    face: Face<'static>,
}

impl Lettering {
    pub(crate) fn open() -> Lettering {
        let face = Face::parse(epaint_default_fonts::UBUNTU_LIGHT, 0)
            .expect("the font that travels with the program is whole");
        Lettering { face }
    }

    /// What can be written of a text, or nothing if a letter of it is unknown: half a name is worse than none.
    ///
    /// Signs that are no letters (emoji, control characters) are dropped alone.
    pub(crate) fn spell(&self, text: &str) -> Option<String> {
        let mut spelled = String::new();
        for sign in text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
        {
            let known = self.face.glyph_index(sign).is_some() && !runs_leftwards(sign);
            if known && !sign.is_control() {
                spelled.push(sign);
            } else if sign.is_alphabetic() {
                return None;
            }
        }
        let spelled = spelled.trim().to_owned();
        (!spelled.is_empty()).then_some(spelled)
    }

    /// How wide a line is at this size.
    pub(crate) fn width(&self, line: &str, size: f32) -> f32 {
        line.chars().map(|sign| self.advance(sign, size)).sum()
    }

    /// The largest size between two bounds at which the line fits, and the line, cut with "…" if even the smallest is too wide.
    pub(crate) fn fit(&self, line: &str, sizes: (f32, f32), wide: f32) -> (String, f32) {
        let (least, most) = sizes;
        let needed = self.width(line, most).max(1.0);
        let size = (most * wide / needed).clamp(least, most);
        let mut line = line.to_owned();
        if self.width(&line, size) <= wide + 0.5 {
            return (line, size);
        }
        while !line.is_empty() && self.width(&line, size) + self.advance('…', size) > wide {
            line.pop();
        }
        (format!("{}…", line.trim_end()), size)
    }

    /// Writes a line whose baseline starts here.
    pub(crate) fn write(
        &self,
        sheet: &mut Canvas,
        line: &str,
        (spot, size, weight): (Spot, f32, Weight),
        fill: &Fill,
    ) {
        let Some(shape) = self.shape(line, spot, size) else {
            return;
        };
        sheet.fill(&shape, fill);
        // The font is a light one: an outline of its own colour makes the other weights.
        let outline = match weight {
            Weight::Regular => 0.014,
            Weight::Bold => 0.05,
        };
        sheet.stroke(&shape, size * outline, fill);
    }

    fn shape(&self, line: &str, spot: Spot, size: f32) -> Option<Path> {
        let mut tracer = Tracer {
            path: PathBuilder::new(),
            pen: spot,
            scale: size / f32::from(self.face.units_per_em()),
        };
        for sign in line.chars() {
            self.face.outline_glyph(self.glyph(sign), &mut tracer);
            tracer.pen.0 += self.advance(sign, size);
        }
        tracer.path.finish()
    }

    fn advance(&self, sign: char, size: f32) -> f32 {
        let units = self.face.glyph_hor_advance(self.glyph(sign)).unwrap_or(0);
        f32::from(units) * size / f32::from(self.face.units_per_em())
    }

    fn glyph(&self, sign: char) -> GlyphId {
        self.face.glyph_index(sign).unwrap_or_default()
    }
}

/// Hebrew, Arabic and their neighbours: setting them needs more than placing letters in a row.
fn runs_leftwards(sign: char) -> bool {
    matches!(sign, '\u{0590}'..='\u{08FF}' | '\u{200E}'..='\u{202E}' | '\u{FB1D}'..='\u{FEFC}')
}

/// Turns font units into places on the sheet.
struct Tracer {
    path: PathBuilder,
    pen: Spot,
    scale: f32,
}

impl Tracer {
    fn place(&self, x: f32, y: f32) -> Spot {
        (self.pen.0 + x * self.scale, self.pen.1 - y * self.scale)
    }
}

impl OutlineBuilder for Tracer {
    fn move_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.path.move_to(to.0, to.1);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.path.line_to(to.0, to.1);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (handle, to) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(handle.0, handle.1, to.0, to.1);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let (first, second) = (self.place(x1, y1), self.place(x2, y2));
        let to = self.place(x, y);
        self.path
            .cubic_to(first.0, first.1, second.0, second.1, to.0, to.1);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
