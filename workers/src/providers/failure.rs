//! The ways in which a call fails.

use std::time::Duration;

/// Why no raw answer came back. Holds no key, no prompt and no words of the provider but its codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// May work next time.
    #[error("the provider did not answer: {detail}")]
    Transient {
        /// Not before this, if the provider said so; at most an hour.
        retry_after: Option<Duration>,
        /// Whether it surely cost nothing: it never left, or was turned down.
        free: bool,
        /// What happened.
        detail: String,
    },
    /// Too many calls; this one is not to blame.
    #[error("the provider asks to wait: {detail}")]
    Throttled {
        /// How long, if the provider said so; at most an hour and maybe nothing at all.
        retry_after: Option<Duration>,
        /// Whether it surely cost nothing: it never left, or was turned down.
        free: bool,
        /// What happened.
        detail: String,
    },
    /// The provider will not answer this request for its content; asking again is in vain.
    #[error("the provider refuses this request: {detail}")]
    Refused {
        /// Whether it surely cost nothing: it never left, or was turned down.
        free: bool,
        /// What happened.
        detail: String,
    },
    /// Asking again is in vain: key, request or settings are wrong.
    #[error("the call cannot work: {detail}")]
    Permanent {
        /// Whether it surely cost nothing: it never left, or was turned down.
        free: bool,
        /// What happened.
        detail: String,
    },
}

impl CallError {
    pub(super) fn transient(detail: impl Into<String>) -> Self {
        Self::Transient {
            retry_after: None,
            free: false,
            detail: detail.into(),
        }
    }

    /// The server was not reached.
    pub(super) fn unsent(detail: impl Into<String>) -> Self {
        Self::Transient {
            retry_after: None,
            free: true,
            detail: detail.into(),
        }
    }

    pub(super) fn permanent(detail: impl Into<String>) -> Self {
        Self::Permanent {
            free: true,
            detail: detail.into(),
        }
    }

    /// It went wrong when the server was at its answer, which may be charged for.
    pub(super) fn charged(mut self) -> Self {
        match &mut self {
            Self::Transient { free, .. }
            | Self::Throttled { free, .. }
            | Self::Refused { free, .. }
            | Self::Permanent { free, .. } => *free = false,
        }
        self
    }

    /// Whether it surely cost nothing.
    pub fn is_free(&self) -> bool {
        match self {
            Self::Transient { free, .. }
            | Self::Throttled { free, .. }
            | Self::Refused { free, .. }
            | Self::Permanent { free, .. } => *free,
        }
    }

    /// What happened, in words for an operator.
    pub fn detail(&self) -> &str {
        match self {
            Self::Transient { detail, .. }
            | Self::Throttled { detail, .. }
            | Self::Refused { detail, .. }
            | Self::Permanent { detail, .. } => detail,
        }
    }

    /// How long the provider asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. } | Self::Throttled { retry_after, .. } => {
                *retry_after
            }
            Self::Refused { .. } | Self::Permanent { .. } => None,
        }
    }

    pub(super) fn with_detail(mut self, change: impl FnOnce(String) -> String) -> Self {
        match &mut self {
            Self::Transient { detail, .. }
            | Self::Throttled { detail, .. }
            | Self::Refused { detail, .. }
            | Self::Permanent { detail, .. } => *detail = change(std::mem::take(detail)),
        }
        self
    }
}

/// Why a raw answer is of no use. Holds none of the model's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The model answered, but not with what was asked for: a call with
    /// [`repair_prompt`](super::repair_prompt) may help.
    #[error("the answer is unusable: {detail}")]
    Content {
        /// What is wrong with it; fit to be told to the model.
        detail: String,
    },
    /// This is no model's answer at all, so there is nothing to repair: ask the same again.
    #[error("the answer is garbled: {detail}")]
    Garbled {
        /// What is wrong with it.
        detail: String,
    },
    /// The model will not do this; asking again is in vain.
    #[error("the model refuses: {detail}")]
    Refused {
        /// What happened.
        detail: String,
    },
}

impl Unreadable {
    pub(super) fn content(detail: impl Into<String>) -> Self {
        Self::Content {
            detail: detail.into(),
        }
    }

    pub(super) fn garbled(detail: impl Into<String>) -> Self {
        Self::Garbled {
            detail: detail.into(),
        }
    }

    pub(super) fn refused(detail: impl Into<String>) -> Self {
        Self::Refused {
            detail: detail.into(),
        }
    }

    /// What is wrong with the answer.
    pub fn detail(&self) -> &str {
        match self {
            Self::Content { detail } | Self::Garbled { detail } | Self::Refused { detail } => {
                detail
            }
        }
    }
}
