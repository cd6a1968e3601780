//! Lays paint on pixels.

use tiny_skia::{
    Color, FillRule, FilterQuality, GradientStop, LineCap, LineJoin, LinearGradient, Mask, Paint,
    Path, Pattern, Pixmap, Point, RadialGradient, Shader, SpreadMode, Stroke, Transform,
};

use crate::picture::Picture;
use crate::shape::Spot;
use crate::tone::Tone;

/// A sheet that is drawn in its own units, whatever its size in pixels.
pub(crate) struct Canvas {
    pixels: Pixmap,
    view: Transform,
    clip: Option<Mask>,
}

/// What a shape is filled with.
pub(crate) struct Fill(Shader<'static>);

/// A place along a gradient (0 start, 1 end), its colour, and how much it covers.
pub(crate) type Stop = (f32, Tone, f32);

/// One colour.
pub(crate) fn flat(tone: Tone) -> Fill {
    veil(tone, 1.0)
}

/// One colour that lets through what lies below.
pub(crate) fn veil(tone: Tone, alpha: f32) -> Fill {
    Fill(Shader::SolidColor(tone.covering(alpha)))
}

/// Colours changing along a line.
pub(crate) fn sweep(from: Spot, to: Spot, stops: &[Stop]) -> Fill {
    let shader = LinearGradient::new(
        Point::from_xy(from.0, from.1),
        Point::from_xy(to.0, to.1),
        gradient(stops),
        SpreadMode::Pad,
        Transform::identity(),
    );
    Fill(shader.expect("a gradient here has a length"))
}

/// Two colours, the first above.
pub(crate) fn fade(top: f32, bottom: f32, upper: Tone, lower: Tone) -> Fill {
    sweep(
        (0.0, top),
        (0.0, bottom),
        &[(0.0, upper, 1.0), (1.0, lower, 1.0)],
    )
}

/// Colours changing from a centre outwards.
pub(crate) fn glow(centre: Spot, radius: f32, stops: &[Stop]) -> Fill {
    let middle = Point::from_xy(centre.0, centre.1);
    let shader = RadialGradient::new(
        middle,
        0.0,
        middle,
        radius,
        gradient(stops),
        SpreadMode::Pad,
        Transform::identity(),
    );
    Fill(shader.expect("a glow here has a radius"))
}

fn gradient(stops: &[Stop]) -> Vec<GradientStop> {
    let stop = |&(place, tone, alpha): &Stop| GradientStop::new(place, tone.covering(alpha));
    stops.iter().map(stop).collect()
}

impl Fill {
    fn paint(&self) -> Paint<'static> {
        Paint {
            shader: self.0.clone(),
            anti_alias: true,
            ..Paint::default()
        }
    }
}

impl Canvas {
    /// A square sheet of `side` pixels that is drawn as if it were `units` wide.
    pub(crate) fn new(side: u16, units: f32) -> Canvas {
        let mut pixels = Pixmap::new(u32::from(side), u32::from(side))
            .expect("a sheet has between 1 and 2^32 pixels");
        pixels.fill(Color::WHITE);
        let scale = f32::from(side) / units;
        Canvas {
            pixels,
            view: Transform::from_scale(scale, scale),
            clip: None,
        }
    }

    pub(crate) fn fill(&mut self, shape: &Path, fill: &Fill) {
        let (paint, clip) = (fill.paint(), self.clip.as_ref());
        self.pixels
            .fill_path(shape, &paint, FillRule::Winding, self.view, clip);
    }

    /// Fills a shape whose inner outlines are holes.
    pub(crate) fn fill_holed(&mut self, shape: &Path, fill: &Fill) {
        let (paint, clip) = (fill.paint(), self.clip.as_ref());
        self.pixels
            .fill_path(shape, &paint, FillRule::EvenOdd, self.view, clip);
    }

    /// Follows an outline with a round brush.
    pub(crate) fn stroke(&mut self, shape: &Path, width: f32, fill: &Fill) {
        let brush = Stroke {
            width,
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        self.pixels
            .stroke_path(shape, &fill.paint(), &brush, self.view, self.clip.as_ref());
    }

    /// Draws only where `shape` is, and only where it was allowed to draw before.
    pub(crate) fn inside(&mut self, shape: &Path, draw: impl FnOnce(&mut Canvas)) {
        let before = self.clip.take();
        let narrowed = if let Some(mask) = &before {
            let mut mask = mask.clone();
            mask.intersect_path(shape, FillRule::Winding, true, self.view);
            mask
        } else {
            let mut mask = Mask::new(self.pixels.width(), self.pixels.height())
                .expect("a mask is as large as its sheet");
            mask.fill_path(shape, FillRule::Winding, true, self.view);
            mask
        };
        self.clip = Some(narrowed);
        draw(self);
        self.clip = before;
    }

    /// Draws in other coordinates.
    pub(crate) fn placed(&mut self, by: Transform, draw: impl FnOnce(&mut Canvas)) {
        let before = self.view;
        self.view = before.pre_concat(by);
        draw(self);
        self.view = before;
    }

    /// Lays a picture into a shape, its left top corner here, one pixel of it one unit of the sheet.
    pub(crate) fn paste(&mut self, picture: &Picture, corner: Spot, shape: &Path) {
        let Some(sheet) = picture.to_pixmap() else {
            return;
        };
        let shader = Pattern::new(
            sheet.as_ref(),
            SpreadMode::Pad,
            FilterQuality::Bilinear,
            1.0,
            Transform::from_translate(corner.0, corner.1),
        );
        let paint = Paint {
            shader,
            anti_alias: true,
            ..Paint::default()
        };
        self.pixels.fill_path(
            shape,
            &paint,
            FillRule::Winding,
            self.view,
            self.clip.as_ref(),
        );
    }

    /// Lifts the sheet off the easel.
    pub(crate) fn finish(self) -> Picture {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        Picture::of_pixels(width, height, self.pixels.take_demultiplied())
    }
}
