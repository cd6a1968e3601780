//! A model's long vectors made short enough to hold ten thousand of them.

use super::features::Row;
use super::reduce::{Noise, unit};

/// The length of a vector that is kept as it is. Longer ones are projected on so many directions.
pub const WIDTH: usize = 256;

/// Shortens a vector and gives it length one. Each entry is added to or taken from one place that
/// depends on where it stands alone, so that cosines are nearly kept.
pub fn projected(vector: &[f32]) -> Vec<f32> {
    if vector.len() <= WIDTH {
        return unit(vector.to_vec());
    }
    let mut noise = Noise::default();
    let mut short = vec![0.0; WIDTH];
    for x in vector {
        // Each entry goes to four places: with one, two strong entries could meet and be lost.
        for _ in 0..4 {
            let place = noise.below(2 * WIDTH);
            short[place / 2] += if place % 2 == 0 { *x } else { -x };
        }
    }
    unit(short)
}

/// Takes the mean off all vectors.
pub(super) fn centre(vectors: &mut [Vec<f32>]) {
    let Some(first) = vectors.first() else { return };
    let mut mean = vec![0.0_f64; first.len()];
    let share = 1.0 / f64::from(u32::try_from(vectors.len()).unwrap_or(u32::MAX));
    for vector in vectors.iter() {
        for (m, x) in mean.iter_mut().zip(vector) {
            *m += f64::from(*x) * share;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "a mean of f32 is one")]
    for vector in vectors.iter_mut() {
        for (x, m) in vector.iter_mut().zip(&mean) {
            *x -= *m as f32;
        }
    }
}

/// A dense vector as a row of the sparse matrix, of length one.
pub(super) fn row(vector: &[f32]) -> Row {
    (0..).zip(unit(vector.to_vec())).collect()
}
