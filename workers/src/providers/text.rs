//! What a text model is asked and what it gives back.

use super::{Answered, Call, CallError, Unreadable, Usage};
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::fmt;

/// Tokens that a server adds to a request's own for its form, generously.
pub(super) const FORM_TOKENS_MAX: u64 = 64;

/// One request to a text model. Its `Debug` shows no words; serialised it is the whole request,
/// for a hash or the ledger.
#[derive(Clone, PartialEq, Serialize)]
pub struct Prompt {
    /// Ours alone: the task and its rules.
    pub system: String,
    /// The material, marked as data.
    pub user: String,
    /// Whether the answer must be one JSON object.
    pub json: bool,
    /// The longest answer that is paid for.
    pub tokens_max: u32,
    /// How freely to write, from 0.
    pub temperature: f32,
    /// What the ledger calls this kind of request.
    pub purpose: &'static str,
    /// The same material as fields, for a writer that follows rules and reads no prose.
    pub material: serde_json::Value,
}

impl Prompt {
    /// The most that its answer can be charged for: no token is shorter than a byte.
    pub fn most(&self) -> Usage {
        let bytes = self.system.len() + self.user.len();
        Usage {
            input_tokens: bytes as u64 + FORM_TOKENS_MAX,
            output_tokens: self.tokens_max.into(),
            images: 0,
        }
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt")
            .field("purpose", &self.purpose)
            .field("system_bytes", &self.system.len())
            .field("user_bytes", &self.user.len())
            .field("tokens_max", &self.tokens_max)
            .finish_non_exhaustive()
    }
}

/// What a text model wrote. Its `Debug` shows no words.
#[derive(Clone, PartialEq, Eq)]
pub struct Completion {
    /// The words; never empty.
    pub text: String,
    /// What they cost.
    pub usage: Usage,
    /// The model that wrote them, by its own account.
    pub model: String,
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("text_bytes", &self.text.len())
            .field("usage", &self.usage)
            .field("model", &self.model)
            .finish()
    }
}

/// Writes text.
pub trait TextModel: Send + Sync {
    /// Who is asked, as the ledger names it.
    fn provider(&self) -> &'static str;

    /// The model that is asked for.
    fn model(&self) -> &str;

    /// Makes the call, once, and returns the raw answer, to be stored before it is read.
    /// Dropping the future drops the connection; the provider may charge all the same.
    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>>;

    /// Reads a raw answer. The same bytes always read the same.
    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable>;

    /// What a raw answer cost, be it readable or not; nothing where it does not say.
    fn usage(&self, raw: &[u8]) -> Usage {
        self.read(raw)
            .map(|completion| completion.usage)
            .unwrap_or_default()
    }
}
