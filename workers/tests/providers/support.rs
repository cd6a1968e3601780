//! Asks once, and looks that nothing leaked.

use crate::scripted::{Reply, Seen, Server};
use chorus_workers::providers::openai::{Chat, Painter, Settings};
use chorus_workers::providers::{
    ApiKey, Call, CallError, Completion, ImageModel, Picture, Prompt, TextModel, Unreadable,
};
use serde_json::{Value, json};
use std::io;
use std::sync::{Mutex, Once};
use std::time::Duration;

/// Planted where they must be sent, and looked for where they must not be.
pub(crate) const KEY: &str = "sk-canary-5f2b9d1c8e7a";
pub(crate) const WORDS: &str = "prompt-canary-lighthouse";
pub(crate) const ANSWER: &str = "answer-canary-harbour";

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps every log line of this process, of all libraries and at all levels.
pub(crate) fn keep_logs() {
    static START: Once = Once::new();
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}

pub(crate) fn logs() -> String {
    String::from_utf8_lossy(&LOGS.lock().unwrap()).into_owned()
}

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGS.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails if a text holds anything that was planted.
pub(crate) fn assert_clean(text: &str) {
    for canary in [KEY, WORDS, ANSWER] {
        assert!(!text.contains(canary), "{canary} leaked into: {text:.2000}");
    }
}

pub(crate) fn call() -> Call {
    Call {
        idempotency_key: "saga-7/persona.paint#0/1".to_owned(),
        request_id: "req-42".to_owned(),
    }
}

pub(crate) fn prompt() -> Prompt {
    Prompt {
        system: "Answer in JSON.".to_owned(),
        user: WORDS.to_owned(),
        json: true,
        tokens_max: 200,
        temperature: 0.7,
        purpose: "persona",
        material: json!({"words": WORDS}),
    }
}

pub(crate) fn picture() -> Picture {
    Picture {
        look_prompt: WORDS.to_owned(),
        side: 1024,
        purpose: "image",
        material: Value::Null,
    }
}

/// Settings for a scripted server: 10 s, so that only what means to be slow is.
pub(crate) fn settings(server: &Server) -> Settings {
    let key = ApiKey::new(KEY).unwrap();
    Settings {
        timeout: Duration::from_secs(10),
        ..Settings::text(&format!("{}/v1", server.address), Some(key), "gpt-4o")
    }
}

pub(crate) async fn send_text(settings: Settings) -> Result<Vec<u8>, CallError> {
    keep_logs();
    let chat = Chat::new(settings).unwrap();
    let result = chat.send(&prompt(), &call()).await.map(|answer| answer.raw);
    if let Err(error) = &result {
        assert_clean(&format!("{error} {error:?}"));
    }
    assert_clean(&logs());
    result
}

pub(crate) async fn send_picture(settings: Settings) -> Result<Vec<u8>, CallError> {
    keep_logs();
    let painter = Painter::new(settings).unwrap();
    let result = painter
        .send(&picture(), &call())
        .await
        .map(|answer| answer.raw);
    if let Err(error) = &result {
        assert_clean(&format!("{error} {error:?}"));
    }
    assert_clean(&logs());
    result
}

/// Asks for text once, with changed settings, and shows the one request.
pub(crate) async fn ask_with(
    reply: Reply,
    change: impl FnOnce(&mut Settings),
) -> (Result<Vec<u8>, CallError>, Seen) {
    let server = Server::start(vec![reply]).await;
    let mut settings = settings(&server);
    change(&mut settings);
    let result = send_text(settings).await;
    let mut requests = server.requests();
    assert_eq!(requests.len(), 1, "asked more or less than once");
    (result, requests.remove(0))
}

/// Asks for text once.
pub(crate) async fn ask(reply: Reply) -> Result<Vec<u8>, CallError> {
    ask_with(reply, |_| {}).await.0
}

/// Asks for text once, with little patience.
pub(crate) async fn ask_hurried(reply: Reply) -> Result<Vec<u8>, CallError> {
    let hurry = |settings: &mut Settings| settings.timeout = Duration::from_millis(300);
    ask_with(reply, hurry).await.0
}

/// Asks for text once and reads the answer.
pub(crate) async fn answer(reply: Reply) -> Result<Completion, Unreadable> {
    let raw = ask(reply).await.unwrap();
    let read = reader().read(&raw);
    if let Err(error) = &read {
        assert_clean(&format!("{error} {error:?}"));
    }
    read
}

/// A model that only reads.
pub(crate) fn reader() -> Chat {
    Chat::new(Settings::text("http://localhost/v1", None, "gpt-4o")).unwrap()
}

/// An answer in one piece.
pub(crate) fn completion(text: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024", "system_fingerprint": "fp",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    })
}

/// One event of a streamed answer.
pub(crate) fn delta(text: &str) -> String {
    json!({"id": "c", "model": "gpt-4o-2024", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
        .to_string()
}

/// The event that says why it ended.
pub(crate) fn end(reason: &str) -> String {
    json!({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}).to_string()
}

#[track_caller]
pub(crate) fn assert_transient<T: std::fmt::Debug>(result: Result<T, CallError>) {
    assert!(
        matches!(
            result,
            Err(CallError::Transient {
                retry_after: None,
                ..
            })
        ),
        "{result:?}"
    );
}

#[track_caller]
pub(crate) fn assert_permanent<T: std::fmt::Debug>(result: Result<T, CallError>) {
    assert!(
        matches!(result, Err(CallError::Permanent { .. })),
        "{result:?}"
    );
}
