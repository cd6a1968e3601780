//! What a round may be asked for, and where it is.

use super::POOL;
use super::submissions::{NotTaken, readable};
use saga_core::schedule::Schedule;
use saga_core::state::SagaState;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The saga that a round is.
pub const KIND: &str = "topic.round";
/// The schedule by which rounds begin.
pub const SCHEDULE: &str = "topic-rounds";
/// The smallest cluster there can be.
pub const CLUSTER_SIZE_MIN: i64 = 2;
/// The largest that may be asked for.
pub const CLUSTER_SIZE_MAX: i64 = 1_000;
/// The most topics that one round makes.
pub const TOPICS_MAX: i64 = 10;
/// The longest hint at a title, in characters.
pub const TITLE_HINT_MAX: usize = 200;

/// A curator's hint at a title, as it is kept.
pub fn title_hint(given: &str) -> Result<String, NotTaken> {
    readable(given, TITLE_HINT_MAX)
}

/// Where a round is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundState {
    /// It is accepted.
    Queued,
    /// Live ideas are taken up.
    Claiming,
    /// Vectors are made of them.
    Embedding,
    /// Ideas that are alike are found.
    Clustering,
    /// A curator looks at the clusters.
    InReview,
    /// Topics are written.
    Drafting,
    /// It is over; what it did not use is live again.
    Finished,
    /// It is over, and there was nothing to make a topic of.
    Empty,
    /// It gave up; every idea it still held is live again.
    Failed,
    /// Somebody cancelled it; every idea it still held is live again.
    Cancelled,
}

impl RoundState {
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claiming => "claiming",
            Self::Embedding => "embedding",
            Self::Clustering => "clustering",
            Self::InReview => "in_review",
            Self::Drafting => "drafting",
            Self::Finished => "finished",
            Self::Empty => "empty",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it is over.
    pub fn is_final(self) -> bool {
        match self {
            Self::Finished | Self::Empty | Self::Failed | Self::Cancelled => true,
            Self::Queued
            | Self::Claiming
            | Self::Embedding
            | Self::Clustering
            | Self::InReview
            | Self::Drafting => false,
        }
    }
}

impl TryFrom<String> for RoundState {
    type Error = sqlx::Error;
    fn try_from(word: String) -> sqlx::Result<Self> {
        crate::word(&word)
    }
}

/// How a round came to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// By a request.
    Api,
    /// By the command line.
    Cli,
    /// By the clock.
    Schedule,
}

impl Trigger {
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Schedule => "schedule",
        }
    }
}

impl TryFrom<String> for Trigger {
    type Error = sqlx::Error;
    fn try_from(word: String) -> sqlx::Result<Self> {
        crate::word(&word)
    }
}

/// What a round is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whether a curator looks at the clusters first.
    pub require_review: bool,
    /// The fewest ideas that make a cluster, at least [`CLUSTER_SIZE_MIN`].
    pub min_cluster_size: i64,
    /// The most topics it makes, 1 to [`TOPICS_MAX`].
    pub max_topics: i64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            require_review: false,
            min_cluster_size: 3,
            max_topics: 3,
        }
    }
}

/// What a round's saga is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Whose ideas; one round of a pool is open at a time.
    pub pool: String,
    /// What it is asked for.
    pub params: Params,
}

/// Rounds of the pool that begin by the clock, with what rounds usually have. The pattern and the time zone are
/// checked before.
pub fn scheduled(cron: &str, time_zone: &str) -> Schedule {
    Schedule {
        name: SCHEDULE.to_owned(),
        kind: KIND.to_owned(),
        cron: cron.to_owned(),
        time_zone: time_zone.to_owned(),
        input: json!({"pool": POOL, "params": Params::default()}),
    }
}

/// Where a round is, from its row and the state of its saga. While a saga is undone its round is where it was;
/// one whose saga is forgotten before it wrote down how it ended has failed.
pub fn told(noted: RoundState, saga: Option<SagaState>, canceled: bool) -> RoundState {
    if noted.is_final() {
        return noted;
    }
    match saga {
        Some(SagaState::Undone) if canceled => RoundState::Cancelled,
        Some(SagaState::Undone) | None => RoundState::Failed,
        Some(SagaState::Succeeded) => RoundState::Finished,
        Some(SagaState::Queued) => noted,
        Some(
            SagaState::Running
            | SagaState::Waiting
            | SagaState::Paused
            | SagaState::Parked
            | SagaState::Undoing
            | SagaState::Stuck,
        ) => match noted {
            RoundState::Queued => RoundState::Claiming,
            RoundState::Claiming
            | RoundState::Embedding
            | RoundState::Clustering
            | RoundState::InReview
            | RoundState::Drafting
            | RoundState::Finished
            | RoundState::Empty
            | RoundState::Failed
            | RoundState::Cancelled => noted,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{RoundState, told};
    use saga_core::state::SagaState;

    #[test]
    fn a_round_is_told_from_its_row_unless_its_saga_knows_more() {
        use RoundState::{Cancelled, Claiming, Drafting, Empty, Failed, Queued};
        let known = |noted, saga, canceled| told(noted, Some(saga), canceled);
        assert_eq!(known(Queued, SagaState::Queued, false), Queued);
        assert_eq!(known(Queued, SagaState::Running, false), Claiming);
        assert_eq!(known(Drafting, SagaState::Parked, false), Drafting);
        assert_eq!(known(Drafting, SagaState::Undoing, true), Drafting);
        assert_eq!(known(Drafting, SagaState::Undone, false), Failed);
        assert_eq!(known(Queued, SagaState::Undone, true), Cancelled);
        assert_eq!(known(Empty, SagaState::Undone, true), Empty);
        assert_eq!(told(Queued, None, false), Failed);
        assert_eq!(told(Empty, None, false), Empty);
    }
}
