//! Groups made whole: those that are about the same are joined, and each vector goes where it fits best.

/// Two groups whose middles are this alike are one.
const SAME: f32 = 0.5;
/// A vector less alike to the middle of every group is noise.
const ALIKE: f32 = 0.45;
/// How often vectors may change groups; they rarely do after the third time.
const ROUNDS: usize = 10;

/// Improves on `labels`, and drops groups that are left with fewer than `size_min`. Labels go from the
/// largest group to the smallest, among equals by the first vector.
pub(super) fn settle(vectors: &[Vec<f32>], labels: Vec<i32>, size_min: usize) -> Vec<i32> {
    let mut groups: Vec<Option<usize>> = labels
        .iter()
        .map(|label| usize::try_from(*label).ok())
        .collect();
    for _ in 0..ROUNDS {
        let before = groups.clone();
        join(vectors, &mut groups);
        let sums = sums(vectors, &groups);
        groups = vectors
            .iter()
            .zip(&groups)
            .map(|(vector, own)| best(vector, *own, &sums))
            .collect();
        tidy(&mut groups, size_min);
        if groups == before {
            break;
        }
    }
    groups
        .into_iter()
        .map(|group| group.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1))
        .collect()
}

/// The places of each group's vectors, those nearest to its middle first, among equals the earlier.
pub(super) fn ranked(vectors: &[Vec<f32>], labels: &[i32]) -> Vec<Vec<usize>> {
    let groups: Vec<Option<usize>> = labels
        .iter()
        .map(|label| usize::try_from(*label).ok())
        .collect();
    let sums = sums(vectors, &groups);
    let mut ranked: Vec<Vec<(f32, usize)>> = vec![Vec::new(); sums.len()];
    for (at, (vector, group)) in vectors.iter().zip(&groups).enumerate() {
        if let Some(group) = group {
            ranked[*group].push((cosine(&sums[*group], vector), at));
        }
    }
    let places = |mut members: Vec<(f32, usize)>| {
        members.sort_by(|(a, at), (b, other)| b.total_cmp(a).then(at.cmp(other)));
        members.into_iter().map(|(_, at)| at).collect()
    };
    ranked.into_iter().map(places).collect()
}

/// The group that a vector is most like, itself not counted among its own.
fn best(vector: &[f32], own: Option<usize>, sums: &[Vec<f32>]) -> Option<usize> {
    let mut best = (ALIKE, None);
    for (at, sum) in sums.iter().enumerate() {
        let likeness = if own == Some(at) {
            let others: Vec<f32> = sum.iter().zip(vector).map(|(s, x)| s - x).collect();
            cosine(&others, vector)
        } else {
            cosine(sum, vector)
        };
        if likeness > best.0 {
            best = (likeness, Some(at));
        }
    }
    best.1
}

/// Joins each group, from the first, to the earlier one that it is most like.
fn join(vectors: &[Vec<f32>], groups: &mut [Option<usize>]) {
    tidy(groups, 1);
    let mut sums = sums(vectors, groups);
    let mut target: Vec<usize> = (0..sums.len()).collect();
    for at in 1..sums.len() {
        let mut best = (SAME, at);
        for earlier in (0..at).filter(|earlier| target[*earlier] == *earlier) {
            let likeness = cosine(&sums[earlier], &sums[at]);
            if likeness > best.0 {
                best = (likeness, earlier);
            }
        }
        target[at] = best.1;
        if best.1 != at {
            let joined = std::mem::take(&mut sums[at]);
            for (s, x) in sums[best.1].iter_mut().zip(joined) {
                *s += x;
            }
        }
    }
    for group in groups.iter_mut().flatten() {
        *group = target[*group];
    }
}

/// The sum of each group's vectors: its direction is the group's middle.
fn sums(vectors: &[Vec<f32>], groups: &[Option<usize>]) -> Vec<Vec<f32>> {
    let count = groups.iter().flatten().max().map_or(0, |most| most + 1);
    let width = vectors.first().map_or(0, Vec::len);
    let mut sums = vec![vec![0.0; width]; count];
    for (vector, group) in vectors.iter().zip(groups) {
        if let Some(group) = group {
            for (s, x) in sums[*group].iter_mut().zip(vector) {
                *s += x;
            }
        }
    }
    sums
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    let lengths = f32::sqrt(aa * bb);
    if lengths > 0.0 { dot / lengths } else { 0.0 }
}

/// Drops small groups and numbers the others by size.
fn tidy(groups: &mut [Option<usize>], size_min: usize) {
    let count = groups.iter().flatten().max().map_or(0, |most| most + 1);
    let mut sizes = vec![(0_usize, usize::MAX); count];
    for (at, group) in groups.iter().enumerate() {
        if let Some(group) = group {
            sizes[*group].0 += 1;
            sizes[*group].1 = sizes[*group].1.min(at);
        }
    }
    let mut order: Vec<usize> = (0..count)
        .filter(|group| sizes[*group].0 >= size_min.max(1))
        .collect();
    order.sort_by_key(|group| (std::cmp::Reverse(sizes[*group].0), sizes[*group].1));
    let mut place = vec![None; count];
    for (at, group) in order.into_iter().enumerate() {
        place[group] = Some(at);
    }
    for group in groups.iter_mut() {
        *group = group.and_then(|group| place[group]);
    }
}
