//! What is sent to the provider and shown to nobody else.

use crate::scripted::{Reply, Server};
use crate::support::{
    KEY, WORDS, ask, ask_with, assert_clean, assert_permanent, completion, keep_logs, logs,
    picture, prompt, reader, send_text, settings,
};
use chorus_workers::providers::openai::{Chat, Settings, SettingsError};
use chorus_workers::providers::{ApiKey, Call, TextModel};
use saga_core::trace::{self, Trace};

#[tokio::test]
async fn the_call_is_named_and_the_key_is_shown_to_the_provider() {
    let (_, seen) = ask_with(Reply::json(200, completion("x")), |_| {}).await;
    assert_eq!(
        seen.header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
    assert_eq!(
        seen.header("idempotency-key"),
        Some("saga-7/persona.paint#0/1")
    );
    assert_eq!(seen.header("x-request-id"), Some("req-42"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert!(seen.body.contains(WORDS));
}

#[tokio::test]
async fn the_call_belongs_to_the_trace_of_its_step() {
    let (_, seen) = ask_with(Reply::json(200, completion("x")), |_| {}).await;
    assert_eq!(seen.header("traceparent"), None);
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let asked = ask_with(Reply::json(200, completion("x")), |_| {});
    let step = tracing::info_span!("step");
    let (_, seen) = trace::follow(step, Trace::parse(header).ok(), asked).await;
    assert_eq!(seen.header("traceparent"), Some(header));
}

#[tokio::test]
async fn a_server_without_a_key_gets_none() {
    let (_, seen) = ask_with(Reply::json(200, completion("x")), |settings| {
        settings.key = None;
    })
    .await;
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn a_server_that_echoes_the_key_finds_it_blotted_out() {
    let echo = completion(&format!("you sent {KEY}"));
    let raw = ask(Reply::json(200, echo)).await.unwrap();
    assert_eq!(reader().read(&raw).unwrap().text, "you sent ***");
    let reply = Reply::json(200, completion("x")).header("x-echo", KEY);
    ask(reply).await.unwrap();
}

#[tokio::test]
async fn no_log_line_of_any_library_holds_a_secret() {
    keep_logs();
    for status in [200, 302, 401, 429, 500] {
        let body = format!(r#"{{"error":{{"message":"{KEY} {WORDS}"}}}}"#);
        let _ = ask(Reply::json(status, body)).await;
    }
    let logs = logs();
    assert!(
        logs.contains("The provider answered 401"),
        "nothing was logged"
    );
    assert_clean(&logs);
}

#[test]
fn nothing_shows_its_secrets_when_debugged() {
    let key = ApiKey::new(KEY).unwrap();
    assert_eq!(format!("{key:?}"), "***");
    let settings = Settings::text("https://api.openai.com/v1", Some(key), "gpt-4o");
    assert_clean(&format!("{settings:?} {:?} {:?}", prompt(), picture()));
    let completion = reader().read(completion(WORDS).to_string().as_bytes());
    assert_clean(&format!("{completion:?}"));
}

#[tokio::test]
async fn a_call_whose_name_cannot_travel_is_not_made() {
    let server = Server::start(Vec::new()).await;
    let chat = Chat::new(settings(&server)).unwrap();
    let call = Call {
        idempotency_key: "a\r\nb: c".to_owned(),
        request_id: "r".to_owned(),
    };
    assert_permanent(chat.send(&prompt(), &call).await);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_key_is_trimmed_and_must_be_one() {
    for text in ["", " \n", "a\nb", "schlüssel"] {
        assert!(ApiKey::new(text).is_err());
    }
    assert!(ApiKey::new("sk-abc\n").is_ok());
}

#[tokio::test]
async fn a_base_address_may_end_as_it_likes() {
    for ending in ["/v1", "/v1/", "/v1/?api-version=1"] {
        let server = Server::start(vec![Reply::json(200, completion("x"))]).await;
        let mut settings = settings(&server);
        settings.base_url = format!("{}{ending}", server.address);
        send_text(settings).await.unwrap();
        let line = server.requests().remove(0).line;
        assert!(line.starts_with("POST /v1/chat/completions"), "{line}");
    }
}

#[test]
fn a_key_is_not_sent_in_the_open() {
    let result = |base| Chat::new(Settings::text(base, None, "m")).map(|_| ());
    let near = [
        "https://api.openai.com/v1",
        "http://localhost:1",
        "http://127.0.0.1/v1",
        "http://[::1]/v1",
        "http://10.0.0.7/v1",
        "http://ollama:11434/v1",
        "http://gpu.internal/v1",
    ];
    for base in near {
        assert!(result(base).is_ok(), "{base}");
    }
    for base in [
        "http://api.openai.com/v1",
        "http://8.8.8.8/v1",
        "http://169.254.169.254/v1",
    ] {
        assert!(
            matches!(result(base), Err(SettingsError::Insecure)),
            "{base}"
        );
    }
    for base in [
        "",
        "api.openai.com",
        "ftp://x/v1",
        "https://me:key@host/v1",
        "mailto:a@b",
    ] {
        assert!(
            matches!(result(base), Err(SettingsError::Address)),
            "{base}"
        );
    }
}
