//! Judges what went wrong with a model, so that the engine knows whether to ask again.

use crate::providers::{CallError, Unreadable};
use saga_core::StepError;
use serde::Serialize;

/// No answer came back.
pub(super) fn call(error: CallError) -> StepError {
    let free = error.is_free();
    let judged = match error {
        CallError::Transient {
            retry_after: Some(after),
            ..
        } => StepError::retry_after(error, after),
        CallError::Transient {
            retry_after: None, ..
        } => StepError::retry(error),
        CallError::Throttled { retry_after, .. } => StepError::throttled(error, retry_after),
        CallError::Refused { .. } | CallError::Permanent { .. } => StepError::fail(error),
    };
    if free {
        judged.unsent()
    } else {
        judged.charged()
    }
}

/// An answer came back and is of no use. It is set aside, unless asking again is in vain.
pub(super) fn answer(error: Unreadable) -> StepError {
    match error {
        Unreadable::Content { .. } | Unreadable::Garbled { .. } => StepError::content(error),
        Unreadable::Refused { .. } => StepError::fail(error),
    }
}

/// Tells requests apart without keeping them.
pub(super) fn hash(request: &impl Serialize) -> Result<String, StepError> {
    serde_json::to_vec(request)
        .map(|bytes| crate::blobs::etag(&bytes))
        .map_err(StepError::fail)
}
