//! The saga `topic.round`: the live ideas of a pool become topics, or are live again.

use super::draft::{Draft, DraftTopic};
use super::rounds::{Begin, KIND, Trigger};
use super::store::clusters::Cluster;
use super::store::grouping::Grouping;
use super::store::rounds::{self, NewRound};
use crate::queues::SYNTHESIS;
use saga_core::db::Tx;
use saga_core::review::{OnExpiry, Review};
use saga_core::schedule::{Opening, Written};
use saga_core::store::NewSaga;
use saga_core::{Flow, Halt, Queue, Saga, SingletonKey, Step};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// `topic.round`.
pub struct RunRound;

/// What a round came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Ideas that it took up.
    pub claimed: usize,
    /// Groups that it found.
    pub clusters: usize,
    /// The topics that were made of them.
    pub topics: Vec<Uuid>,
}

impl Saga for RunRound {
    const KIND: &'static str = KIND;
    const PARK: Duration = Duration::from_mins(15);
    const DEADLINE: Option<Duration> = Some(Duration::from_mins(30));
    const LOCKED: &'static [&'static str] = &["pool"];
    const SINGLETON: Option<SingletonKey<Begin>> = Some(|begin| Some(begin.pool.clone()));
    const OPENING: Option<Opening<Begin>> = Some(by_clock);
    type Input = Begin;
    type Output = Outcome;

    fn run(flow: &mut Flow, begin: Begin) -> Result<Outcome, Halt> {
        let mut outcome = Outcome {
            claimed: 0,
            clusters: 0,
            topics: Vec::new(),
        };
        flow.phase("claim");
        flow.undo_with(GiveBackIdeas {});
        let claim = ClaimIdeas {
            pool: begin.pool.clone(),
        };
        if let Err(failure) = flow.attempt(claim)? {
            return flow.fail(failure.message);
        }

        flow.phase("embed");
        let (round, claimed) = match embed(flow)? {
            Ok(Embedded { round, ideas, .. }) => (round, ideas),
            Err(why) => return flow.fail(why),
        };
        outcome.claimed = claimed;
        if outcome.claimed > 0 {
            flow.phase("cluster");
            flow.undo_with(ForgetClusters {});
            let size_min = begin.params.min_cluster_size;
            outcome.clusters = match flow.attempt(ClusterIdeas { size_min })? {
                Ok(found) => found.groups.len(),
                Err(failure) => return flow.fail(failure.message),
            };
        }
        if outcome.clusters > 0 && begin.params.require_review {
            flow.phase("curate");
            if let Err(said) = flow.review("topic.curate", question(round, &outcome))? {
                let notes = said.notes.unwrap_or_default();
                return flow.fail(format!("rejected: {notes}"));
            }
        }
        if outcome.clusters > 0 {
            outcome.topics = draft(flow, &begin)?;
        }

        flow.phase("release");
        flow.pivot();
        flow.step(ReleaseIdeas {})?;
        Ok(outcome)
    }
}

/// Writes down the round that a schedule begins.
fn by_clock<'a>(tx: &'a mut Tx, saga: &'a NewSaga, begin: Begin) -> Written<'a> {
    let new = NewRound {
        id: saga.id,
        pool: begin.pool,
        trigger: Trigger::Schedule,
        params: begin.params,
        started_by: None,
    };
    Box::pin(rounds::begin(tx, new, Some(&saga.request_id)))
}

/// Asks curators to look at the clusters. If none of them does so within a day, all go on.
fn question(round: Uuid, outcome: &Outcome) -> Review {
    let Outcome {
        claimed, clusters, ..
    } = outcome;
    Review::of("topic_round", round, "rounds.review")
        .titled(format!("{clusters} clusters among {claimed} ideas"))
        .within(Duration::from_hours(24))
        .on_expiry(OnExpiry::Approve)
}

/// Has vectors made, some of them in each step, and tells of the last; or why not.
fn embed(flow: &mut Flow) -> Result<Result<Embedded, String>, Halt> {
    let mut from = 0;
    loop {
        match flow.attempt(EmbedIdeas { from })? {
            Ok(embedded) => match embedded.next {
                Some(next) => from = next,
                None => return Ok(Ok(embedded)),
            },
            Err(failure) => return Ok(Err(failure.message)),
        }
    }
}

/// One child for each cluster that is kept; one that fails leaves its ideas to the release.
fn draft(flow: &mut Flow, begin: &Begin) -> Result<Vec<Uuid>, Halt> {
    flow.phase("draft");
    let chosen = flow.step(ChooseClusters {
        topics_max: begin.params.max_topics,
    })?;
    let drafts = chosen.clusters.iter().map(|cluster| Draft {
        round: cluster.round_id,
        cluster: cluster.id,
    });
    let ends = flow.children::<DraftTopic>(drafts)?.settled(flow, 0)?;
    Ok(ends.into_iter().filter_map(Result::ok).collect())
}

/// Takes up every live idea of a pool for this round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClaimIdeas {
    /// Whose ideas.
    pub pool: String,
}

impl Step for ClaimIdeas {
    const NAME: &'static str = "topic.claim";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}

/// Has vectors made of some of the round's ideas, unless they are compared by rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmbedIdeas {
    /// The place of the first of them among all, the oldest first.
    pub from: usize,
}

/// How far the making of vectors is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Embedded {
    /// The round.
    pub round: Uuid,
    /// How many ideas the round holds.
    pub ideas: usize,
    /// Where to go on, if this was not the end.
    pub next: Option<usize>,
}

impl Step for EmbedIdeas {
    const NAME: &'static str = "topic.embed";
    const QUEUE: Queue = SYNTHESIS;
    /// Four calls of 45 s, and what is between them.
    const TIMEOUT: Duration = Duration::from_secs(200);
    type Output = Embedded;
}

/// Groups the round's ideas.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterIdeas {
    /// The fewest ideas that make a group.
    pub size_min: i64,
}

impl Step for ClusterIdeas {
    const NAME: &'static str = "topic.cluster";
    const QUEUE: Queue = SYNTHESIS;
    type Output = Grouping;
}

/// Settles which clusters become topics.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChooseClusters {
    /// How many at most.
    pub topics_max: i64,
}

/// The clusters that become topics, the largest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chosen {
    /// How many there could be.
    pub topics_max: i64,
    /// At most so many.
    pub clusters: Vec<Cluster>,
}

impl Step for ChooseClusters {
    const NAME: &'static str = "topic.choose";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Chosen;
}

/// Ends the round: every idea of which no topic was made is live again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReleaseIdeas {}

impl Step for ReleaseIdeas {
    const NAME: &'static str = "topic.release";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}

/// Has every idea that the round still holds be live again, since it came to nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GiveBackIdeas {}

impl Step for GiveBackIdeas {
    const NAME: &'static str = "topic.give_back";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}

/// Removes the round's clusters, but those that became topics.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgetClusters {}

impl Step for ForgetClusters {
    const NAME: &'static str = "topic.forget_clusters";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}
