//! Draws a person from a seed: sky, clothes, head, frame, each layer in its own file.

mod backdrop;
mod beard;
mod clothes;
mod crops;
mod curls;
mod emblem;
mod extras;
mod eyes;
mod features;
mod figure;
mod finery;
mod frame;
mod garments;
mod hair;
mod head;
mod motif;
mod palette;
mod tresses;

use tiny_skia::Transform;

use crate::canvas::Canvas;
use crate::look::Look;
use crate::picture::{Picture, SIDE_MAX};
use figure::Figure;

/// The portrait is drawn on a sheet this wide, whatever its size in pixels.
pub(crate) const UNITS: f32 = 1024.0;

/// Draws the head-and-shoulders portrait of a persona, `size` pixels square (kept within 16..=4096).
///
/// It bears no text and resembles nobody on purpose: every feature is rolled from the seed,
/// the traits and the archetype; the stats set the mood and the rarity sets the frame.
pub fn portrait(look: &Look, size: u32) -> Picture {
    let pixels = u16::try_from(size.clamp(16, SIDE_MAX)).expect("4096 fits sixteen bits");
    let figure = Figure::of(look);
    let mut canvas = Canvas::new(pixels, UNITS);
    backdrop::draw(&mut canvas, &figure);
    // A little nearer than drawn, standing on the lower edge.
    let near = 1.08;
    let body = Transform::from_row(near, 0.0, 0.0, near, UNITS / 2.0, UNITS * (1.0 - near));
    let neck = (0.0, 690.0);
    let head = body
        .pre_concat(Transform::from_rotate_at(figure.tilt, neck.0, neck.1))
        .pre_concat(Transform::from_translate(0.0, figure::EYE_LINE));
    canvas.placed(body, |sheet| clothes::draw_behind(sheet, &figure));
    canvas.placed(head, |sheet| hair::draw_behind(sheet, &figure));
    canvas.placed(body, |sheet| {
        head::draw_neck(sheet, &figure);
        clothes::draw(sheet, &figure);
    });
    canvas.placed(head, |sheet| {
        head::draw(sheet, &figure);
        hair::draw_shadow(sheet, &figure);
        beard::draw(sheet, &figure);
        features::draw(sheet, &figure);
        eyes::draw(sheet, &figure);
        extras::draw_face(sheet, &figure);
        hair::draw_front(sheet, &figure);
        extras::draw_worn(sheet, &figure);
    });
    frame::draw(&mut canvas, &figure);
    canvas.finish()
}
