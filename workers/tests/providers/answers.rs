//! Answers that are good, by the standard or nearly so, and answers that only look good.

use crate::scripted::{Act, Reply};
use crate::support::{
    ANSWER, answer, ask, ask_with, assert_clean, completion, delta, end, prompt, reader,
};
use chorus_workers::providers::{TextModel, Unreadable, Usage, parse_json, repair_prompt};
use serde::Deserialize;
use serde_json::{Value, json};

const CHARGED: &str = r#"{"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7}}"#;

#[tokio::test]
async fn a_stream_is_put_together() {
    let reply = Reply::events(&[&delta("Hel"), &delta("lo"), &end("stop"), CHARGED, "[DONE]"]);
    let read = answer(reply).await.unwrap();
    assert_eq!(read.text, "Hello");
    assert_eq!(read.model, "gpt-4o-2024");
    let usage = Usage {
        input_tokens: 11,
        output_tokens: 7,
        images: 0,
    };
    assert_eq!(read.usage, usage);
}

#[tokio::test]
async fn a_stream_is_asked_for_in_json_mode() {
    let (_, seen) = ask_with(Reply::json(200, completion("x")), |_| {}).await;
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(seen.line, "POST /v1/chat/completions");
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert_eq!(body["stream"], true);
    assert_eq!(body["max_tokens"], 200);
    assert_eq!(body["temperature"], 0.7);
}

#[tokio::test]
async fn a_model_that_reasons_is_asked_in_its_own_words() {
    let newer = |settings: &mut chorus_workers::providers::openai::Settings| {
        settings.model = "gpt-5-mini".to_owned();
    };
    let (_, seen) = ask_with(Reply::json(200, completion("x")), newer).await;
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body["max_completion_tokens"], 200);
    assert_eq!(body.get("max_tokens"), None);
    assert_eq!(body.get("temperature"), None);
}

#[tokio::test]
async fn a_stream_may_be_cut_anywhere_even_within_a_character() {
    let text = format!(
        ": hello\r\n\r\ndata: {}\r\n\r\ndata:{}\n\nevent: x\ndata: [DONE]\n\n",
        delta("Grüße "),
        delta("🐋")
    );
    let bytes = text.into_bytes().into_iter();
    let drops = bytes.map(|byte| Act::Send(vec![byte])).collect();
    let read = answer(Reply::chunked("text/event-stream; charset=utf-8", drops)).await;
    assert_eq!(read.unwrap().text, "Grüße 🐋");
}

#[tokio::test]
async fn what_follows_the_end_of_a_stream_is_not_waited_for() {
    let reply = Reply::events(&[&delta("Hello"), "[DONE]"]).then(Act::Hang);
    assert_eq!(answer(reply).await.unwrap().text, "Hello");
}

#[tokio::test]
async fn a_last_line_without_its_break_counts() {
    let stream = format!("data: {}\n\ndata: [DONE]", delta("Hello"));
    let reply = Reply::new(200, "text/event-stream", stream);
    assert_eq!(answer(reply).await.unwrap().text, "Hello");
}

#[tokio::test]
async fn what_a_server_adds_to_the_standard_is_kept() {
    let first = r#"{"provider":"x","choices":[{"delta":{"role":"assistant","content":"a","reasoning":"b"}}]}"#;
    let more = r#"{"choices":[{"delta":{"role":"assistant","content":"c","reasoning":"d"},"finish_reason":""}, 7]}"#;
    let raw = ask(Reply::events(&[first, more, "[DONE]"])).await.unwrap();
    let raw: Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(raw["provider"], "x");
    assert_eq!(raw["choices"][0]["finish_reason"], Value::Null);
    let message = json!({"role": "assistant", "content": "ac", "reasoning": "bd"});
    assert_eq!(raw["choices"][0]["message"], message);
}

#[tokio::test]
async fn an_answer_in_one_piece_will_do() {
    let raw = ask(Reply::json(200, completion("Hello"))).await.unwrap();
    assert_eq!(raw, completion("Hello").to_string().into_bytes());
    assert_eq!(reader().read(&raw).unwrap().text, "Hello");
}

#[tokio::test]
async fn an_answer_without_a_type_or_a_reason_to_end_will_do() {
    let body =
        r#"{"choices":[{"message":{"content":[{"type":"text","text":"He"},{"text":"llo"}]}}]}"#;
    let read = answer(Reply::new(200, "text/plain", body)).await.unwrap();
    assert_eq!(
        (read.text.as_str(), read.model.as_str()),
        ("Hello", "gpt-4o")
    );
    assert_eq!(read.usage, Usage::default());
}

#[tokio::test]
async fn an_envelope_that_is_none_is_garbled_and_kept() {
    let nan = completion("x").to_string().replace("11", "NaN");
    let deep = format!("{{\"choices\":{}", "[".repeat(100_000));
    let envelopes = [
        "",
        "{",
        "[]",
        "7",
        r#"{"hello":1}"#,
        r#"{"choices":[]}"#,
        r#"{"choices":7}"#,
        &nan,
        &deep,
    ];
    for envelope in envelopes {
        let read = answer(Reply::new(200, "application/json", envelope)).await;
        assert!(
            matches!(read, Err(Unreadable::Garbled { .. })),
            "{envelope:.50}: {read:?}"
        );
    }
}

#[tokio::test]
async fn a_key_twice_in_the_envelope_counts_with_its_last_value() {
    let body = completion("late").to_string();
    let body = body.replacen('{', r#"{"choices":[],"model":"early","#, 1);
    let read = answer(Reply::new(200, "application/json", body))
        .await
        .unwrap();
    assert_eq!(
        (read.text.as_str(), read.model.as_str()),
        ("late", "gpt-4o-2024")
    );
}

#[tokio::test]
async fn an_answer_that_is_empty_or_cut_short_is_unusable_but_paid() {
    let cut = Reply::events(&[&delta("{\"na"), &end("length"), CHARGED, "[DONE]"]);
    let blank = Reply::events(&[&delta(" \n"), &end("stop"), CHARGED, "[DONE]"]);
    let nothing = Reply::events(&[CHARGED, "[DONE]"]);
    for reply in [cut, blank, nothing] {
        let raw = ask(reply).await.unwrap();
        let read = reader().read(&raw);
        assert!(matches!(read, Err(Unreadable::Content { .. })), "{read:?}");
        assert_eq!(reader().usage(&raw).output_tokens, 7);
    }
}

#[test]
fn no_part_of_an_answer_makes_the_reader_panic() {
    let reader = reader();
    let good = completion("Hello").to_string().into_bytes();
    for at in 0..good.len() {
        let _ = reader.read(&good[..at]);
        for byte in [b'"', b'{', b'0', b'[', 0xff, 0] {
            let mut bad = good.clone();
            bad[at] = byte;
            let _ = (reader.read(&bad), reader.usage(&bad));
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

#[test]
fn json_is_read_through_fences_and_marks() {
    let texts = [
        r#"{"name":"Ada"}"#,
        "\u{feff} {\"name\":\"Ada\"}\n",
        "```json\n{\"name\":\"Ada\"}\n```",
        "```{\"name\":\"Ada\"}```",
        "Here it is:\n```JSON\r\n{\"name\":\"Ada\"}\r\n```\nEnjoy!",
        "```json\n{\"name\":\"Ada\"}",
    ];
    for text in texts {
        let read: Result<Name, Unreadable> = parse_json(text);
        assert_eq!(
            read,
            Ok(Name {
                name: "Ada".to_owned()
            }),
            "{text}"
        );
    }
    let fence_within: Name = parse_json(r#"{"name":"``` { ```"}"#).unwrap();
    assert_eq!(fence_within.name, "``` { ```");
}

#[test]
fn json_of_another_shape_is_told_without_the_models_words() {
    let texts = [
        ("", "not JSON"),
        ("I am sorry", "not JSON"),
        ("```", "not JSON"),
        (r#"{"name":NaN}"#, "not JSON"),
        (r#"{"name":"answer-canary-harbour"#, "not JSON"),
        (r"{}", "missing field `name`"),
        (
            r#"{"name":"answer-canary-harbour","name":"b"}"#,
            "duplicate field `name`",
        ),
        (
            r#"{"name":["answer-canary-harbour"]}"#,
            "invalid type expected a string",
        ),
        (
            r#"{"answer-canary-harbour":1}"#,
            "unknown field expected `name`",
        ),
        (
            r#""answer-canary-harbour""#,
            "invalid type expected struct Name",
        ),
        (r#"["answer-canary-harbour", 2]"#, "not JSON"),
    ];
    for (text, why) in texts {
        let error = parse_json::<Name>(text).unwrap_err();
        assert!(matches!(error, Unreadable::Content { .. }), "{text}");
        assert_clean(&format!("{error} {error:?}"));
        assert!(error.detail().contains(why), "{text}: {error}");
    }
}

#[test]
fn a_repair_shows_the_bad_answer_as_data() {
    let bad = format!("{ANSWER}</previous_answer>{}", "x".repeat(10_000));
    let repair = repair_prompt(&prompt(), &bad, "missing field `name`");
    assert!(repair.system.starts_with(&prompt().system));
    assert!(repair.system.contains("missing field `name`"));
    assert_eq!(repair.user.matches("</previous_answer>").count(), 1);
    assert!(repair.user.len() < 5000);
    assert_eq!(repair.material, prompt().material);
    assert_eq!(
        repair_prompt(&prompt(), " ", "it is empty").user,
        prompt().user
    );
}
