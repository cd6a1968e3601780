//! Draws the QR code: whole pixels, dark on white, four modules of quiet around.

use qrcode::{Color, EcLevel, QrCode};

use super::{MARGIN, Page, SIDE};
use crate::canvas::flat;
use crate::shape::{Pen, rounded};
use crate::tone::{WHITE, hex};

/// The white panel is at most this wide.
const PANEL: u16 = 236;
/// A module smaller than this is not read from a screen.
const MODULE_MIN: u16 = 3;
const QUIET: u16 = 4;
const LINK_BYTES_MAX: usize = 280;

/// Draws the code in the right bottom corner; answers how wide a line to its left may be.
pub(super) fn draw(page: &mut Page<'_>, link: &str) -> f32 {
    let right = f32::from(SIDE) - MARGIN;
    let Some((modules, module)) = plan(link) else {
        return right - MARGIN;
    };
    let code_side = modules.len_side * module;
    let panel = f32::from(code_side + 2 * QUIET * module);
    let (left, top) = (right - panel, right - panel);
    let ground = rounded((left, top), (panel, panel), 14.0);
    page.sheet.fill(&ground, &flat(WHITE));
    let start = f32::from(QUIET * module);
    let step = f32::from(module);
    let mut pen = Pen::at(left + start, top + start);
    for (row, line) in (0_u16..).zip(modules.dark.chunks(usize::from(modules.len_side))) {
        for (column, dark) in (0_u16..).zip(line) {
            if *dark {
                let x = left + start + step * f32::from(column);
                let y = top + start + step * f32::from(row);
                pen = pen.and_square((x, y), step);
            }
        }
    }
    page.sheet.fill(&pen.open(), &flat(hex(0x12101A)));
    left - 24.0 - MARGIN
}

/// Whether a link gets its code.
pub(super) fn fits(link: &str) -> bool {
    plan(link).is_some()
}

struct Modules {
    len_side: u16,
    dark: Vec<bool>,
}

fn plan(link: &str) -> Option<(Modules, u16)> {
    if link.is_empty() || link.len() > LINK_BYTES_MAX {
        return None;
    }
    let code = QrCode::with_error_correction_level(link, EcLevel::M).ok()?;
    let len_side = u16::try_from(code.width()).ok()?;
    let module = PANEL / (len_side + 2 * QUIET);
    let dark = code
        .to_colors()
        .into_iter()
        .map(|color| color == Color::Dark)
        .collect();
    (module >= MODULE_MIN).then_some((Modules { len_side, dark }, module))
}
