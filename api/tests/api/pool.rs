//! From ideas to topics, through the public door alone.

use crate::frames::Frames;
use crate::support::{Answer, App, Person, on_each};
use chrono::{DateTime, Utc};
use domain::topics::sample::{NEIGHBOURHOOD, read};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ROUNDS: &str = "/api/v1/topic-rounds";

async fn seeded(app: &App, curator: &Person, texts: &[&str]) {
    let body = json!({"texts": texts});
    app.post("/api/v1/submissions/seed", curator, &body)
        .await
        .is(201);
}

async fn listen(app: &App, by: &Person) -> Frames {
    app.settle().await;
    let request = app.request(Method::GET, "/api/v1/events/stream", Some(by));
    Frames::of(request.send().await.unwrap())
}

#[tokio::test]
async fn a_round_is_heard_from_its_start_to_its_topics() {
    on_each(async |app| {
        let (curator, reader) = (app.person(&["curator"]), app.person(&["member"]));
        let texts: Vec<&str> = read(NEIGHBOURHOOD)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(texts.len(), 39);
        seeded(app, &curator, &texts).await;
        let mut frames = listen(app, &curator).await;
        app.work();
        let round = app.post(ROUNDS, &curator, &json!({})).await.is(202).id();

        let mut heard: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let frame = frames.next().await.expect("the stream goes on");
            if frame.event == "topic.published" {
                let at: DateTime<Utc> = frame.data["at"].as_str().unwrap().parse().unwrap();
                let took = (Utc::now() - at).num_milliseconds();
                assert!(took < 1_000, "{took} ms");
            }
            *heard.entry(frame.event.clone()).or_default() += 1;
            if frame.event == "round.finished" {
                assert_eq!(frame.data["entity_id"], json!(round));
                break;
            }
        }
        for (name, count) in [
            ("round.started", 1),
            ("round.clustered", 1),
            ("topic.published", 3),
            ("submission.archived", 28),
            ("submission.released", 11),
        ] {
            assert_eq!(heard.get(name), Some(&count), "{name}: {heard:?}");
        }

        let path = format!("{ROUNDS}/{round}");
        let drafted = |round: &Answer| {
            let jobs = round.body["jobs"].as_array();
            jobs.is_some_and(|jobs| jobs.len() == 3)
        };
        let told = app.until(&path, &curator, drafted).await;
        assert_eq!(told.text("state"), "finished");
        let counts = &told.body["counts"];
        assert_eq!(
            (
                &counts["claimed"],
                &counts["published"],
                &counts["released"]
            ),
            (&json!(39), &json!(3), &json!(11))
        );
        let topics = app.get("/api/v1/topics", &reader).await.is(200);
        let topics = topics.body["items"].as_array().unwrap().clone();
        let mut sizes: Vec<i64> = topics
            .iter()
            .filter_map(|one| one["ideas"].as_i64())
            .collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [8, 9, 11]);
        for topic in topics {
            let path = format!("/api/v1/topics/{}/posts", topic["id"].as_str().unwrap());
            let posts = app.get(&path, &reader).await.is(200);
            let posts = posts.body["items"].as_array().unwrap();
            assert_eq!((posts.len(), &posts[0]["author_id"]), (1, &Value::Null));
        }
        app.until_status(round, &curator, "succeeded").await;
        app.post(ROUNDS, &curator, &json!({})).await.is(202);
    })
    .await;
}

#[tokio::test]
async fn a_round_without_ideas_or_with_too_few_alike_is_empty() {
    on_each(async |app| {
        let curator = app.person(&["curator"]);
        app.work();
        for (texts, note) in [
            (vec![], "no live submissions"),
            (vec!["A ferry.", "Fewer leaf blowers!"], "no clusters"),
        ] {
            if !texts.is_empty() {
                seeded(app, &curator, &texts).await;
            }
            let request = app.request(Method::POST, ROUNDS, Some(&curator));
            let request = request.header("prefer", "wait=30");
            let job = app.send(request.json(&json!({}))).await.is(200);
            assert_eq!(job.text("status"), "succeeded");
            let path = format!("{ROUNDS}/{}", job.id());
            let round = app.get(&path, &curator).await.is(200);
            assert_eq!(
                (round.text("state"), round.text("note")),
                ("empty".to_owned(), note.to_owned())
            );
            let claimed = round.body["counts"]["claimed"].as_u64();
            assert_eq!(claimed, Some(texts.len() as u64));
            assert_eq!(round.body["counts"]["released"].as_u64(), claimed);
        }
    })
    .await;
}
