//! How long a provider may make us wait.

use crate::scripted::{Reply, Server};
use crate::support::{ask, completion, settings};
use crate::support::{call, prompt};
use chorus_workers::providers::openai::Chat;
use chorus_workers::providers::{CallError, TextModel as _};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

async fn wait_asked(headers: &[(&str, &str)]) -> Option<Duration> {
    let mut reply = Reply::json(429, r#"{"error":{"code":"rate_limit_exceeded"}}"#);
    for (name, value) in headers {
        reply = reply.header(name, value);
    }
    match ask(reply).await {
        Err(CallError::Throttled { retry_after, .. }) => retry_after,
        other => panic!("{headers:?}: {other:?}"),
    }
}

#[tokio::test]
async fn a_wait_is_read_from_seconds_and_clamped() {
    let waits = [
        ("7", Some(Duration::from_secs(7))),
        ("1.5", Some(Duration::from_millis(1500))),
        ("0", Some(Duration::ZERO)),
        ("-5", Some(Duration::ZERO)),
        ("999999999", Some(HOUR)),
        ("99999999999999999999999999999", Some(HOUR)),
        ("inf", Some(HOUR)),
        ("NaN", None),
        ("soon", None),
        ("", None),
    ];
    for (value, wait) in waits {
        assert_eq!(wait_asked(&[("retry-after", value)]).await, wait, "{value}");
    }
}

#[tokio::test]
async fn a_wait_is_read_from_a_date_by_the_servers_clock() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let waits = [
        (
            "Sun, 06 Nov 1994 08:50:07 GMT",
            Some(Duration::from_secs(30)),
        ),
        ("Sun, 06 Nov 1994 08:49:00 GMT", Some(Duration::ZERO)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(HOUR)),
        ("Sun, 99 Nov 1994 08:50:07 GMT", None),
    ];
    for (value, wait) in waits {
        assert_eq!(
            wait_asked(&[date, ("retry-after", value)]).await,
            wait,
            "{value}"
        );
    }
    let long_ago = wait_asked(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]).await;
    assert_eq!(long_ago, Some(Duration::ZERO));
}

#[tokio::test]
async fn milliseconds_come_before_seconds() {
    let wait = wait_asked(&[("retry-after", "7"), ("retry-after-ms", "250")]).await;
    assert_eq!(wait, Some(Duration::from_millis(250)));
    let wait = wait_asked(&[("retry-after", "7"), ("retry-after-ms", "-1")]).await;
    assert_eq!(wait, Some(Duration::ZERO));
    let wait = wait_asked(&[("retry-after", "7"), ("retry-after-ms", "x")]).await;
    assert_eq!(wait, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn no_word_about_a_wait_is_none() {
    assert_eq!(wait_asked(&[]).await, None);
}

#[tokio::test]
async fn a_wait_falls_back_to_the_limit_that_is_used_up() {
    let requests = "x-ratelimit-reset-requests";
    let tokens = "x-ratelimit-reset-tokens";
    let spans = [
        ("20ms", Some(Duration::from_millis(20))),
        ("6m0s", Some(Duration::from_mins(6))),
        ("1m1.5s", Some(Duration::from_millis(61_500))),
        ("12", Some(Duration::from_secs(12))),
        ("3d", Some(HOUR)),
        ("1x", None),
        ("s", None),
        ("5 m", None),
    ];
    for (value, wait) in spans {
        assert_eq!(wait_asked(&[(requests, value)]).await, wait, "{value}");
    }
    let longer = wait_asked(&[(requests, "1s"), (tokens, "9s")]).await;
    assert_eq!(longer, Some(Duration::from_secs(9)));
    let left = ("x-ratelimit-remaining-tokens", "4000");
    let used_up = wait_asked(&[(requests, "1s"), (tokens, "9s"), left]).await;
    assert_eq!(used_up, Some(Duration::from_secs(1)));
    let stated = wait_asked(&[(requests, "1s"), ("retry-after", "3")]).await;
    assert_eq!(stated, Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn a_busy_server_may_ask_for_a_wait_too() {
    let reply = Reply::json(503, "{}").header("retry-after", "20");
    let error = ask(reply).await.unwrap_err();
    assert!(matches!(error, CallError::Transient { .. }), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(20)));
}

#[tokio::test]
async fn an_ordinary_answer_that_uses_up_a_limit_asks_for_patience() {
    let (requests, tokens) = (
        "x-ratelimit-remaining-requests",
        "x-ratelimit-remaining-tokens",
    );
    let resets = [
        ("x-ratelimit-reset-requests", "20s"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    let cases = [
        (vec![(requests, "0"), (tokens, "4000")], Some(20)),
        (vec![(requests, "7"), (tokens, "0")], Some(360)),
        (vec![(requests, "0"), (tokens, "0")], Some(360)),
        (vec![(requests, "1"), (tokens, "1")], None),
        (vec![(requests, "none")], None),
        // Nothing is said of what is left: then nothing is known of a limit, either.
        (vec![], None),
    ];
    for (said, seconds) in cases {
        let mut reply = Reply::json(200, completion("well").to_string());
        for (name, value) in said.iter().chain(&resets) {
            reply = reply.header(name, value);
        }
        let server = Server::start(vec![reply]).await;
        let chat = Chat::new(settings(&server)).unwrap();
        let answer = chat.send(&prompt(), &call()).await.unwrap();
        assert_eq!(
            answer.patience,
            seconds.map(Duration::from_secs),
            "{said:?}"
        );
        assert!(chat.read(&answer.raw).is_ok());
    }
}
