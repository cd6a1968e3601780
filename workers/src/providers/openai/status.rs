//! What a refused call means: the table of the module's first page.

use super::delay;
use crate::providers::CallError;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// Codes of an empty account. They come as 429, and waiting does not fill it.
const SPENT: [&str; 4] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "insufficient_credits",
];

/// Codes of a content policy.
const POLICY: [&str; 4] = [
    "content_filter",
    "content_policy_violation",
    "moderation_blocked",
    "responsible_ai_policy_violation",
];

/// Codes, beside numbers, that stand for a status.
const NAMED: [(&str, u16); 6] = [
    ("rate_limit_exceeded", 429),
    ("rate_limit_error", 429),
    ("invalid_request_error", 400),
    ("invalid_api_key", 401),
    ("model_not_found", 404),
    ("context_length_exceeded", 400),
];

/// The codes of a provider's error. Its message is left out: providers put keys and prompts there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    code: String,
    kind: String,
}

impl Fault {
    /// The error in a body, if it is one.
    pub(super) fn in_body(body: &[u8]) -> Option<Self> {
        Self::within(&serde_json::from_slice(body).ok()?)
    }

    /// The error in an answer or in an event of a stream, even beside the beginning of an answer.
    pub(super) fn within(answer: &Value) -> Option<Self> {
        let nothing = [Value::Null, json!({}), json!(""), json!(false)];
        let error = answer.get("error").filter(|error| !nothing.contains(error));
        // vLLM puts the error at the top.
        let top = (answer["object"] == "error").then_some(answer);
        let error = error.or(top)?;
        Some(Self {
            code: word(&error["code"]),
            kind: word(&error["type"]),
        })
    }

    /// The status this error stands for when it comes under a 200.
    pub(super) fn status(&self) -> u16 {
        let named = |word: &str| NAMED.iter().find(|(name, _)| *name == word);
        let number = self
            .code
            .parse()
            .ok()
            .filter(|code| (300..600).contains(code));
        number
            .or_else(|| named(&self.code).map(|(_, status)| *status))
            .or_else(|| named(&self.kind).map(|(_, status)| *status))
            .unwrap_or(500)
    }

    fn is_among(&self, words: &[&str]) -> bool {
        words.contains(&self.code.as_str()) || words.contains(&self.kind.as_str())
    }
}

/// Tells the kinds of failure apart.
pub(super) fn judged(status: u16, fault: &Fault, headers: &HeaderMap) -> CallError {
    let detail = [&fault.kind, &fault.code]
        .into_iter()
        .filter(|word| !word.is_empty())
        .fold(format!("status {status}"), |said, word| {
            format!("{said} {word}")
        });
    // Who fails in the middle may have done the work.
    let free = matches!(status, 300..=499 | 501 | 505) && !matches!(status, 408 | 409 | 425);
    if fault.is_among(&SPENT) {
        return CallError::Permanent { free, detail };
    }
    if fault.is_among(&POLICY) {
        return CallError::Refused { free, detail };
    }
    match status {
        429 => CallError::Throttled {
            retry_after: delay::asked(headers),
            free,
            detail,
        },
        501 | 505 => CallError::Permanent { free, detail },
        408 | 409 | 425 | 500.. => CallError::Transient {
            retry_after: delay::stated(headers),
            free,
            detail,
        },
        ..500 => CallError::Permanent { free, detail },
    }
}

/// A code and nothing that could be a sentence.
fn word(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    };
    let is_code = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if text.len() <= 64 && text.chars().all(is_code) {
        text
    } else {
        String::new()
    }
}
