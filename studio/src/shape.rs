//! Builds outlines.

use tiny_skia::{Path, PathBuilder, Rect, Transform};

/// A place on the canvas.
pub(crate) type Spot = (f32, f32);

/// Draws an outline the way a hand does: put down, line, curve, lift.
pub(crate) struct Pen(PathBuilder);

impl Pen {
    /// Puts the pen down.
    pub(crate) fn at(x: f32, y: f32) -> Pen {
        let mut path = PathBuilder::new();
        path.move_to(x, y);
        Pen(path)
    }

    /// Draws a straight line to here.
    pub(crate) fn line(mut self, x: f32, y: f32) -> Pen {
        self.0.line_to(x, y);
        self
    }

    /// Draws a curve to `end`, pulled by two handles.
    pub(crate) fn curve(mut self, first: Spot, second: Spot, end: Spot) -> Pen {
        self.0
            .cubic_to(first.0, first.1, second.0, second.1, end.0, end.1);
        self
    }

    /// Draws a curve to `end`, pulled by one handle.
    pub(crate) fn bend(mut self, handle: Spot, end: Spot) -> Pen {
        self.0.quad_to(handle.0, handle.1, end.0, end.1);
        self
    }

    /// Adds a whole circle beside what is drawn.
    pub(crate) fn and_circle(mut self, centre: Spot, radius: f32) -> Pen {
        self.0.push_circle(centre.0, centre.1, radius);
        self
    }

    /// Adds a whole square beside what is drawn, given by its left top corner.
    pub(crate) fn and_square(mut self, corner: Spot, side: f32) -> Pen {
        let square = Rect::from_xywh(corner.0, corner.1, side, side);
        self.0.push_rect(square.expect("a square here has a size"));
        self
    }

    /// Adds another outline beside what is drawn.
    pub(crate) fn and(mut self, other: &Path) -> Pen {
        self.0.push_path(other);
        self
    }

    /// Goes back to the start and lifts.
    pub(crate) fn close(mut self) -> Path {
        self.0.close();
        self.open()
    }

    /// Lifts where it is.
    pub(crate) fn open(self) -> Path {
        self.0
            .finish()
            .expect("an outline here has at least two finite points")
    }
}

/// The half of a symmetric outline that was drawn from the top centre to the bottom centre, plus its mirror image.
///
/// Each entry is one curve: two handles and an end.
pub(crate) fn mirrored(top: Spot, half: &[(Spot, Spot, Spot)]) -> Path {
    let mut pen = Pen::at(top.0, top.1);
    for &(first, second, end) in half {
        pen = pen.curve(first, second, end);
    }
    let flip = |(x, y): Spot| (-x, y);
    for (index, &(first, second, _)) in half.iter().enumerate().rev() {
        let end = if index == 0 { top } else { half[index - 1].2 };
        pen = pen.curve(flip(second), flip(first), flip(end));
    }
    pen.close()
}

/// The same outline on the other side of x = 0.
pub(crate) fn flipped(shape: &Path) -> Path {
    moved(shape, Transform::from_scale(-1.0, 1.0))
}

/// The same outline elsewhere.
pub(crate) fn moved(shape: &Path, by: Transform) -> Path {
    shape
        .clone()
        .transform(by)
        .expect("a finite transform of a finite outline")
}

pub(crate) fn circle(centre: Spot, radius: f32) -> Path {
    oval(centre, radius, radius)
}

pub(crate) fn oval(centre: Spot, wide: f32, high: f32) -> Path {
    let area = Rect::from_ltrb(
        centre.0 - wide,
        centre.1 - high,
        centre.0 + wide,
        centre.1 + high,
    );
    area.and_then(PathBuilder::from_oval)
        .expect("an oval here has a size")
}

/// Straight lines through the points, closed.
pub(crate) fn polygon(points: &[Spot]) -> Path {
    let mut pen = Pen::at(points[0].0, points[0].1);
    for &(x, y) in &points[1..] {
        pen = pen.line(x, y);
    }
    pen.close()
}

/// A box with round corners, given by its left top corner, its size and its corner radius.
pub(crate) fn rounded(corner: Spot, size: Spot, radius: f32) -> Path {
    let (left, top) = corner;
    let (right, bottom) = (left + size.0, top + size.1);
    let pull = radius * 0.45;
    Pen::at(left + radius, top)
        .line(right - radius, top)
        .curve(
            (right - pull, top),
            (right, top + pull),
            (right, top + radius),
        )
        .line(right, bottom - radius)
        .curve(
            (right, bottom - pull),
            (right - pull, bottom),
            (right - radius, bottom),
        )
        .line(left + radius, bottom)
        .curve(
            (left + pull, bottom),
            (left, bottom - pull),
            (left, bottom - radius),
        )
        .line(left, top + radius)
        .curve((left, top + pull), (left + pull, top), (left + radius, top))
        .close()
}

/// A smooth line through all the points (Catmull-Rom).
pub(crate) fn ribbon(points: &[Spot]) -> Path {
    let mut pen = Pen::at(points[0].0, points[0].1);
    for index in 1..points.len() {
        let before = points[index.saturating_sub(2)];
        let (from, to) = (points[index - 1], points[index]);
        let after = points[(index + 1).min(points.len() - 1)];
        pen = pen.curve(
            (
                from.0 + (to.0 - before.0) / 6.0,
                from.1 + (to.1 - before.1) / 6.0,
            ),
            (
                to.0 - (after.0 - from.0) / 6.0,
                to.1 - (after.1 - from.1) / 6.0,
            ),
            to,
        );
    }
    pen.open()
}

/// A star with this many points; `inner` is the radius between them.
pub(crate) fn star(centre: Spot, points: u8, outer: f32, inner: f32) -> Path {
    let step = std::f32::consts::PI / f32::from(points);
    let spots: Vec<Spot> = (0..points * 2)
        .map(|index| {
            let radius = if index % 2 == 0 { outer } else { inner };
            let angle = step * f32::from(index) - std::f32::consts::FRAC_PI_2;
            (
                centre.0 + radius * angle.cos(),
                centre.1 + radius * angle.sin(),
            )
        })
        .collect();
    polygon(&spots)
}

/// A four-pointed sparkle with hollow sides.
pub(crate) fn sparkle(centre: Spot, radius: f32) -> Path {
    let (x, y) = centre;
    let waist = radius * 0.12;
    Pen::at(x, y - radius)
        .bend((x + waist, y - waist), (x + radius, y))
        .bend((x + waist, y + waist), (x, y + radius))
        .bend((x - waist, y + waist), (x - radius, y))
        .bend((x - waist, y - waist), (x, y - radius))
        .close()
}
