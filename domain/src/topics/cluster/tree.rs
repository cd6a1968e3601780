//! The shortest tree that joins all vectors, where sparse places are far from everything.

/// Two vectors and how far apart they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    pub a: usize,
    pub b: usize,
    pub distance: f32,
}

/// Joins all vectors by mutual reachability: two are no nearer than either is to its `neighbours`-th
/// neighbour. Prim's algorithm; edges from short to long.
pub(super) fn spanning(vectors: &[Vec<f32>], neighbours: usize) -> Vec<Edge> {
    let cores: Vec<f32> = (0..vectors.len())
        .map(|at| core(vectors, at, neighbours))
        .collect();
    let mut nearest = vec![(f32::INFINITY, 0); vectors.len()];
    let mut outside: Vec<usize> = (1..vectors.len()).collect();
    let mut edges = Vec::with_capacity(outside.len());
    let mut joined = 0;
    while !outside.is_empty() {
        let mut best = 0;
        for (place, &other) in outside.iter().enumerate() {
            let apart = distance(&vectors[joined], &vectors[other])
                .max(cores[joined])
                .max(cores[other]);
            if apart < nearest[other].0 {
                nearest[other] = (apart, joined);
            }
            if nearest[other].0 < nearest[outside[best]].0 {
                best = place;
            }
        }
        let next = outside.swap_remove(best);
        let (distance, from) = nearest[next];
        edges.push(Edge {
            a: from,
            b: next,
            distance,
        });
        joined = next;
    }
    edges.sort_by(|x, y| {
        x.distance
            .total_cmp(&y.distance)
            .then((x.a, x.b).cmp(&(y.a, y.b)))
    });
    edges
}

/// How far the `neighbours`-th neighbour is.
fn core(vectors: &[Vec<f32>], at: usize, neighbours: usize) -> f32 {
    let mut nearest: Vec<f32> = Vec::with_capacity(neighbours + 1);
    for (other, vector) in vectors.iter().enumerate() {
        if other == at {
            continue;
        }
        let apart = distance(&vectors[at], vector);
        if nearest.len() == neighbours && nearest.last().is_some_and(|far| apart >= *far) {
            continue;
        }
        let place = nearest.partition_point(|near| *near <= apart);
        nearest.insert(place, apart);
        nearest.truncate(neighbours);
    }
    nearest.last().copied().unwrap_or(2.0)
}

/// The length of the straight line between two vectors of length one.
pub(super) fn distance(a: &[f32], b: &[f32]) -> f32 {
    let cosine: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
    (2.0 - 2.0 * cosine).max(0.0).sqrt()
}
