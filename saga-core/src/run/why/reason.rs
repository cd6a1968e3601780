//! What a reason is made of, and what is known of the outside when reasons are looked for.

use crate::journal::Key;
use crate::run::StepRow;
use crate::state::SagaState;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a saga's rows cannot tell.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Whether tickets can be published; none if nobody knows.
    pub broker_up: Option<bool>,
    /// How many consume each queue. A queue of which nobody knows is left out.
    pub consumers: BTreeMap<String, u64>,
    /// The queues that are paused, and in a sentence by whom, when and why.
    pub paused: BTreeMap<String, String>,
    /// Who switched this saga's kind off, when and why, in a sentence, if it stays where it is for that.
    pub kind_off: Option<String>,
    /// What this saga's kind is held to, in a sentence, if it is.
    pub kind_limit: Option<String>,
    /// The steps of this saga that stand in its kind's line, and since when they were asked for.
    pub in_line: BTreeMap<Key, DateTime<Utc>>,
    /// Where the children of this saga are that have not ended. One of which nobody knows is left out.
    pub children: BTreeMap<Uuid, SagaState>,
    /// Who paused this saga, when and why, in a sentence, if that is known.
    pub held: Option<String>,
    /// The oldest step of all sagas that is ready and has no confirmed ticket: since when.
    pub oldest_unconfirmed: Option<DateTime<Utc>>,
}

/// Why, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A pause is not over.
    WaitingUntil,
    /// News from outside is missing.
    WaitingForSignal,
    /// A saga that it began has not ended.
    WaitingForChild,
    /// Nobody has decided a review yet.
    WaitingForReview,
    /// A step is ready and nobody has taken it yet.
    Queued,
    /// Somebody paused the saga.
    Paused,
    /// Somebody switched the saga's kind off.
    KindPaused,
    /// Somebody paused the queue.
    QueuePaused,
    /// Nobody consumes the queue.
    NoWorker,
    /// No ticket has been confirmed for a while.
    TicketLag,
    /// No ticket can be published.
    BrokerDown,
    /// A worker is at it.
    Running,
    /// A worker had it and has not reported in time.
    LeaseStale,
    /// It failed and is tried again.
    Retrying,
    /// The provider asked for patience, or the saga's kind is at its limit.
    Throttled,
    /// A cap is in its way: it waits for money.
    OverBudget,
    /// A step gave up; somebody has to decide.
    Parked,
    /// Its code and its journal do not fit.
    Diverged,
    /// It is being taken back.
    Undoing,
    /// The taking back gave up; somebody has to decide.
    UndoFailed,
    /// It is over.
    Finished,
    /// Nothing was found: it moved while it was looked at.
    Moving,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Reason {
    /// For programs.
    pub code: Why,
    /// The step it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub step: Option<Key>,
    /// That step's queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub queue: Option<String>,
    /// Who is at it, or was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub worker: Option<String>,
    /// The letter that somebody has to judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub letter: Option<Uuid>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since: Option<DateTime<Utc>>,
    /// Until when, unless something else happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<DateTime<Utc>>,
    /// A sentence for people.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Reason {
    pub(super) fn new(code: Why, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            step: None,
            queue: None,
            worker: None,
            letter: None,
            since: None,
            until: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn of(mut self, step: &StepRow) -> Self {
        self.step = Some(step.key.clone());
        self.queue.clone_from(&step.queue);
        self.worker.clone_from(&step.worker);
        self.letter = step.letter_id;
        self
    }

    pub(super) fn since(mut self, since: Option<DateTime<Utc>>) -> Self {
        self.since = since;
        self
    }

    pub(super) fn until(mut self, until: Option<DateTime<Utc>>) -> Self {
        self.until = until;
        self
    }
}
