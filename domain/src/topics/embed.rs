//! Where ideas stand to each other: vectors from their own words, or from a model's.

mod features;
mod project;
mod reduce;

use features::Reading;
pub use project::{WIDTH, projected};

/// The most dimensions that ideas are compared in.
pub const DIMENSIONS_MAX: usize = 64;

/// Places each text among the others of its batch, without a model: by its words, by what they are
/// about, and by which words keep company in this batch. Vectors have one length, and their cosine
/// says how much two texts are about the same; a text of which nothing is understood has zeros. The
/// same texts in the same order give the same vectors.
pub fn embed(texts: &[&str]) -> Vec<Vec<f32>> {
    let readings: Vec<Reading> = texts.iter().map(|text| Reading::of(text)).collect();
    let rows = features::weigh(&readings);
    drop(readings);
    reduce::reduce(&rows, dimensions(texts.len()))
}

/// Places texts by the vectors that a model gave them, [`projected`] before: what all have in common
/// is taken off, and what is left is reduced as [`embed`] does it.
pub fn place(mut vectors: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    project::centre(&mut vectors);
    let rows: Vec<features::Row> = vectors.iter().map(|vector| project::row(vector)).collect();
    reduce::reduce(&rows, dimensions(vectors.len()))
}

/// Few texts have few themes: more dimensions would only keep what is chance.
fn dimensions(texts: usize) -> usize {
    (texts.isqrt() + 5).clamp(2, DIMENSIONS_MAX)
}
