//! Which branches of the tree of distances are groups: those that hold together over the widest range of distances.

use super::tree::Edge;

/// A branch of the hierarchy: either one vector, or two branches that meet at a distance.
#[derive(Debug, Clone, Copy)]
struct Merge {
    left: usize,
    right: usize,
    distance: f32,
    size: usize,
}

/// Labels `n` vectors by the stablest branches with at least `size_min` of them.
pub(super) fn labels(n: usize, edges: Vec<Edge>, size_min: usize) -> Vec<i32> {
    let merges = merges(n, edges);
    let groups = condense(n, &merges, size_min);
    let chosen = choose(&groups);
    let mut labels = vec![-1; n];
    let mut label = 0;
    for (at, group) in groups.iter().enumerate() {
        if chosen[at] {
            for leaf in leaves(n, &merges, group.top) {
                labels[leaf] = label;
            }
            label += 1;
        }
    }
    labels
}

fn merges(n: usize, edges: Vec<Edge>) -> Vec<Merge> {
    let mut parent: Vec<usize> = (0..n).collect();
    let mut node: Vec<usize> = (0..n).collect();
    let mut size = vec![1; n];
    let mut merges = Vec::with_capacity(edges.len());
    for edge in edges {
        let (a, b) = (root(&mut parent, edge.a), root(&mut parent, edge.b));
        merges.push(Merge {
            left: node[a],
            right: node[b],
            distance: edge.distance,
            size: size[a] + size[b],
        });
        parent[b] = a;
        size[a] += size[b];
        node[a] = n + merges.len() - 1;
    }
    merges
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// A candidate.
#[derive(Debug)]
struct Group {
    top: usize,
    parent: Option<usize>,
    stability: f32,
}

/// The distance below which differences mean nothing.
const NEAR: f32 = 1e-3;

fn condense(n: usize, merges: &[Merge], size_min: usize) -> Vec<Group> {
    let size = |node: usize| if node < n { 1 } else { merges[node - n].size };
    let density = |distance: f32| 1.0 / distance.max(NEAR);
    let mut groups = vec![Group {
        top: n + merges.len() - 1,
        parent: None,
        stability: 0.0,
    }];
    let mut open = vec![(n + merges.len() - 1, 0, 0.0_f32)];
    while let Some((node, group, birth)) = open.pop() {
        if node < n {
            continue;
        }
        let merge = merges[node - n];
        let here = density(merge.distance);
        let (l, r) = (size(merge.left), size(merge.right));
        if l >= size_min && r >= size_min {
            groups[group].stability += (here - birth) * number(l + r);
            for top in [merge.left, merge.right] {
                groups.push(Group {
                    top,
                    parent: Some(group),
                    stability: 0.0,
                });
                open.push((top, groups.len() - 1, here));
            }
        } else {
            for (child, count) in [(merge.left, l), (merge.right, r)] {
                if count >= size_min {
                    open.push((child, group, birth));
                } else {
                    groups[group].stability += (here - birth) * number(count);
                }
            }
        }
    }
    groups
}

/// A group is kept when it is stabler than the groups within it together; the whole never is.
fn choose(groups: &[Group]) -> Vec<bool> {
    let mut within = vec![0.0; groups.len()];
    let mut chosen = vec![false; groups.len()];
    for at in (1..groups.len()).rev() {
        let own = groups[at].stability;
        chosen[at] = own >= within[at];
        let worth = own.max(within[at]);
        if let Some(parent) = groups[at].parent {
            within[parent] += worth;
        }
    }
    for at in 1..groups.len() {
        let mut above = groups[at].parent;
        while let Some(parent) = above {
            if chosen[parent] && parent != 0 {
                chosen[at] = false;
            }
            above = groups[parent].parent;
        }
    }
    chosen
}

fn leaves(n: usize, merges: &[Merge], top: usize) -> Vec<usize> {
    let mut leaves = Vec::new();
    let mut open = vec![top];
    while let Some(node) = open.pop() {
        if node < n {
            leaves.push(node);
        } else {
            open.extend([merges[node - n].left, merges[node - n].right]);
        }
    }
    leaves
}

#[expect(
    clippy::cast_precision_loss,
    reason = "groups are far below the 16 million that an f32 counts to"
)]
fn number(count: usize) -> f32 {
    count as f32
}
