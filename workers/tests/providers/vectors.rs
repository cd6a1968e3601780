use crate::scripted::{Reply, Server};
use crate::support::{KEY, WORDS, assert_clean, call, keep_logs, logs, settings};
use chorus_workers::providers::openai::{Embedder, Settings};
use chorus_workers::providers::{CallError, Embedder as _, Texts, Unreadable, Vectors};
use serde_json::{Value, json};

fn texts(count: usize) -> Texts {
    Texts {
        texts: vec![WORDS.to_owned(); count],
        purpose: "embed",
    }
}

fn reader() -> Embedder {
    Embedder::new(Settings::embeddings("http://localhost/v1", None, "small")).unwrap()
}

fn read(answer: Value, count: usize) -> Result<Vectors, Unreadable> {
    reader().read(answer.to_string().as_bytes(), count)
}

fn entry(index: u64, vector: &[f64]) -> Value {
    json!({"object": "embedding", "index": index, "embedding": vector})
}

async fn ask(reply: Reply) -> (Result<Vec<u8>, CallError>, Server) {
    keep_logs();
    let server = Server::start(vec![reply]).await;
    let embedder = Embedder::new(settings(&server)).unwrap();
    let result = embedder.send(&texts(2), &call()).await;
    if let Err(error) = &result {
        assert_clean(&format!("{error} {error:?}"));
    }
    assert_clean(&logs());
    (result.map(|answer| answer.raw), server)
}

#[tokio::test]
async fn texts_are_sent_in_one_request_with_key_and_idempotency_key() {
    let answer = json!({"data": [entry(0, &[0.5, 0.25]), entry(1, &[1.0, 0.0])]});
    let (raw, server) = ask(Reply::json(200, answer)).await;
    let seen = server.requests();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "POST /v1/embeddings");
    assert_eq!(
        seen[0].header("authorization"),
        Some(&*format!("Bearer {KEY}"))
    );
    assert_eq!(
        seen[0].header("idempotency-key"),
        Some("saga-7/persona.paint#0/1")
    );
    let body: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(body["input"], json!([WORDS, WORDS]));
    let vectors = reader().read(&raw.unwrap(), 2).unwrap();
    assert_eq!(vectors, Vectors(vec![vec![0.5, 0.25], vec![1.0, 0.0]]));
}

#[tokio::test]
async fn short_vectors_are_asked_for_where_that_can_be() {
    keep_logs();
    let server = Server::start(vec![Reply::json(200, json!({"data": []}))]).await;
    let model = "text-embedding-3-small".to_owned();
    let settings = Settings {
        model,
        ..settings(&server)
    };
    let sent = Embedder::new(settings)
        .unwrap()
        .send(&texts(1), &call())
        .await;
    assert!(sent.is_ok());
    let body: Value = serde_json::from_str(&server.requests()[0].body).unwrap();
    assert_eq!(body["dimensions"], 256);
}

#[test]
fn vectors_are_put_in_the_order_of_the_texts() {
    let answer = json!({"data": [entry(1, &[2.0]), entry(0, &[1.0])]});
    assert_eq!(read(answer, 2), Ok(Vectors(vec![vec![1.0], vec![2.0]])));
}

#[test]
fn a_server_that_tells_no_places_answers_in_order() {
    let answer = json!({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]});
    assert_eq!(read(answer, 2), Ok(Vectors(vec![vec![1.0], vec![2.0]])));
}

#[test]
fn tokens_are_told_and_vectors_are_no_pictures() {
    let answer =
        json!({"data": [entry(0, &[1.0])], "usage": {"prompt_tokens": 9, "total_tokens": 9}});
    let usage = reader().usage(answer.to_string().as_bytes());
    assert_eq!(
        (usage.input_tokens, usage.output_tokens, usage.images),
        (9, 0, 0)
    );
}

#[test]
fn answers_that_are_not_one_vector_a_text_are_garbled() {
    let long = vec![0.5; Vectors::LENGTH_MAX + 1];
    let broken = [
        json!({}),
        json!({"data": "none"}),
        json!({"data": [entry(0, &[1.0])]}),
        json!({"data": [entry(0, &[1.0]), entry(0, &[2.0])]}),
        json!({"data": [entry(0, &[1.0]), entry(7, &[2.0])]}),
        json!({"data": [entry(0, &[1.0]), entry(1, &[2.0, 3.0])]}),
        json!({"data": [entry(0, &[]), entry(1, &[])]}),
        json!({"data": [entry(0, &long), entry(1, &long)]}),
        json!({"data": [entry(0, &[1e300]), entry(1, &[1.0])]}),
        json!({"data": [entry(0, &[1.0]), {"index": 1, "embedding": ["x"]}]}),
        json!({"data": [entry(0, &[1.0]), {"index": 1, "embedding": null}]}),
        json!({"data": [entry(0, &[1.0]), {"index": -1, "embedding": [1.0]}]}),
    ];
    for answer in broken {
        let told = answer.to_string();
        let read = read(answer, 2);
        assert!(
            matches!(read, Err(Unreadable::Garbled { .. })),
            "{told:.80}: {read:?}"
        );
    }
    assert!(matches!(
        reader().read(b"{\"data\": [NaN]}", 1),
        Err(Unreadable::Garbled { .. })
    ));
}

#[tokio::test]
async fn a_server_that_is_busy_is_waited_for() {
    let (result, _server) = ask(Reply::json(429, "{}").header("retry-after", "7")).await;
    assert!(
        matches!(result, Err(CallError::Throttled { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn an_error_under_a_200_is_an_error() {
    let fault = json!({"error": {"message": WORDS, "code": "model_not_found"}});
    let (result, _server) = ask(Reply::json(200, fault)).await;
    assert!(result.is_err());
}

#[test]
fn a_call_costs_no_more_than_its_bytes() {
    assert!(texts(64).most().input_tokens >= (64 * WORDS.len()) as u64);
    assert_eq!(texts(64).most().output_tokens, 0);
}
