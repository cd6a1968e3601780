//! What operations refuse with one status: told once, and referred to.

use super::{meanings, schemas};
use crate::code::Code;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// The type of every refusal.
pub(super) const PROBLEM: &str = "application/problem+json";

/// The codes with which an operation refuses, of one status.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) codes: Vec<Code>,
}

impl Refusal {
    /// The same codes, the same name.
    pub(super) fn name(&self) -> String {
        let words = |code: &Code| code.facts().1.split('_').map(capital).collect::<String>();
        self.codes.iter().map(words).collect::<Vec<_>>().join("Or")
    }

    /// How to refer to it.
    pub(super) fn refer(&self) -> Value {
        json!({"$ref": format!("#/components/responses/{}", self.name())})
    }

    /// What the document says of it.
    pub(super) fn told(&self) -> Value {
        let line = |code: &Code| format!("`{}`: {}", code.facts().1, meanings::of(*code).0);
        let lines: Vec<String> = self.codes.iter().map(line).collect();
        let problem = json!({"schema": schemas::refer("Problem")});
        dressed(json!({"description": lines.join("\n\n"), "content": {PROBLEM: problem}}))
    }
}

/// A response with the header that every response has.
pub(super) fn dressed(mut response: Value) -> Value {
    response["headers"]["X-Request-Id"] = json!({"$ref": "#/components/headers/RequestId"});
    response
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_uppercase() + rest
}
