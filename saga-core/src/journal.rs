//! What one saga has asked for so far, and what was answered.

use crate::saga::{Queue, Retry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, fmt, time::Duration};

/// Names one request of a saga: the step's name and its occurrence, `persona.paint#2`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[schema(as = StepKey)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// Makes the key of the `ordinal`-th request (from 0) under `name`.
    pub(crate) fn nth(name: &str, ordinal: u32) -> Self {
        Self(format!("{name}#{ordinal}"))
    }
    /// Reads a key that the store or a ticket carries.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The key as text, as it stands in the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a step went wrong, which decides what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = FailureClass)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// May work next time: tried again with growing delays.
    Transient,
    /// The provider asked for patience: tried again after that, and not counted.
    Throttled,
    /// A cap is in the way: tried again when there may be money, and not counted.
    OverBudget,
    /// The answer was unusable: its stored text is set aside, then as transient.
    Content,
    /// Will never work: not tried again.
    Permanent,
    /// The worker died, or stopped reporting, three times in this step; or a ticket was unreadable.
    Poison,
    /// The saga's code no longer fits its journal.
    Diverged,
    /// The saga itself decided to fail.
    Verdict,
}

impl Class {
    /// The word in the store, in metrics and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::OverBudget => "over_budget",
            Self::Content => "content",
            Self::Permanent => "permanent",
            Self::Poison => "poison",
            Self::Diverged => "diverged",
            Self::Verdict => "verdict",
        }
    }
}

/// Why a step, or a whole saga, failed.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, utoipa::ToSchema,
)]
#[error("{step} failed: {message}")]
pub struct Failure {
    /// The request that failed.
    pub step: Key,
    /// What kind of failure it was.
    pub class: Class,
    /// For people: what happened, without secrets or personal data.
    pub message: String,
}

/// Longest message that is kept of a failure.
const MESSAGE_CHARS_MAX: usize = 4_000;

/// A message as every store takes it: without NUL, which PostgreSQL has no place for, and bounded.
pub(crate) fn readable(message: &str) -> String {
    let mut kept: String = message.chars().take(MESSAGE_CHARS_MAX).collect();
    if kept.len() < message.len() {
        kept.push_str(" …");
    }
    kept.replace('\0', "\u{fffd}")
}

/// What a saga asks the world to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Have a worker do a step.
    Dispatch(Dispatch),
    /// Keep a step ready that takes back what comes next.
    Arm(Dispatch),
    /// Let time pass.
    Timer {
        /// Names the request.
        key: Key,
        /// For how long, counted from the moment it is written down.
        after: Duration,
    },
    /// Wait for news.
    Listen {
        /// Names the request.
        key: Key,
        /// The signal's name.
        signal: &'static str,
    },
    /// Begin another saga and wait for its end.
    Child {
        /// Names the request.
        key: Key,
        /// Which saga.
        kind: &'static str,
        /// What it is started with.
        input: Value,
    },
    /// Ask people, and wait until they say.
    Review {
        /// Names the request.
        key: Key,
        /// Where in the saga it is.
        point: &'static str,
        /// The question.
        input: Value,
    },
}

/// A step as it is handed to a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Names the request.
    pub key: Key,
    /// The step's name; its handler is found by it.
    pub step: &'static str,
    /// The queue its workers read.
    pub queue: Queue,
    /// The step itself.
    pub input: Value,
    /// How often and how fast it is tried again.
    pub retry: Retry,
}

impl Command {
    /// Names the request.
    pub fn key(&self) -> &Key {
        match self {
            Self::Dispatch(dispatch) | Self::Arm(dispatch) => &dispatch.key,
            Self::Timer { key, .. }
            | Self::Listen { key, .. }
            | Self::Child { key, .. }
            | Self::Review { key, .. } => key,
        }
    }

    /// What is compared on replay: everything that decides what a worker would do.
    pub(crate) fn recorded(&self) -> Recorded {
        match self {
            Self::Dispatch(dispatch) => Recorded::Work {
                input: dispatch.input.clone(),
            },
            Self::Arm(dispatch) => Recorded::Undo {
                input: dispatch.input.clone(),
            },
            Self::Timer { after, .. } => Recorded::Timer {
                millis: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            },
            Self::Listen { .. } => Recorded::Listen,
            Self::Child { input, .. } => Recorded::Child {
                input: input.clone(),
            },
            Self::Review { input, .. } => Recorded::Review {
                input: input.clone(),
            },
        }
    }
}

/// The part of a command that the store keeps, so that a replay can be checked against it.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// A step for a worker.
    Work {
        /// The step itself.
        input: Value,
    },
    /// A step that takes back another.
    Undo {
        /// The step itself.
        input: Value,
    },
    /// A pause.
    Timer {
        /// Its length.
        millis: u64,
    },
    /// A wait for news; the signal's name is part of the key.
    Listen,
    /// Another saga; its kind is part of the key.
    Child {
        /// What it is started with.
        input: Value,
    },
    /// A question to people.
    Review {
        /// The question.
        input: Value,
    },
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// No answer yet.
    Pending,
    /// Answered.
    Done(Value),
    /// Gave up.
    Failed(Failure),
}

/// One request and its answer.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What was asked.
    pub recorded: Recorded,
    /// What was answered.
    pub state: State,
    /// Position in the order in which answers came; decides races the same way on every replay.
    pub settled: i64,
}

/// Everything one saga has asked for, by key.
#[derive(Debug, Default, Clone)]
pub struct Journal(BTreeMap<Key, Entry>);

impl Journal {
    /// Finds a request.
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.0.get(key)
    }
    /// All requests ever made.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }
    /// Adds a request with what is known of it.
    pub fn insert(&mut self, key: Key, entry: Entry) {
        self.0.insert(key, entry);
    }
}
