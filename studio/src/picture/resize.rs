//! Resamples with a Lanczos window, which keeps edges crisp and does not ring visibly.

use super::Picture;

/// Half the width of the window, in pixels of the smaller picture.
const REACH: f32 = 3.0;

/// Which source pixels make one target pixel, and how much each counts.
struct Blend {
    first: usize,
    weights: Vec<f32>,
}

pub(super) fn resize(picture: &Picture, width: u32, height: u32) -> Picture {
    if (width, height) == (picture.width, picture.height) {
        return picture.clone();
    }
    let across = blends(picture.width, width);
    let down = blends(picture.height, height);
    let row_bytes = index(picture.width) * 4;
    let mut rgba = Vec::with_capacity(across.len() * down.len() * 4);
    // One row at a time: a large picture needs no second copy of itself.
    let mut row = vec![[0.0; 4]; index(picture.width)];
    for blend in &down {
        row.fill([0.0; 4]);
        let sources = picture.rgba.chunks_exact(row_bytes).skip(blend.first);
        for (source, &weight) in sources.zip(&blend.weights) {
            for (sum, pixel) in row.iter_mut().zip(source.chunks_exact(4)) {
                add(sum, weighed(pixel), weight);
            }
        }
        for blend in &across {
            let mut pixel = [0.0; 4];
            for (&part, &weight) in row[blend.first..].iter().zip(&blend.weights) {
                add(&mut pixel, part, weight);
            }
            rgba.extend_from_slice(&unweighed(pixel));
        }
    }
    Picture::of_pixels(width, height, rgba)
}

fn blends(from: u32, to: u32) -> Vec<Blend> {
    let scale = real(from) / real(to);
    let reach = REACH * scale.max(1.0);
    (0..to)
        .map(|target| {
            let centre = (real(target) + 0.5) * scale;
            let first = floor((centre - reach).max(0.0));
            let last = floor((centre + reach).min(real(from) - 1.0));
            let raw: Vec<f32> = (first..=last)
                .map(|source| lanczos((real(source) + 0.5 - centre) / scale.max(1.0)))
                .collect();
            let total: f32 = raw.iter().sum();
            Blend {
                first: index(first),
                weights: raw.iter().map(|weight| weight / total).collect(),
            }
        })
        .collect()
}

fn lanczos(distance: f32) -> f32 {
    if distance.abs() < 1e-5 {
        return 1.0;
    }
    if distance.abs() >= REACH {
        return 0.0;
    }
    let turn = std::f32::consts::PI * distance;
    REACH * turn.sin() * (turn / REACH).sin() / (turn * turn)
}

fn add(sum: &mut [f32; 4], pixel: [f32; 4], weight: f32) {
    for (total, part) in sum.iter_mut().zip(pixel) {
        *total += part * weight;
    }
}

/// Colours count as much as they cover, or transparent pixels would bleed.
fn weighed(pixel: &[u8]) -> [f32; 4] {
    let alpha = f32::from(pixel[3]) / 255.0;
    [
        f32::from(pixel[0]) * alpha,
        f32::from(pixel[1]) * alpha,
        f32::from(pixel[2]) * alpha,
        f32::from(pixel[3]),
    ]
}

fn unweighed(pixel: [f32; 4]) -> [u8; 4] {
    let alpha = (pixel[3] / 255.0).clamp(0.0, 1.0);
    let part = |value: f32| byte(if alpha > 0.0 { value / alpha } else { 0.0 });
    [
        part(pixel[0]),
        part(pixel[1]),
        part(pixel[2]),
        byte(pixel[3]),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is bounded to a byte first"
)]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place inside a picture is neither negative nor large"
)]
fn floor(value: f32) -> u32 {
    value.floor() as u32
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a side is at most five digits long"
)]
fn real(value: u32) -> f32 {
    value as f32
}

fn index(value: u32) -> usize {
    usize::try_from(value).expect("a side fits an index")
}
