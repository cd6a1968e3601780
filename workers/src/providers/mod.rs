//! Models that are asked over the network: ask once, keep the bytes, read them later.
//!
//! A paid call has two halves. `send` moves bytes and returns the raw answer, which the caller
//! stores before it looks at it. `read` is pure: the same raw answer reads the same after a crash,
//! so what is stored is never paid for again. Nothing here retries; failures are only told apart,
//! and whoever asked decides.
//!
//! | what came back | told as |
//! | --- | --- |
//! | no connection, time out, connection cut, stream without `[DONE]` | [`CallError::Transient`] |
//! | 408, 409, 425, 5xx but 501 and 505 | [`CallError::Transient`], with `Retry-After` if there |
//! | 2xx that is no JSON by its type (an HTML page), or a `Content-Encoding` | [`CallError::Transient`] |
//! | 429 | [`CallError::Throttled`] |
//! | 429 or any other with `insufficient_quota` and its like | [`CallError::Permanent`] |
//! | other 4xx, 501, 505, 3xx (no redirect is followed) | [`CallError::Permanent`] |
//! | any with the code of a content policy | [`CallError::Refused`] |
//! | an answer above the cap (asking again costs as much) | [`CallError::Permanent`] |
//! | `{"error": ..}` under a 200, or within a stream | by its `code`, as if it were the status |
//! | a picture's address outside the allowed hosts | [`CallError::Permanent`] |
//! | raw: not JSON, `NaN`, no `choices`, no `data`, `finish_reason` `error` | [`Unreadable::Garbled`] |
//! | raw: other than one vector a text, all of one length | [`Unreadable::Garbled`] |
//! | raw: empty text, `finish_reason` `length`; not a PNG | [`Unreadable::Content`] |
//! | raw: `refusal`, `finish_reason` `content_filter` | [`Unreadable::Refused`] |
//! | text: not JSON, `NaN`, other shape, a key twice | [`Unreadable::Content`] by [`parse_json`] |
//!
//! In the raw envelope a key that comes twice counts with its last value and unknown keys are kept;
//! in the model's text, which is read into our own types, it is an error.
//! No error, `Debug` or log line holds the key, a prompt or a model's words.

mod answered;
mod body;
mod embed;
mod failure;
mod image;
pub mod local;
mod metered;
pub mod openai;
mod png;
mod repair;
mod secret;
mod text;

pub use answered::Answered;
pub use embed::{Embedder, Texts, Vectors};
pub use failure::{CallError, Unreadable};
pub use image::{Image, ImageModel, Picture};
pub use metered::Metered;
pub use repair::{parse_json, repair_prompt};
pub use saga_core::usage::Usage;
pub use secret::{ApiKey, KeyError};
pub use text::{Completion, Prompt, TextModel};

/// Names one paid call, for the provider's books and ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The same for every sending of the same call; travels as `Idempotency-Key`.
    pub idempotency_key: String,
    /// The request that started it all; travels as `X-Request-Id`.
    pub request_id: String,
}
