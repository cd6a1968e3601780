//! Rounds that a curator looks at, and rounds in which a model fails, through the public door.

use crate::support::{App, Person, on_each};
use chorus_workers::providers::local::Writer;
use chorus_workers::providers::{
    Answered, Call, CallError, Completion, Prompt, TextModel, Unreadable,
};
use domain::topics::sample::{NEIGHBOURHOOD, read};
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

const ROUNDS: &str = "/api/v1/topic-rounds";

/// Seeds the sample and starts a round.
async fn begun(app: &App, curator: &Person, wish: Value) -> Uuid {
    let texts: Vec<&str> = read(NEIGHBOURHOOD).into_iter().map(|idea| idea.1).collect();
    let body = json!({"texts": texts});
    app.post("/api/v1/submissions/seed", curator, &body)
        .await
        .is(201);
    app.post(ROUNDS, curator, &wish).await.is(202).id()
}

/// How many ideas each topic has, the most first.
async fn sizes(app: &App, reader: &Person) -> Vec<i64> {
    let topics = app.get("/api/v1/topics", reader).await.is(200);
    let topics = topics.body["items"].as_array().unwrap().clone();
    let mut sizes: Vec<i64> = topics
        .iter()
        .map(|one| one["ideas"].as_i64().unwrap())
        .collect();
    sizes.sort_by_key(|size| std::cmp::Reverse(*size));
    sizes
}

async fn counts(app: &App, curator: &Person, round: Uuid) -> [i64; 2] {
    let path = format!("{ROUNDS}/{round}");
    let round = app.get(&path, curator).await.is(200);
    assert_eq!(round.text("state"), "finished");
    let count = |name: &str| round.body["counts"][name].as_i64().unwrap();
    [count("published"), count("released")]
}

#[tokio::test]
async fn a_cluster_that_is_dropped_in_review_makes_no_topic() {
    on_each(async |app| {
        let curator = app.person(&["curator"]);
        app.work();
        let round = begun(app, &curator, json!({"require_review": true})).await;
        let of_round = |page: &Value| {
            let items = page["items"].as_array().unwrap().iter();
            let mut ours = items.filter(|item| item["subject"]["id"] == json!(round));
            ours.next().cloned()
        };
        let inbox = "/api/v1/reviews?status=pending";
        let asked = app
            .until(inbox, &curator, |answer| of_round(&answer.body).is_some())
            .await;
        let review = of_round(&asked.body).unwrap();
        assert_eq!(review["subject"]["kind"], "topic_round");
        assert_eq!(review["may_decide"], true);

        let clusters = format!("{ROUNDS}/{round}/clusters");
        let found = app.get(&clusters, &curator).await.is(200);
        assert_eq!(found.body["items"][0]["size"], 11);
        let first = found.body["items"][0]["id"].as_str().unwrap();
        let path = format!("{clusters}/{first}");
        let request = app.request(Method::PATCH, &path, Some(&curator));
        app.send(request.json(&json!({"decision": "drop"})))
            .await
            .is(200);
        let approve = review["links"]["approve"].as_str().unwrap();
        app.post(approve, &curator, &json!({})).await.is(200);
        app.until_status(round, &curator, "succeeded").await;

        assert_eq!(sizes(app, &curator).await, [9, 8, 5]);
        assert_eq!(counts(app, &curator, round).await, [3, 17]);
    })
    .await;
}

/// Refuses its first call, and writes as the local writer does after that.
#[derive(Default)]
struct Moody(AtomicBool);

impl TextModel for Moody {
    fn provider(&self) -> &'static str {
        Writer.provider()
    }

    fn model(&self) -> &'static str {
        "moody"
    }

    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        if self.0.swap(true, Ordering::SeqCst) {
            return Writer.send(prompt, call);
        }
        let refused = CallError::Refused {
            free: true,
            detail: "not this one".to_owned(),
        };
        Box::pin(std::future::ready(Err(refused)))
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        Writer.read(raw)
    }
}

#[tokio::test]
async fn a_model_that_fails_for_one_cluster_leaves_the_other_two() {
    on_each(async |app| {
        let curator = app.person(&["curator"]);
        app.work_with(Arc::new(Moody::default()));
        let round = begun(app, &curator, json!({})).await;
        app.until_status(round, &curator, "succeeded").await;

        let sizes = sizes(app, &curator).await;
        assert_eq!(sizes.len(), 2);
        let used: i64 = sizes.iter().sum();
        assert!([20, 19, 17].contains(&used), "{used}");
        assert_eq!(counts(app, &curator, round).await, [2, 39 - used]);
    })
    .await;
}
