//! What the steps of a round read and write beyond single rows: all its ideas at once.

use super::clusters::{self, NewCluster};
use crate::accounts::store::NAME_DEFAULT;
use saga_core::db::{Db, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most groups that a round keeps; those beyond are noise.
pub const GROUPS_MAX: usize = 52;

/// How groups are named in [`Grouping::members`], one letter for an idea.
const LETTERS: &[u8; GROUPS_MAX] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// An idea in no group.
const NONE: char = '-';
/// How many ideas stand for a group.
const SAMPLES_MAX: usize = 5;

/// The groups among a round's ideas, in few bytes: an answer that would name ten thousand ideas is too large
/// for a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grouping {
    /// The groups, the largest first; at most [`GROUPS_MAX`].
    pub groups: Vec<Group>,
    /// A letter for each idea, the oldest first: the first group's is `A`.
    pub members: String,
    /// Tells whether the round's ideas are the same still.
    pub ideas: String,
}

/// What is known of a group besides its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Words that tell it from the others, best first.
    pub keywords: Vec<String>,
    /// The places of ideas that stand for it, best first.
    pub samples: Vec<usize>,
}

#[derive(sqlx::FromRow)]
struct Named {
    display_name: String,
}

const IDS: &str = "-- grouping.ids
    SELECT id FROM submissions WHERE round_id = $1 AND state = 'claimed' ORDER BY id";
const COUNT: &str = "-- grouping.count
    SELECT COUNT(*) FROM submissions WHERE round_id = $1 AND state = 'claimed'";
const AUTHORS: &str = "-- grouping.authors
    SELECT DISTINCT a.display_name FROM submissions s JOIN accounts a ON a.id = s.author_id WHERE s.cluster_id = $1
     ORDER BY a.display_name";

impl Grouping {
    /// Puts groups down: a label from 0 for each of `ids`, or less for none, and the ideas of each group from
    /// the likest to it to the least.
    pub fn of(
        ids: &[Uuid],
        labels: &[i32],
        keywords: Vec<Vec<String>>,
        ranked: Vec<Vec<usize>>,
    ) -> Self {
        let letter = |label: &i32| {
            let letter = usize::try_from(*label).ok().and_then(|at| LETTERS.get(at));
            letter.map_or(NONE, |letter| char::from(*letter))
        };
        let groups = keywords.into_iter().zip(ranked).take(GROUPS_MAX);
        Self {
            groups: groups
                .map(|(keywords, mut samples)| {
                    samples.truncate(SAMPLES_MAX);
                    Group { keywords, samples }
                })
                .collect(),
            members: labels.iter().map(letter).collect(),
            ideas: fingerprint(ids),
        }
    }

    /// How many ideas are in no group.
    pub fn noise(&self) -> usize {
        self.members
            .chars()
            .filter(|letter| *letter == NONE)
            .count()
    }
}

/// How many ideas a round holds.
pub async fn count(db: &Db, round: Uuid) -> sqlx::Result<usize> {
    let (count,): (i64,) = db.query(COUNT).bind(round).one().await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Writes down the groups of a round; false if its ideas are not the same any more, since an account was
/// erased meanwhile, and then nothing is written. The step that groups records this.
pub async fn grouped(tx: &mut Tx, round: Uuid, grouping: &Grouping) -> sqlx::Result<bool> {
    let ids: Vec<(Uuid,)> = tx.query(IDS).bind(round).all().await?;
    let ids: Vec<Uuid> = ids.into_iter().map(|(id,)| id).collect();
    if fingerprint(&ids) != grouping.ideas {
        return Ok(false);
    }
    let groups = grouping.groups.iter().zip(LETTERS).enumerate();
    let found: Vec<NewCluster> = groups
        .map(|(label, (group, letter))| {
            let letters = grouping.members.bytes().zip(&ids);
            let members = letters.filter(|(own, _)| own == letter);
            NewCluster {
                id: cluster_id(round, label),
                label: i64::try_from(label).unwrap_or(i64::MAX),
                keywords: group.keywords.clone(),
                samples: group
                    .samples
                    .iter()
                    .filter_map(|at| ids.get(*at).copied())
                    .collect(),
                members: members.map(|(_, id)| *id).collect(),
            }
        })
        .collect();
    let noise = i64::try_from(grouping.noise()).unwrap_or(i64::MAX);
    clusters::save(tx, round, noise, &found).await?;
    Ok(true)
}

/// The names of a cluster's authors, in the order of the alphabet, so that they tell nothing of who wrote
/// what. Those who gave none have nobody's.
pub async fn authors(db: &Db, cluster: Uuid) -> sqlx::Result<Vec<String>> {
    let rows: Vec<Named> = db.query(AUTHORS).bind(cluster).all().await?;
    let names = rows.into_iter().map(|row| row.display_name);
    Ok(names.filter(|name| name != NAME_DEFAULT).collect())
}

/// The id of a round's cluster: the same each time that it is found.
fn cluster_id(round: Uuid, label: usize) -> Uuid {
    Uuid::new_v5(&round, format!("cluster {label}").as_bytes())
}

fn fingerprint(ids: &[Uuid]) -> String {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.into_bytes()).collect();
    crate::hash::name(&bytes)
}
