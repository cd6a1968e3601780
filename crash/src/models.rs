//! The harness as the models behind an OpenAI-compatible address, which writes down who called.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::HeaderMap,
    routing::post,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Words that will do.
const WORDS: &str = r#"{"name": "Ember", "title": "The lantern in the hallway", "traits": ["warm", "quick", "sure"],
    "persona_prompt": "You are Ember. Whenever plans fall apart you sit down, make a list, and then another, until it is fun.",
    "greeting": "Hello, come in."}"#;
/// Words that must be sent back.
const TOO_FEW_WORDS: &str =
    r#"{"name": "E", "title": "?", "traits": [], "persona_prompt": "", "greeting": ""}"#;
/// A blue square.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsItjJtMZ1Qi+hcEKLNXzWgQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgtQSiEPtYVDTgAAAABJRU5ErkJggg==";

#[derive(Default)]
struct Book {
    /// How often each idempotency key was called with.
    calls: BTreeMap<String, usize>,
    /// The key whose words are too few.
    bad: Option<String>,
    /// Whether the first words are too few.
    begins_badly: bool,
}

/// Models on a port of their own; dropping them closes it.
pub struct Models {
    /// Where they are.
    pub url: String,
    book: Arc<Mutex<Book>>,
    /// Whether pictures are kept back.
    held: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

/// What an answer is made by.
#[derive(Clone)]
struct Behind {
    book: Arc<Mutex<Book>>,
    held: watch::Receiver<bool>,
}

impl Models {
    /// Opens them. Should they begin badly, the first words must be sent back.
    pub async fn start(begins_badly: bool) -> anyhow::Result<Self> {
        let book = Book {
            begins_badly,
            ..Book::default()
        };
        let book = Arc::new(Mutex::new(book));
        let (held, seen) = watch::channel(false);
        let behind = Behind {
            book: Arc::clone(&book),
            held: seen,
        };
        let app = Router::new()
            .route("/v1/{*path}", post(answer))
            .with_state(behind);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let mut serving = JoinSet::new();
        serving.spawn(async move { drop(axum::serve(listener, app).await) });
        Ok(Self {
            url,
            book,
            held,
            _serving: serving,
        })
    }

    /// Keeps pictures back from now on, or lets go of them.
    pub fn hold_pictures(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// How often each idempotency key was called with.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.calls.clone()
    }
}

/// The same key is answered the same, as often as it asks.
async fn answer(
    State(Behind { book, mut held }): State<Behind>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Json<Value> {
    let key = headers.get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
    let is_picture = path.starts_with("images");
    if is_picture {
        drop(held.wait_for(|held| !held).await);
    }
    let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
    *book.calls.entry(key.to_owned()).or_default() += 1;
    if is_picture {
        return Json(json!({"data": [{"b64_json": PICTURE}]}));
    }
    if book.begins_badly && book.bad.is_none() {
        book.bad = Some(key.to_owned());
    }
    let bad = book.bad.as_deref() == Some(key);
    let words = if bad { TOO_FEW_WORDS } else { WORDS };
    let message = json!({"role": "assistant", "content": words});
    Json(json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}))
}
