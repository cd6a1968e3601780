//! The three words of the vocabulary: a saga, its steps, the signals it waits for.

use crate::flow::{Flow, Halt};
use crate::schedule::Opening;
use serde::{Serialize, de::DeserializeOwned};
use std::time::Duration;

/// Reads from an input the key of which one saga of a kind is open at a time; none for an input that may run
/// beside any other.
pub type SingletonKey<I> = fn(&I) -> Option<String>;

/// A long piece of work told as a plain function over a [`Flow`].
///
/// It is run from the top whenever something happened, so it must do the same for the same
/// answers: no clock, no randomness, no I/O. Ids come from [`Flow::id`].
pub trait Saga: 'static {
    /// `noun.verb`; stored with every saga. A changed saga gets a new name (`persona.forge/2`).
    const KIND: &'static str;
    /// How long it waits, parked, for an operator before undo begins by itself.
    const PARK: Duration = Duration::from_hours(24);
    /// How long all its work may take, from the first claim on, or from its start if it begins with a
    /// wait; then it fails. Waiting in a queue or parked does not count.
    const DEADLINE: Option<Duration> = None;
    /// Fields of the input that say whose it is and what it is about: an edited replay keeps them.
    const LOCKED: &'static [&'static str] = &[];
    /// Names the key of an input, if it has one: of sagas of this kind with the same key one is open at a
    /// time, and whoever starts another finds that one.
    const SINGLETON: Option<SingletonKey<Self::Input>> = None;
    /// Writes the rows that belong to it where a schedule begins it: nobody else is there who could.
    const OPENING: Option<Opening<Self::Input>> = None;
    /// What a caller hands over: at most 64 KiB of JSON.
    type Input: Serialize + DeserializeOwned + Send + 'static;
    /// What it leaves behind.
    type Output: Serialize + DeserializeOwned + Send + 'static;
    /// Tells the story.
    fn run(flow: &mut Flow, input: Self::Input) -> Result<Self::Output, Halt>;
}

/// One unit of work: a message, the queue it travels on, the answer it brings back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step",
    note = "give it a NAME, a QUEUE and an Output: `impl Step for {Self} {{ .. }}`"
)]
pub trait Step: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Stored with every saga: renaming it orphans the sagas in flight.
    const NAME: &'static str;
    /// Which workers answer.
    const QUEUE: Queue;
    /// How often and how fast to try again.
    const RETRY: Retry = Retry::STANDARD;
    /// How long one attempt may take; at most five minutes.
    const TIMEOUT: Duration = Duration::from_mins(2);
    /// The answer: at most 64 KiB of JSON, so carry ids, not documents.
    type Output: Serialize + DeserializeOwned + Send + Sync + 'static;
}

/// News from outside that a saga may wait for.
pub trait Signal: Serialize + DeserializeOwned + Send + 'static {
    /// `noun.verb`; part of the journal's keys.
    const NAME: &'static str;
}

/// The name of a queue: one per pool of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue(pub &'static str);

/// How often and how fast a step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first one included.
    pub attempts_max: u32,
    /// The pause after the first failure; it doubles after each further one.
    pub delay_first: Duration,
    /// The longest pause.
    pub delay_max: Duration,
}

impl Retry {
    /// Four attempts, 1, 2 and 4 s apart, give or take the jitter.
    pub const STANDARD: Self = Self {
        attempts_max: 4,
        delay_first: Duration::from_secs(1),
        delay_max: Duration::from_mins(1),
    };
    /// One attempt.
    pub const NEVER: Self = Self {
        attempts_max: 1,
        ..Self::STANDARD
    };
}
