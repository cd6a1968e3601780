//! What an owner is told about their persona, from the state of the latest forge.

use saga_core::state::SagaState;
use serde::{Deserialize, Serialize};

/// Where an owner's persona is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonaStatus {
    /// Too few answers yet, or no forge.
    Pending,
    /// The forge is accepted.
    Queued,
    /// Answers are added up, words written.
    Synthesizing,
    /// Pictures are drawn.
    GeneratingImage,
    /// There it is.
    Ready,
    /// The latest forge gave up.
    Failed,
}

impl PersonaStatus {
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Synthesizing => "synthesizing",
            Self::GeneratingImage => "generating_image",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

/// What is known of an owner's latest forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latest {
    /// Where the saga is.
    pub state: SagaState,
    /// Whether it was cancelled, rather than failed, if it did not come to a good end.
    pub canceled: bool,
    /// Where its draft is, once there is one.
    pub draft: Option<PersonaStatus>,
}

/// What an owner is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Where the persona is.
    pub status: PersonaStatus,
    /// Whether trying again may help: the parked saga can be replayed, or another forge started.
    pub retryable: bool,
}

/// Decides what an owner is told. A forge under way is told before the persona of an earlier one, and
/// so is its failure: whoever asked for it waits for the answer. A cancelled one is forgotten.
pub fn standing(latest: Option<Latest>, has_persona: bool) -> Standing {
    use PersonaStatus::{Failed, Pending, Queued, Ready, Synthesizing};
    let rest = if has_persona { Ready } else { Pending };
    let told = |status| Standing {
        status,
        retryable: false,
    };
    let Some(latest) = latest else {
        return told(rest);
    };
    match latest.state {
        SagaState::Queued => told(Queued),
        SagaState::Running | SagaState::Waiting | SagaState::Paused => {
            told(latest.draft.unwrap_or(Synthesizing))
        }
        SagaState::Succeeded => told(rest),
        SagaState::Undoing | SagaState::Stuck | SagaState::Undone if latest.canceled => told(rest),
        SagaState::Parked | SagaState::Undone => Standing {
            status: Failed,
            retryable: true,
        },
        SagaState::Undoing | SagaState::Stuck => told(Failed),
    }
}
