//! What a test sends, or is told, in confidence: none of it may ever be logged, or told by a refusal.

use reqwest::Request;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// Fields, wherever they stand, whose text is nobody else's.
const FIELDS: [&str; 9] = [
    "password",
    "token",
    "access_token",
    "refresh_token",
    "key",
    "email",
    "fingerprint",
    "m1",
    "h1",
];
const HEADERS: [&str; 3] = ["authorization", "x-api-key", "cookie"];
/// Shorter words may stand anywhere by chance.
const CHARS_MIN: usize = 12;
/// A flood of tokens is looked for by its first.
const MOST: usize = 300;

/// What was sent or told in confidence.
#[derive(Clone, Default)]
pub(crate) struct Canaries(Arc<Mutex<BTreeSet<String>>>);

impl Canaries {
    /// These, to begin with.
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let all = Self::default();
        for secret in secrets {
            all.add(secret);
        }
        all
    }

    /// Takes down what is in this request, and says what that is.
    pub(crate) fn sent(&self, request: &Request) -> Self {
        let here = Self::default();
        for value in HEADERS
            .iter()
            .filter_map(|name| request.headers().get(*name))
        {
            let words = String::from_utf8_lossy(value.as_bytes()).into_owned();
            for word in words.split([' ', '=']) {
                here.add(word);
            }
        }
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let body = body.and_then(|body| serde_json::from_slice(body).ok());
        here.search(&body.unwrap_or(Value::Null));
        for secret in here.0.lock().unwrap().iter() {
            self.add(secret);
        }
        here
    }

    /// Takes down what is in this answer.
    pub(crate) fn given(&self, body: &Value) {
        self.search(body);
    }

    /// None of it is here.
    #[track_caller]
    pub(crate) fn are_not_in(&self, text: &str) {
        let all = self.0.lock().unwrap().clone();
        for secret in &all {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is told");
        }
    }

    fn add(&self, secret: &str) {
        let mut all = self.0.lock().unwrap();
        if secret.chars().count() >= CHARS_MIN && all.len() < MOST {
            all.insert(secret.to_owned());
        }
    }

    fn search(&self, value: &Value) {
        match value {
            Value::Array(all) => all.iter().for_each(|one| self.search(one)),
            Value::Object(all) => {
                for (name, value) in all {
                    // Other things have keys, too.
                    let secret = |text: &&str| name != "key" || text.starts_with("chk_");
                    match value.as_str() {
                        Some(text) if FIELDS.contains(&name.as_str()) && secret(&text) => {
                            self.add(text);
                        }
                        _ => self.search(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

#[test]
fn what_is_said_in_confidence_is_found_wherever_it_is_told() {
    let http = reqwest::Client::new();
    let body =
        serde_json::json!({"answers": {"m1": "a canary of an answer"}, "title": "a title for all"});
    let request = http.post("http://localhost").bearer_auth("a.canary.token");
    let all = Canaries::default();
    all.sent(&request.json(&body).build().unwrap());
    all.given(&serde_json::json!({"items": [{"refresh_token": "chr_a canary"}]}));
    all.are_not_in("nothing of that, but a title for all");
    for told in ["a canary of an answer", "a.canary.token", "chr_a canary"] {
        let told = format!("first\nsaid: {told}.");
        let found = std::panic::catch_unwind(|| all.are_not_in(&told));
        assert!(found.is_err(), "{told}");
    }
}
