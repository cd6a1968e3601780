//! The two tables that decide every transition; an illegal one is a value.

use std::fmt;

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepState {
    /// A worker may claim it.
    Ready,
    /// A worker is at it, under a lease.
    Leased,
    /// It failed and is tried again at its time.
    Retrying,
    /// It waits: a timer for its hour, a wait for its signal, an armed undo for a failure, the work
    /// of a paused saga for its resumption.
    Waiting,
    /// Answered.
    Done,
    /// Gave up.
    Failed,
    /// No longer wanted.
    Cancelled,
}

/// What can happen to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepEvent {
    /// A worker takes it.
    Claim,
    /// Its answer arrived, its hour came, its signal was heard.
    Answer,
    /// It failed and has attempts left, or was handed back.
    Retry,
    /// It failed for good.
    GiveUp,
    /// Its pause is over, its lease is dead, or an operator replays it.
    MakeReady,
    /// Nobody wants it any more.
    Cancel,
    /// Its saga is paused: nobody may take it.
    Hold,
    /// An operator answers in its place.
    Skip,
    /// An operator has the saga do without it.
    Forgo,
    /// An operator has a child that failed begun anew.
    AskAnew,
}

/// Where a saga is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SagaState {
    /// Accepted; no worker has taken anything yet.
    Queued,
    /// At work.
    Running,
    /// Only time or news from outside moves it on.
    Waiting,
    /// An operator holds it: nothing further begins until it is resumed.
    Paused,
    /// A step gave up; an operator decides.
    Parked,
    /// Taking back what was done.
    Undoing,
    /// An undo gave up; an operator decides.
    Stuck,
    /// Over, and well.
    Succeeded,
    /// Over: everything that could be was taken back.
    Undone,
}

/// What can happen to a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SagaEvent {
    /// A worker takes its first step, or work goes on after a wait.
    Work,
    /// Only timers and waits are left.
    Wait,
    /// A step gave up, or code and journal do not fit.
    Park,
    /// An operator replays a letter, or has a paused saga go on.
    Resume,
    /// An operator holds it.
    Pause,
    /// It goes on, and no worker had taken anything of it.
    Enqueue,
    /// Undo begins: it failed, was cancelled, or a letter was discarded.
    Unwind,
    /// An undo gave up.
    Stick,
    /// The end of the story.
    Succeed,
    /// The last undo is done.
    Finish,
}

/// A transition that the table does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} does not apply in state {state:?}")]
pub struct Illegal<S: fmt::Debug, E: fmt::Debug> {
    /// Where it was.
    pub state: S,
    /// What was tried.
    pub event: E,
}

/// Decides what becomes of a step.
pub fn next_step(
    state: StepState,
    event: StepEvent,
) -> Result<StepState, Illegal<StepState, StepEvent>> {
    use {StepEvent as E, StepState as S};
    match (state, event) {
        (S::Ready, E::Claim) => Ok(S::Leased),
        (S::Leased | S::Waiting, E::Answer)
        | (S::Ready | S::Retrying | S::Waiting | S::Failed, E::Skip) => Ok(S::Done),
        (S::Leased, E::Retry) => Ok(S::Retrying),
        // Waiting: a child has failed.
        (S::Leased | S::Waiting, E::GiveUp)
        | (S::Ready | S::Retrying | S::Waiting | S::Failed, E::Forgo) => Ok(S::Failed),
        // Retrying: its pause is over. Leased: the lease is dead. Failed: an operator replays it.
        // Waiting: an armed undo whose turn has come.
        (S::Retrying | S::Leased | S::Failed | S::Waiting, E::MakeReady) => Ok(S::Ready),
        (S::Ready | S::Retrying | S::Waiting, E::Cancel) => Ok(S::Cancelled),
        (S::Ready, E::Hold) | (S::Failed, E::AskAnew) => Ok(S::Waiting),
        (
            S::Ready | S::Leased | S::Retrying | S::Waiting | S::Done | S::Failed | S::Cancelled,
            E::Claim
            | E::Answer
            | E::Retry
            | E::GiveUp
            | E::MakeReady
            | E::Cancel
            | E::Hold
            | E::Skip
            | E::Forgo
            | E::AskAnew,
        ) => Err(Illegal { state, event }),
    }
}

/// Decides what becomes of a saga.
pub fn next_saga(
    state: SagaState,
    event: SagaEvent,
) -> Result<SagaState, Illegal<SagaState, SagaEvent>> {
    use {SagaEvent as E, SagaState as S};
    match (state, event) {
        (S::Queued | S::Running | S::Waiting, E::Work) | (S::Parked | S::Paused, E::Resume) => {
            Ok(S::Running)
        }
        (S::Queued | S::Running | S::Waiting, E::Pause) => Ok(S::Paused),
        (S::Paused, E::Enqueue) => Ok(S::Queued),
        (S::Queued | S::Running | S::Waiting, E::Wait) => Ok(S::Waiting),
        (S::Queued | S::Running | S::Waiting | S::Parked, E::Park) => Ok(S::Parked),
        (S::Queued | S::Running | S::Waiting | S::Paused | S::Parked, E::Unwind)
        | (S::Stuck, E::Resume) => Ok(S::Undoing),
        (S::Undoing, E::Stick) => Ok(S::Stuck),
        (S::Queued | S::Running | S::Waiting, E::Succeed) => Ok(S::Succeeded),
        (S::Undoing, E::Finish) => Ok(S::Undone),
        (
            S::Queued
            | S::Running
            | S::Waiting
            | S::Paused
            | S::Parked
            | S::Undoing
            | S::Stuck
            | S::Succeeded
            | S::Undone,
            E::Work
            | E::Wait
            | E::Park
            | E::Resume
            | E::Pause
            | E::Enqueue
            | E::Unwind
            | E::Stick
            | E::Succeed
            | E::Finish,
        ) => Err(Illegal { state, event }),
    }
}

impl StepState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Ready,
        Self::Leased,
        Self::Retrying,
        Self::Waiting,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
    /// Whether something may still happen to it by itself.
    pub fn is_open(self) -> bool {
        match self {
            Self::Ready | Self::Leased | Self::Retrying | Self::Waiting => true,
            Self::Done | Self::Failed | Self::Cancelled => false,
        }
    }
}

impl SagaState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Running,
        Self::Waiting,
        Self::Paused,
        Self::Parked,
        Self::Undoing,
        Self::Stuck,
        Self::Succeeded,
        Self::Undone,
    ];
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Parked => "parked",
            Self::Undoing => "undoing",
            Self::Stuck => "stuck",
            Self::Succeeded => "succeeded",
            Self::Undone => "undone",
        }
    }
    /// Whether it moves on only once somebody decides.
    pub fn stands_still(self) -> bool {
        match self {
            Self::Paused | Self::Parked | Self::Stuck => true,
            Self::Queued
            | Self::Running
            | Self::Waiting
            | Self::Undoing
            | Self::Succeeded
            | Self::Undone => false,
        }
    }
    /// Whether nothing will ever happen to it again.
    pub fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Undone => true,
            Self::Queued
            | Self::Running
            | Self::Waiting
            | Self::Paused
            | Self::Parked
            | Self::Undoing
            | Self::Stuck => false,
        }
    }
}

/// Reads a state from the word in the store.
pub(crate) fn read<T: Copy>(all: &[T], word: &str, as_str: fn(T) -> &'static str) -> Option<T> {
    all.iter().copied().find(|state| as_str(*state) == word)
}
