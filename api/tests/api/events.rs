//! A job's history: as a list, and as it happens.

use crate::frames::Frames;
use crate::support::{App, Person, on_each};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use uuid::Uuid;

async fn open(app: &App, job: Uuid, by: &Person, after: Option<i64>) -> Response {
    let path = format!("/api/v1/jobs/{job}/events");
    let request = app
        .request(Method::GET, &path, Some(by))
        .header("accept", "text/event-stream");
    let request = match after {
        Some(after) => request.header("last-event-id", after),
        None => request,
    };
    app.settle().await;
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_history_is_listed_without_gaps() {
    on_each(async |app| {
        app.work();
        let me = app.person(&["member"]);
        let job = app.start("demo.pair", &me).await;
        app.until_status(job, &me, "succeeded").await;
        let path = format!("/api/v1/jobs/{job}/events");
        let all = app.get(&path, &me).await.is(200);
        let ids: Vec<i64> = all.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_i64().unwrap())
            .collect();
        assert_eq!(
            ids,
            (1..=i64::try_from(ids.len()).unwrap()).collect::<Vec<_>>()
        );
        assert_eq!(all.body["items"][0]["name"], "saga.queued");
        assert!(
            !all.body.to_string().contains("\"worker\""),
            "machines are not told: {all:#?}"
        );
        let mut paged = vec![];
        let mut after = "0".to_owned();
        loop {
            let page = app
                .get(&format!("{path}?limit=2&starting_after={after}"), &me)
                .await
                .is(200);
            paged.extend(page.body["items"].as_array().unwrap().clone());
            match page.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => break,
            }
        }
        assert_eq!(json!(paged), all.body["items"]);
    })
    .await;
}

#[tokio::test]
async fn a_story_is_told_as_it_happens_and_ends() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let job = app.start("demo.pair", &me).await;
        let mut frames = Frames::of(open(app, job, &me, None).await);
        let first = frames.next().await.unwrap();
        assert_eq!(
            (first.event.as_str(), first.id, &first.data["status"]),
            ("job.snapshot", None, &json!("queued"))
        );
        app.work();
        let told = frames.rest().await;
        let ids: Vec<i64> = told.iter().filter_map(|frame| frame.id).collect();
        assert_eq!(
            ids,
            (1..=i64::try_from(ids.len()).unwrap()).collect::<Vec<_>>()
        );
        let last = told.last().unwrap();
        assert_eq!(
            (last.event.as_str(), &last.data["name"]),
            ("saga.succeeded", &json!("saga.succeeded"))
        );
        let gone = open(app, job, &me, last.id).await;
        assert_eq!(gone.status(), 204);
        let late = Frames::of(open(app, job, &me, None).await).rest().await;
        assert_eq!(
            late.iter().filter_map(|frame| frame.id).collect::<Vec<_>>(),
            ids
        );
        assert_eq!(late[0].data["status"], "succeeded");
    })
    .await;
}

#[tokio::test]
async fn a_broken_stream_is_taken_up_where_it_broke() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let job = app.start("demo.gate", &me).await;
        app.work();
        let (mut seen, mut last, mut broken) = (vec![], None, 0);
        // Broken after every single event; the gate opens on the way.
        'story: loop {
            let response = open(app, job, &me, last).await;
            if response.status() == 204 {
                break;
            }
            let mut frames = Frames::of(response);
            assert_eq!(frames.next().await.unwrap().event, "job.snapshot");
            loop {
                let Some(frame) = frames.next().await else {
                    continue 'story;
                };
                let Some(id) = frame.id else { continue };
                (last, broken) = (Some(id), broken + 1);
                if frame.event == "saga.parked" {
                    app.gate.open();
                    let letter = app
                        .until_status(job, &me, "parked")
                        .await
                        .text("dead_letter");
                    let path = format!("/api/v1/admin/dead-letters/{letter}/replay");
                    app.post(
                        &path,
                        &app.person(&["operator"]),
                        &json!({"reason": "open now"}),
                    )
                    .await
                    .is(202);
                }
                seen.push((id, frame.event));
                continue 'story;
            }
        }
        let ids: Vec<i64> = seen.iter().map(|(id, _)| *id).collect();
        assert_eq!(
            ids,
            (1..=broken).collect::<Vec<_>>(),
            "no gap, no double: {seen:?}"
        );
        assert_eq!(seen.last().unwrap().1, "saga.succeeded");
    })
    .await;
}

#[tokio::test]
async fn news_from_outside_reaches_who_listens() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let job = app.start("demo.patient", &me).await;
        let mut streams = vec![];
        for _ in 0..20 {
            streams.push(Frames::of(open(app, job, &me, None).await));
        }
        app.store
            .signal(job, "demo.news", Value::Null)
            .await
            .unwrap();
        for stream in streams {
            assert_eq!(stream.rest().await.last().unwrap().event, "saga.succeeded");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_stops_says_when_to_come_again() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let job = app.start("demo.patient", &me).await;
        let mut frames = Frames::of(open(app, job, &me, None).await);
        while frames.next().await.unwrap().event != "saga.phase" {}
        let wait = app
            .request(Method::GET, &format!("/api/v1/jobs/{job}"), Some(&me))
            .header("prefer", "wait=30");
        let waiting = tokio::spawn(app.send(wait));
        app.until_status(job, &me, "waiting").await;
        app.stop_serving().await;
        let rest = frames.rest().await;
        let last = rest.last().unwrap();
        assert_eq!(
            (last.comment.as_str(), last.retry.as_str()),
            ("the server is stopping", "1000")
        );
        assert_eq!(waiting.await.unwrap().is(200).body["done"], false);
    })
    .await;
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let job = app.start("demo.patient", &me).await;
    let path = format!("/api/v1/jobs/{job}/events");
    let request = app
        .request(Method::GET, &path, Some(&me))
        .header("accept", "text/event-stream");
    app.send(request.header("last-event-id", "x"))
        .await
        .is_problem(400, "bad_parameter");
    app.get(&format!("{path}?starting_after=x"), &me)
        .await
        .is_problem(400, "bad_parameter");
    app.end().await;
}
