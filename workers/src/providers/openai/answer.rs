//! What every answer in one piece has, whichever model gave it.

use super::status::{Fault, judged};
use crate::providers::body::Kind;
use crate::providers::{CallError, Unreadable, Usage};
use reqwest::Response;
use serde_json::Value;

/// More tokens than any call takes: what is told beyond is not counted with.
const TOKENS_MAX: u64 = 1_000_000_000;

/// Lets an answer in one piece through, unless it is an error or nothing like an answer.
pub(super) fn plain(raw: Vec<u8>, kind: Kind, response: &Response) -> Result<Vec<u8>, CallError> {
    let start = raw.trim_ascii_start().first();
    if kind != Kind::Json && start != Some(&b'{') {
        return Err(CallError::transient("the answer is not JSON by its start"));
    }
    match Fault::in_body(&raw) {
        Some(fault) => Err(judged(fault.status(), &fault, response.headers())),
        None => Ok(raw),
    }
}

/// The object of a raw answer.
pub(super) fn parsed(raw: &[u8]) -> Result<Value, Unreadable> {
    serde_json::from_slice(raw).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Unreadable::garbled(format!("it is not JSON at line {line} column {column}"))
    })
}

/// What an answer cost, by the names that text and image models have for it.
pub(super) fn usage(answer: &Value) -> Usage {
    let tokens = |names: [&str; 2]| {
        names
            .iter()
            .find_map(|name| answer["usage"][*name].as_u64())
            .unwrap_or(0)
            .min(TOKENS_MAX)
    };
    Usage {
        input_tokens: tokens(["prompt_tokens", "input_tokens"]),
        output_tokens: tokens(["completion_tokens", "output_tokens"]),
        images: answer["data"]
            .as_array()
            .map_or(0, |data| data.len() as u64),
    }
}
