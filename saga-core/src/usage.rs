//! What calls of models were charged for.

use serde::{Deserialize, Serialize};
use std::ops::Add;

/// What calls were charged for, as far as the provider says; 0 where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Pictures in the answer.
    pub images: u64,
}

/// More than any call takes of anything.
const COUNT_MAX: u64 = 1_000_000_000;
/// What a provider may tell beyond the most that a call was to take, and still be believed: so many times
/// as much, and so many tokens or pictures on top.
const TIMES: u64 = 10;
const TOKENS_MORE: u64 = 100_000;
const IMAGES_MORE: u64 = 10;

impl Usage {
    /// What the provider says, unless it is so far beyond the most that the call was to take that it cannot
    /// be true: then it has said nothing.
    #[must_use]
    pub fn believed(self, most: Self) -> Self {
        let far = |told: u64, most: u64, more: u64| {
            let most = most.saturating_mul(TIMES).saturating_add(more);
            told > most.min(COUNT_MAX)
        };
        let too_far = far(self.input_tokens, most.input_tokens, TOKENS_MORE)
            || far(self.output_tokens, most.output_tokens, TOKENS_MORE)
            || far(self.images, most.images, IMAGES_MORE);
        if too_far { Self::default() } else { self }
    }
}

impl Add for Usage {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            images: self.images.saturating_add(other.images),
        }
    }
}
