//! Groups of ideas by density, as HDBSCAN finds them, and noise that belongs to none.

mod condense;
mod settle;
mod tree;

/// Finds groups of at least `size_min` vectors of length one. Each vector gets the label of its
/// group, from 0 for the largest, or −1. Takes n² time and n memory.
pub fn cluster(vectors: &[Vec<f32>], size_min: usize) -> Vec<i32> {
    let size_min = size_min.max(2);
    if vectors.len() < size_min {
        return vec![-1; vectors.len()];
    }
    let edges = tree::spanning(vectors, size_min - 1);
    let dense = condense::labels(vectors.len(), edges, size_min);
    settle::settle(vectors, dense, size_min)
}

/// The places of each group's vectors, those nearest to its middle first.
pub fn ranked(vectors: &[Vec<f32>], labels: &[i32]) -> Vec<Vec<usize>> {
    settle::ranked(vectors, labels)
}
