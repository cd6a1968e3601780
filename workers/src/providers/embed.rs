//! What an embedding model is asked and what it gives back.

use super::text::FORM_TOKENS_MAX;
use super::{Answered, Call, CallError, Unreadable, Usage};
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::fmt;

/// One request to an embedding model. Its `Debug` shows no words.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Texts {
    /// What is to be placed: at most [`Texts::BATCH_MAX`].
    pub texts: Vec<String>,
    /// What the ledger calls this kind of request.
    pub purpose: &'static str,
}

impl Texts {
    /// The most texts of one call.
    pub const BATCH_MAX: usize = 64;

    /// The most that the answer can be charged for: no token is shorter than a byte.
    pub fn most(&self) -> Usage {
        let bytes: usize = self.texts.iter().map(String::len).sum();
        Usage {
            input_tokens: bytes as u64 + FORM_TOKENS_MAX,
            ..Usage::default()
        }
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("purpose", &self.purpose)
            .field("texts", &self.texts.len())
            .finish_non_exhaustive()
    }
}

/// Where texts stand, in the order in which they were given. All vectors are of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors(pub Vec<Vec<f32>>);

impl Vectors {
    /// The longest vector that is taken.
    pub const LENGTH_MAX: usize = 8192;
}

/// Turns texts into vectors.
pub trait Embedder: Send + Sync {
    /// Who is asked, as the ledger names it.
    fn provider(&self) -> &'static str;

    /// The model that is asked for.
    fn model(&self) -> &str;

    /// Makes the call, once, and returns the raw answer, to be stored before it is read.
    fn send<'a>(
        &'a self,
        texts: &'a Texts,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>>;

    /// Reads the raw answer to `count` texts. The same bytes always read the same.
    fn read(&self, raw: &[u8], count: usize) -> Result<Vectors, Unreadable>;

    /// What a raw answer cost, be it readable or not; nothing where it does not say.
    fn usage(&self, raw: &[u8]) -> Usage;
}
