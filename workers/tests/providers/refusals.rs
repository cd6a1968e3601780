//! Servers that say no, in their several ways.

use crate::scripted::{Reply, Server};
use crate::support::{answer, ask, assert_permanent, assert_transient, completion, delta, end};
use chorus_workers::providers::{CallError, Unreadable};
use serde_json::json;

#[tokio::test]
async fn each_status_has_its_class() {
    for status in [408, 409, 425, 500, 502, 503, 504, 520, 529] {
        assert_transient(ask(Reply::json(status, "{}")).await);
    }
    for status in [400, 401, 402, 403, 404, 405, 413, 415, 422, 451, 501, 505] {
        assert_permanent(ask(Reply::json(status, "{}")).await);
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Server::start(vec![Reply::json(200, completion("x"))]).await;
    for status in [301, 302, 303, 307, 308] {
        let reply = Reply::json(status, "").header("location", &elsewhere.address);
        assert_permanent(ask(reply).await);
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn an_empty_account_is_not_waited_for() {
    let body = json!({"error": {"message": "..", "type": "insufficient_quota", "code": "insufficient_quota"}});
    let reply = Reply::json(429, body).header("retry-after", "5");
    assert_permanent(ask(reply).await);
}

#[tokio::test]
async fn an_error_is_told_by_its_codes_alone() {
    let body = json!({"error": {"message": "no such model: prompt-canary-lighthouse sk-canary-5f2b9d1c8e7a",
        "type": "invalid_request_error", "code": "model_not_found", "param": "prompt-canary-lighthouse"}});
    let error = ask(Reply::json(404, body)).await.unwrap_err();
    assert_eq!(
        error.detail(),
        "status 404 invalid_request_error model_not_found"
    );
    let body = json!({"error": {"type": "sk-canary-5f2b9d1c8e7a", "code": "Your text: prompt-canary-lighthouse"}});
    let error = ask(Reply::json(401, body)).await.unwrap_err();
    assert_eq!(error.detail(), "status 401 ***");
}

#[tokio::test]
async fn a_content_policy_refuses_a_request() {
    let codes = [
        "content_filter",
        "content_policy_violation",
        "moderation_blocked",
    ];
    for code in codes {
        for status in [400, 403] {
            let reply = Reply::json(status, json!({"error": {"code": code}}));
            let result = ask(reply).await;
            assert!(
                matches!(result, Err(CallError::Refused { .. })),
                "{result:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_error_under_a_200_counts_as_what_it_stands_for() {
    let in_one_piece = |error| Reply::json(200, json!({"error": error}));
    let in_a_stream = |error| {
        let event = json!({"error": error}).to_string();
        Reply::events(&[&delta("Hel"), &event, "[DONE]"])
    };
    // Of a stream, some may have been written, and charged for, before.
    for (reply, free) in [
        (in_one_piece as fn(serde_json::Value) -> Reply, true),
        (in_a_stream, false),
    ] {
        assert_transient(ask(reply(json!({"code": 502, "message": "overloaded"}))).await);
        assert_transient(ask(reply(json!("overloaded"))).await);
        assert_permanent(ask(reply(json!({"code": "insufficient_quota"}))).await);
        assert_permanent(ask(reply(json!({"type": "invalid_request_error"}))).await);
        let result = ask(reply(json!({"code": "rate_limit_exceeded"}))).await;
        let throttled = CallError::Throttled {
            free,
            retry_after: None,
            detail: "status 429 rate_limit_exceeded".to_owned(),
        };
        assert_eq!(result, Err(throttled));
        let result = ask(reply(json!({"code": "content_filter"}))).await;
        assert!(
            matches!(result, Err(CallError::Refused { .. })),
            "{result:?}"
        );
    }
    let vllm = json!({"object": "error", "message": "..", "type": "BadRequestError", "code": 400});
    assert_permanent(ask(Reply::json(200, vllm)).await);
}

#[tokio::test]
async fn no_error_within_an_answer_is_no_error() {
    for nothing in [json!(null), json!({}), json!("")] {
        let mut body = completion("Hello");
        body["error"] = nothing;
        assert_eq!(answer(Reply::json(200, body)).await.unwrap().text, "Hello");
    }
}

#[tokio::test]
async fn an_error_beside_a_part_of_an_answer_is_an_error() {
    let choices = json!([{"delta": {"content": ""}, "finish_reason": "error"}]);
    let event = json!({"error": {"code": "server_error"}, "choices": choices}).to_string();
    assert_transient(ask(Reply::events(&[&delta("Hel"), &event, "[DONE]"])).await);
    let untold = Reply::events(&[&delta("Hel"), &end("error"), "[DONE]"]);
    let read = answer(untold).await;
    assert!(matches!(read, Err(Unreadable::Garbled { .. })), "{read:?}");
}

#[tokio::test]
async fn a_refusal_is_told_from_an_answer() {
    let event =
        json!({"choices": [{"delta": {"refusal": "I cannot help with answer-canary-harbour."}}]});
    let streamed = Reply::events(&[&event.to_string(), &end("stop"), "[DONE]"]);
    let mut body = completion("");
    body["choices"][0]["message"]["refusal"] = "No.".into();
    for reply in [streamed, Reply::json(200, body)] {
        let read = answer(reply).await;
        assert!(matches!(read, Err(Unreadable::Refused { .. })), "{read:?}");
    }
}

#[tokio::test]
async fn a_content_filter_is_told_from_an_answer() {
    let streamed = Reply::events(&[&delta("Once upon"), &end("content_filter"), "[DONE]"]);
    let mut body = completion("Once upon");
    body["choices"][0]["finish_reason"] = "content_filter".into();
    for reply in [streamed, Reply::json(200, body)] {
        let read = answer(reply).await;
        assert!(matches!(read, Err(Unreadable::Refused { .. })), "{read:?}");
    }
}
