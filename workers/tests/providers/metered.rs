//! What calls are counted as: by how they ended, and by what they cost.

use crate::scripted::{Reply, Server};
use crate::support::{call, completion, prompt, settings};
use chorus_workers::providers::openai::Chat;
use chorus_workers::providers::{Metered, TextModel as _};
use metrics_exporter_prometheus::PrometheusBuilder;

const LIMIT: &str = r#"{"error":{"code":"rate_limit_exceeded"}}"#;
const POLICY: &str = r#"{"error":{"code":"content_policy_violation"}}"#;

/// On one thread, whose recorder is its own.
#[tokio::test]
async fn each_call_is_counted_by_its_outcome_and_its_tokens() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let answer = completion("a harbour").to_string();
    let ends = [
        (Reply::json(200, &answer), "answered"),
        (Reply::json(200, &answer), "answered"),
        (Reply::json(500, "{}"), "failed"),
        (Reply::json(429, LIMIT), "throttled"),
        (Reply::json(400, POLICY), "refused"),
        (Reply::json(401, "{}"), "rejected"),
    ];
    for (reply, outcome) in ends {
        let server = Server::start(vec![reply]).await;
        let chat = Metered::new(Chat::new(settings(&server)).unwrap());
        let sent = chat.send(&prompt(), &call()).await;
        assert_eq!(sent.is_ok(), outcome == "answered", "{outcome}: {sent:?}");
        if let Ok(answer) = sent {
            assert_eq!(chat.usage(&answer.raw).input_tokens, 11); // looking is no call
        }
    }
    let told = recorder.handle().render();
    let model = r#"provider="openai",model="gpt-4o""#;
    for (outcome, count) in [
        ("answered", 2),
        ("failed", 1),
        ("throttled", 1),
        ("refused", 1),
        ("rejected", 1),
    ] {
        let name = "chorus_provider_request_duration_seconds_count";
        let line = format!("{name}{{{model},outcome=\"{outcome}\"}} {count}\n");
        assert!(told.contains(&line), "no {line} in {told}");
    }
    for (direction, tokens) in [("in", 22), ("out", 14)] {
        let name = "chorus_provider_tokens_total";
        let line = format!("{name}{{{model},direction=\"{direction}\"}} {tokens}\n");
        assert!(told.contains(&line), "no {line} in {told}");
    }
}
