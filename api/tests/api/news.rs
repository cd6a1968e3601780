//! The stream of what happens: soon, without gaps, and to nobody who may not know.

use crate::frames::{Frame, Frames};
use crate::rounds::{claimed, clustered, finished, published};
use crate::submissions::submit;
use crate::support::{App, Person, on_each};
use crate::topics::topic;
use reqwest::{Method, Response};
use serde_json::json;
use std::time::{Duration, Instant};

const STREAM: &str = "/api/v1/events/stream";
/// Long enough for any machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(30);

async fn ask(app: &App, by: &Person, about: &str, after: Option<i64>) -> Response {
    let request = app.request(Method::GET, &format!("{STREAM}{about}"), Some(by));
    let request = match after {
        Some(after) => request.header("last-event-id", after),
        None => request,
    };
    app.settle().await;
    request.send().await.unwrap()
}

/// An open stream, and the id that it begins after.
async fn open(app: &App, by: &Person, about: &str, after: Option<i64>) -> (Frames, i64) {
    let mut frames = Frames::of(ask(app, by, about, after).await);
    let first = frames.next().await.unwrap();
    assert_eq!(first.event, "stream.opened");
    (frames, first.id.unwrap())
}

/// The next event that is not only a comment.
async fn next(frames: &mut Frames) -> Frame {
    let told = async {
        loop {
            let frame = frames.next().await.expect("the stream goes on");
            if frame.id.is_some() {
                return frame;
            }
        }
    };
    tokio::time::timeout(PATIENCE, told)
        .await
        .expect("something is told")
}

#[tokio::test]
async fn a_published_topic_reaches_an_open_stream_within_a_second() {
    on_each(async |app| {
        let reader = app.person(&["client"]);
        let (mut frames, _) = open(app, &reader, "?topics=topic", None).await;
        for text in ["Later buses", "Later trams"] {
            submit(app, &app.person(&["member"]), text).await.is(201);
        }
        let round = claimed(app, false).await;
        let cluster = clustered(app, round).await;
        let began = Instant::now();
        let topic = published(app, round, cluster).await;
        let told = next(&mut frames).await;
        let took = began.elapsed();
        assert_eq!(told.event, "topic.published");
        assert_eq!(
            (&told.data["entity_id"], &told.data["data"]["topic_id"]),
            (&json!(topic), &json!(topic))
        );
        assert!(told.data["data"]["title"].as_str().unwrap().ends_with('?'));
        assert!(took < Duration::from_secs(1), "{took:?}");
    })
    .await;
}

#[tokio::test]
async fn each_is_told_what_it_may_know_and_nothing_else() {
    on_each(async |app| {
        let (author, other) = (app.person(&["member"]), app.person(&["member"]));
        let (curator, operator) = (app.person(&["curator"]), app.person(&["operator"]));
        let mine = submit(app, &author, "canary-idea").await.is(201).text("id");
        submit(app, &other, "Another").await.is(201);
        let round = claimed(app, false).await;
        let cluster = clustered(app, round).await;
        let topic = published(app, round, cluster).await;
        finished(app, round).await;
        let path = format!("/api/v1/topics/{topic}/posts");
        app.post(&path, &other, &json!({"body": "canary-post"}))
            .await
            .is(201);
        let heard = async |by: &Person, until: &str| {
            let (mut frames, from) = open(app, by, "", Some(0)).await;
            assert_eq!(from, 0);
            let mut told = vec![];
            loop {
                let frame = next(&mut frames).await;
                let plain = frame.data.to_string();
                assert!(!plain.contains("canary"), "{plain}");
                let last = frame.event == until;
                told.push((frame.event, frame.data["entity_id"].clone()));
                if last {
                    return told;
                }
            }
        };
        let (id, topic, round) = (json!(mine), json!(topic), json!(round));
        let event = |name: &str, id: &serde_json::Value| (name.to_owned(), id.clone());
        assert_eq!(
            heard(&author, "topic.post_added").await,
            [
                event("submission.created", &id),
                event("submission.archived", &id),
                event("topic.published", &topic),
                event("topic.post_added", &topic),
            ]
        );
        assert_eq!(
            heard(&curator, "topic.post_added").await,
            [
                event("round.started", &round),
                event("round.clustered", &round),
                event("topic.published", &topic),
                event("round.finished", &round),
                event("topic.post_added", &topic),
            ]
        );
        // An operator reads nobody's data; a stream of their own says nothing, and goes on.
        let (mut silent, _) = open(app, &operator, "", Some(0)).await;
        let nothing = tokio::time::timeout(Duration::from_millis(400), silent.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_broke_is_taken_up_without_gap_or_double() {
    on_each(async |app| {
        let reader = app.person(&["member"]);
        let (_, mut last) = open(app, &reader, "", None).await;
        let (topic, writer) = (topic(app).await, app.person(&["member"]));
        let path = format!("/api/v1/topics/{topic}/posts");
        for words in 0..4 {
            app.post(&path, &writer, &json!({"body": format!("{words}")}))
                .await
                .is(201);
        }
        let mut told = vec![];
        while told.len() < 5 {
            let (mut frames, from) = open(app, &reader, "", Some(last)).await;
            assert_eq!(from, last);
            let frame = next(&mut frames).await;
            assert!(frame.id.unwrap() > last);
            last = frame.id.unwrap();
            told.push(frame.event);
        }
        let posts = ["topic.post_added"; 4];
        assert_eq!(told, [&["topic.published"], posts.as_slice()].concat());
        let beyond = open(app, &reader, "", Some(last + 1_000)).await.1;
        assert!(beyond <= last, "numbers of another store begin anew");
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_back_is_not_told_to_whoever_comes_late() {
    on_each(async |app| {
        let (reader, curator) = (app.person(&["member"]), app.person(&["curator"]));
        let topic = topic(app).await;
        let path = format!("/api/v1/topics/{topic}/retract");
        app.post(&path, &curator, &json!({})).await.is(200);
        let about = format!("?topics=topic:{topic}");
        let (mut frames, _) = open(app, &reader, &about, Some(0)).await;
        let published = next(&mut frames).await;
        assert_eq!(
            (published.event.as_str(), &published.data["data"]),
            ("topic.published", &json!({}))
        );
        assert_eq!(next(&mut frames).await.event, "topic.retracted");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_listened_to_is_refused() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    for about in ["?topics=persona", "?topics=topic:1", "?about=topic"] {
        let path = format!("{STREAM}{about}");
        app.get(&path, &me).await.is_problem(400, "bad_parameter");
    }
    let request = app.request(Method::GET, STREAM, Some(&me));
    let refused = app.send(request.header("last-event-id", "x")).await;
    refused.is_problem(400, "bad_parameter");
    let (frames, _) = open(&app, &me, "", None).await;
    app.stop_serving().await;
    let rest = frames.rest().await;
    assert_eq!(rest.last().unwrap().comment, "the server is stopping");
    app.end().await;
}
