//! Latent semantic reduction: the strongest directions of a sparse matrix, by a randomised SVD.

use super::features::Row;

/// Directions beyond those that are kept, so that the kept ones are found well.
const SPARE: usize = 10;
/// How often the matrix is applied to sharpen the directions: for few rows until they are exact, for many until
/// they are good enough.
const ROUNDS_FEW: usize = 40;
const ROUNDS_MANY: usize = 8;
/// From here on rows are many.
const MANY: usize = 1_000;

/// Rows in the space of the `dimensions` strongest directions, each of length one.
pub(super) fn reduce(rows: &[Row], dimensions: usize) -> Vec<Vec<f32>> {
    let columns = rows
        .iter()
        .filter_map(|row| row.last())
        .map(|(column, _)| *column as usize + 1)
        .max()
        .unwrap_or(0);
    let width = (dimensions + SPARE).min(rows.len()).min(columns);
    let mut noise = Noise::default();
    let mut basis: Vec<Vec<f32>> = (0..width)
        .map(|_| (0..columns).map(|_| noise.signed()).collect())
        .collect();
    let rounds = if rows.len() < MANY {
        ROUNDS_FEW
    } else {
        ROUNDS_MANY
    };
    for _ in 0..rounds {
        basis = turned(rows, &basis, columns);
        orthonormalise(&mut basis);
    }
    let mut strong: Vec<(f32, Vec<f32>)> = basis
        .into_iter()
        .map(|direction| (strength(rows, &direction), direction))
        .collect();
    strong.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    strong.truncate(dimensions);
    let place = |row: &Row| {
        let along = |(strength, direction): &(f32, Vec<f32>)| dot(row, direction) * strength.sqrt();
        unit(strong.iter().map(along).collect())
    };
    rows.iter().map(place).collect()
}

/// How much of the matrix lies along a direction: its singular value. Places count the more the stronger their
/// direction is, so that it matters little where the weak ones are cut off.
fn strength(rows: &[Row], direction: &[f32]) -> f32 {
    let along = rows.iter().map(|row| dot(row, direction));
    along.map(|x| x * x).sum::<f32>().sqrt()
}

/// Applies the matrix and its transpose to each direction.
fn turned(rows: &[Row], basis: &[Vec<f32>], columns: usize) -> Vec<Vec<f32>> {
    basis
        .iter()
        .map(|direction| {
            let mut turned = vec![0.0; columns];
            for row in rows {
                let along = dot(row, direction);
                for (column, x) in row {
                    turned[*column as usize] += along * x;
                }
            }
            turned
        })
        .collect()
}

fn dot(row: &Row, direction: &[f32]) -> f32 {
    row.iter()
        .map(|(column, x)| x * direction[*column as usize])
        .sum()
}

/// Gram-Schmidt, each direction against all before it; one that is spanned by them becomes zero.
fn orthonormalise(basis: &mut [Vec<f32>]) {
    for at in 0..basis.len() {
        let (before, rest) = basis.split_at_mut(at);
        let this = &mut rest[0];
        let original = length(this);
        for _ in 0..2 {
            for other in before.iter() {
                let along: f32 = this.iter().zip(other).map(|(a, b)| a * b).sum();
                for (a, b) in this.iter_mut().zip(other) {
                    *a -= along * b;
                }
            }
        }
        let left = length(this);
        let scale = if left > original * 1e-5 {
            1.0 / left
        } else {
            0.0
        };
        for a in this.iter_mut() {
            *a *= scale;
        }
    }
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

/// The vector in its direction with length one; zeros stay.
pub(super) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = length(&vector);
    if length > 0.0 {
        for x in &mut vector {
            *x /= length;
        }
    }
    vector
}

/// Numbers that look random and are the same in every run: `SplitMix64`.
#[derive(Debug, Default)]
pub(super) struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `sides`.
    pub(super) fn below(&mut self, sides: usize) -> usize {
        let rolled = self.next().checked_rem(sides as u64).unwrap_or(0);
        usize::try_from(rolled).unwrap_or(0)
    }

    /// A number from −1 to 1.
    fn signed(&mut self) -> f32 {
        let high = u16::try_from(self.next() >> 48).unwrap_or(0);
        f32::from(high) / 32_768.0 - 1.0
    }
}
