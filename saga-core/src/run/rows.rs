//! What a saga, its steps, its news and its history are made of.

use super::Version;
use crate::journal::{Failure, Key, Recorded};
use crate::state::{SagaState, StepState};
use crate::trace::Trace;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// What a row of `steps` is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A deed.
    Work,
    /// The taking back of a deed.
    Undo,
    /// A pause.
    Timer,
    /// A wait for news.
    Listen,
    /// Another saga, begun by this one.
    Child,
    /// A question to people.
    Review,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Work,
        Self::Undo,
        Self::Timer,
        Self::Listen,
        Self::Child,
        Self::Review,
    ];
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Undo => "undo",
            Self::Timer => "timer",
            Self::Listen => "listen",
            Self::Child => "child",
            Self::Review => "review",
        }
    }

    /// What a request of this role is compared by on replay.
    pub(crate) fn recorded(self, input: &Value) -> Recorded {
        let input = input.clone();
        match self {
            Self::Work => Recorded::Work { input },
            Self::Undo => Recorded::Undo { input },
            Self::Timer => Recorded::Timer {
                millis: input.as_u64().unwrap_or_default(),
            },
            Self::Listen => Recorded::Listen,
            Self::Child => Recorded::Child { input },
            Self::Review => Recorded::Review { input },
        }
    }
}

/// Why a saga is being undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It failed.
    Failed,
    /// Somebody cancelled it.
    Canceled,
}

impl Ending {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// Who began a saga and waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// The saga.
    pub id: Uuid,
    /// Its request that this one answers.
    pub key: Key,
}

/// The id of the child that a saga begins by a request: it follows from both, so that a replay finds it. If an
/// operator has it begun anew, see [`StepRow::child`].
pub fn child_id(parent: Uuid, key: &Key) -> Uuid {
    Uuid::new_v5(&parent, format!("child {key}").as_bytes())
}

/// As [`child_id`], of the child that was begun anew for the `nth` time; 0 is the first one.
pub(crate) fn nth_child_id(parent: Uuid, key: &Key, nth: i64) -> Uuid {
    if nth == 0 {
        return child_id(parent, key);
    }
    Uuid::new_v5(&parent, format!("child {key} {nth}").as_bytes())
}

/// The row of a saga.
#[derive(Debug, Clone)]
pub struct SagaRow {
    /// Chosen by whoever starts it.
    pub id: Uuid,
    /// Which saga it is.
    pub kind: String,
    /// Where it is.
    pub state: SagaState,
    /// Why it is undone, once it is.
    pub ending: Option<Ending>,
    /// What it was started with.
    pub input: Value,
    /// What it left behind.
    pub output: Option<Value>,
    /// Why it failed, or stands still.
    pub error: Option<Failure>,
    /// Whose it is.
    pub owner_id: Option<Uuid>,
    /// The request that started it: follows it through tickets, logs and provider calls.
    pub request_id: String,
    /// The trace that it belongs to, as far as a ticket told; it is stored with the first event alone.
    pub trace: Option<Trace>,
    /// At most one open saga of this kind has this key.
    pub singleton: Option<String>,
    /// The saga's own word for where it is.
    pub phase: Option<String>,
    /// Number of its newest event.
    pub seq: i64,
    /// Signals that nobody has heard yet.
    pub inbox: i64,
    /// Whether it is past the point of no return.
    pub pivoted: bool,
    /// Whether it did without an optional step.
    pub degraded: bool,
    /// The open letter that says code and journal do not fit.
    pub letter_id: Option<Uuid>,
    /// The saga whose input it was started from again.
    pub replay_of: Option<Uuid>,
    /// The saga that began it and waits for it.
    pub parent: Option<Parent>,
    /// When undo begins by itself.
    pub parked_until: Option<DateTime<Utc>>,
    /// When it fails for being late.
    pub deadline_at: Option<DateTime<Utc>>,
    /// When the sweeper must look at it.
    pub wake_at: Option<DateTime<Utc>>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When a worker first took a step.
    pub started_at: Option<DateTime<Utc>>,
    /// When anything last happened.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl SagaRow {
    pub(crate) fn version(&self) -> Version {
        Version {
            seq: self.seq,
            updated_at: self.updated_at,
        }
    }
}

/// The row of a step.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// Name and occurrence.
    pub key: Key,
    /// Position in the order in which the saga asked.
    pub position: i64,
    /// What it is for.
    pub role: Role,
    /// Its name, the signal's, the child's kind, or the point of a review.
    pub step: String,
    /// Which workers answer; none for all but work and undo.
    pub queue: Option<String>,
    /// Where it is.
    pub state: StepState,
    /// The step itself; a timer's length in milliseconds.
    pub input: Value,
    /// The answer.
    pub output: Option<Value>,
    /// The last failure.
    pub error: Option<Failure>,
    /// Changes whenever it becomes ready anew; travels on the ticket. Of a child: whether it is called back.
    pub turn: i64,
    /// Rises with every claim; never travels. Of a child: whether it has begun.
    pub epoch: i64,
    /// Attempts that count, the one under way included. Of a child: how often it was begun anew.
    pub attempt: i64,
    /// Leases that died.
    pub crashes: i64,
    /// Tickets published for this turn.
    pub tickets: i64,
    /// Who is at it.
    pub worker: Option<String>,
    /// The open letter about it.
    pub letter_id: Option<Uuid>,
    /// Position in the order in which answers came.
    pub settled: Option<i64>,
    /// When the sweeper must look at it: an unanswered ticket, a dead lease, a due retry or timer.
    pub wake_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the latest attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl StepRow {
    /// The child that the saga `parent` asked for by this, or the one that took its place.
    pub fn child(&self, parent: Uuid) -> Uuid {
        nth_child_id(parent, &self.key, self.attempt)
    }

    /// How long a worker's first attempt was waited for. When a later one became ready is not kept.
    pub(crate) fn waited(&self) -> Option<Duration> {
        let first = self.role == Role::Work && self.turn == 0;
        let began = self.started_at.filter(|_| first)?;
        (began - self.created_at).to_std().ok()
    }
}

/// News for a saga that nobody has heard yet.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The signal's row.
    pub id: Uuid,
    /// The signal's name.
    pub name: String,
    /// The news.
    pub value: Value,
    /// The wait that took it.
    pub by: Option<Key>,
}

/// One line of a saga's history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// Counts from 1 within the saga, without gaps.
    #[serde(skip)]
    pub seq: i64,
    /// `saga.parked`, `step.started` …
    pub name: &'static str,
    /// The step it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Key>,
    /// Details.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// A letter about to be written.
#[derive(Debug, Clone)]
pub struct NewLetter {
    /// Follows from the saga, the step and its turn.
    pub id: Uuid,
    /// The step that gave up; none when code and journal do not fit.
    pub step: Option<usize>,
    /// Why.
    pub failure: Failure,
}
