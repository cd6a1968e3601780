//! What becomes of accepted commands, as their callers see it.

use crate::support::{App, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const MEMBERS: [&str; 26] = [
    "attempt",
    "children",
    "created_at",
    "dead_letter",
    "deadline_at",
    "degraded",
    "done",
    "error",
    "finished_at",
    "id",
    "kind",
    "links",
    "next_attempt_at",
    "parent",
    "phase",
    "progress",
    "queue",
    "replay_of",
    "replayed_as",
    "result",
    "started_at",
    "status",
    "undoing",
    "usage",
    "waiting_for",
    "x",
];

fn members(body: &Value) -> Vec<&str> {
    body.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn a_command_is_accepted_and_told_in_the_one_envelope() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let accepted = app
            .post("/api/v1/jobs", &me, &json!({"kind": "demo.pair"}))
            .await
            .is(202);
        let job = accepted.id();
        assert_eq!(accepted.header("location"), format!("/api/v1/jobs/{job}"));
        assert_eq!(accepted.header("retry-after"), "1");
        assert!(accepted.header("etag").starts_with('"'));
        assert_eq!(members(&accepted.body), MEMBERS[..25]);
        let told = app.get(&format!("/api/v1/jobs/{job}"), &me).await.is(200);
        assert_eq!(members(&told.body), MEMBERS[..25]);
        assert_eq!(told.header("cache-control"), "private, max-age=1");
        for member in [
            "id",
            "kind",
            "status",
            "done",
            "progress",
            "created_at",
            "deadline_at",
            "attempt",
            "links",
        ] {
            assert_eq!(told.body[member], accepted.body[member], "{member}");
        }
        assert_eq!(
            (&told.body["status"], &told.body["done"]),
            (&json!("queued"), &json!(false))
        );
        assert_eq!(told.body["progress"], json!({"completed": 0, "total": 2}));
        assert_eq!(
            told.body["queue"],
            json!({"name": "synthesis", "position": 1, "eta_s": null})
        );
        assert_eq!(
            told.body["links"]["cancel"],
            format!("/api/v1/jobs/{job}/cancel")
        );
    })
    .await;
}

#[tokio::test]
async fn who_waits_is_told_the_end() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let body = json!({"kind": "demo.pair"});
        let post = |wait: &str| {
            app.request(Method::POST, "/api/v1/jobs", Some(&me))
                .header("prefer", wait)
                .json(&body)
        };
        let soon = app.send(post("wait=1")).await.is(202);
        assert_eq!(
            (soon.header("preference-applied"), &soon.body["done"]),
            ("wait=1", &json!(false))
        );
        app.work();
        let done = app.send(post("respond-async, wait=30")).await.is(200);
        assert_eq!(
            (&done.body["status"], &done.body["done"]),
            (&json!("succeeded"), &json!(true))
        );
        assert_eq!(done.body["progress"], json!({"completed": 2, "total": 2}));
        assert!(done.headers.get("retry-after").is_none());
        // What was done stays done for whoever asks next.
        let path = format!("/api/v1/jobs/{}", done.id());
        let again = app.get(&path, &me).await.is(200);
        assert_eq!(
            (again.header("etag"), &again.body),
            (done.header("etag"), &done.body)
        );
        let asked = app
            .request(
                Method::GET,
                &format!("/api/v1/jobs/{}", soon.id()),
                Some(&me),
            )
            .header("prefer", "wait=30");
        let asked = app.send(asked).await.is(200);
        assert_eq!(
            (asked.header("preference-applied"), &asked.body["done"]),
            ("wait=30", &json!(true))
        );
    })
    .await;
}

#[tokio::test]
async fn a_poll_for_what_is_known_is_answered_304() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let job = app.start("demo.patient", &me).await;
        let path = format!("/api/v1/jobs/{job}");
        let first = app.until_status(job, &me, "waiting").await;
        assert_eq!(
            first.body["waiting_for"],
            json!({"type": "signal", "name": "demo.news", "until": null})
        );
        assert_eq!(first.body["phase"], "waiting");
        let tag = first.header("etag").to_owned();
        let ask = |prefer: &str| {
            let request = app
                .request(Method::GET, &path, Some(&me))
                .header("if-none-match", &tag);
            app.send(request.header("prefer", prefer))
        };
        let known = ask("").await.is(304);
        assert_eq!(
            (known.header("etag"), known.header("retry-after")),
            (tag.as_str(), "1")
        );
        assert_eq!(
            ask("wait=1").await.is(304).header("preference-applied"),
            "wait=1"
        );
        let waiting = tokio::spawn(ask("wait=30"));
        app.store
            .signal(job, "demo.news", Value::Null)
            .await
            .unwrap();
        let news = waiting.await.unwrap().is(200);
        assert_eq!(
            (&news.body["status"], &news.body["result"]),
            (&json!("succeeded"), &json!("heard"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_parked_job_tells_its_error_and_its_letter() {
    on_each(async |app| {
        app.work();
        let me = app.person(&["member"]);
        let job = app.start("demo.gate", &me).await;
        let parked = app.until_status(job, &me, "parked").await;
        assert_eq!((&parked.body["done"], &parked.body["undoing"]), (&json!(false), &json!(false)));
        let error = json!({"code": "step_failed", "class": "transient", "message": "the gate is closed", "retryable": true});
        assert_eq!(parked.body["error"], error);
        assert!(Uuid::try_parse(parked.body["dead_letter"].as_str().unwrap()).is_ok());
        assert_eq!(parked.body["attempt"], 1);
        let canceled = app.post(&format!("/api/v1/jobs/{job}/cancel"), &me, &json!({})).await.is(200);
        assert_eq!((&canceled.body["status"], &canceled.body["dead_letter"]), (&json!("canceled"), &Value::Null));
    })
    .await;
}

#[tokio::test]
async fn a_job_is_canceled_once_and_for_all() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let queued = app.start("demo.pair", &me).await;
        let path = format!("/api/v1/jobs/{queued}/cancel");
        let canceled = app.post(&path, &me, &json!({})).await.is(200);
        assert_eq!(
            (&canceled.body["status"], &canceled.body["error"]["code"]),
            (&json!("canceled"), &json!("canceled"))
        );
        // Without a body, and twice, it is the same.
        app.send(app.request(Method::POST, &path, Some(&me)))
            .await
            .is(200);
        app.get(&format!("/api/v1/jobs/{queued}"), &me)
            .await
            .is(200)
            .text("finished_at");
        app.work();
        let done = app.start("demo.pair", &me).await;
        app.until_status(done, &me, "succeeded").await;
        app.post(&format!("/api/v1/jobs/{done}/cancel"), &me, &json!({}))
            .await
            .is_problem(409, "job_finished");
        app.post(
            &format!("/api/v1/jobs/{}/cancel", Uuid::now_v7()),
            &me,
            &json!({}),
        )
        .await
        .is_problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn jobs_are_listed_page_by_page() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let mut jobs = vec![];
        for n in 0..7 {
            jobs.push(
                app.start(
                    if n % 2 == 0 {
                        "demo.pair"
                    } else {
                        "demo.patient"
                    },
                    &me,
                )
                .await,
            );
        }
        app.start("demo.pair", &app.person(&["member"])).await;
        jobs.reverse();
        let (mut found, mut cursor): (Vec<Uuid>, _) = (vec![], String::new());
        loop {
            let page = app
                .get(&format!("/api/v1/jobs?limit=3{cursor}"), &me)
                .await
                .is(200);
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= 3);
            found.extend(
                items
                    .iter()
                    .map(|item| item["id"].as_str().unwrap().parse::<Uuid>().unwrap()),
            );
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, jobs);
        let count = async |query: &str| {
            let page = app.get(&format!("/api/v1/jobs?{query}"), &me).await.is(200);
            page.body["items"].as_array().unwrap().len()
        };
        assert_eq!(count("kind=demo.patient").await, 3);
        assert_eq!(count("status=waiting").await, 3);
        assert_eq!(count("status=queued&limit=2").await, 2);
        assert_eq!(count("status=failed").await, 0);
        let third = app
            .get(&format!("/api/v1/jobs/{}", jobs[2]), &me)
            .await
            .text("created_at");
        assert_eq!(count(&format!("created_after={third}")).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_queued_job_is_told_its_place() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let mut last = Uuid::nil();
        for _ in 0..3 {
            last = app.start("demo.pair", &me).await;
        }
        let told = app.get(&format!("/api/v1/jobs/{last}"), &me).await.is(200);
        assert_eq!(told.body["queue"]["position"], 3);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_who_poll_are_answered_from_one_look() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let job = app.start("demo.patient", &me).await;
    let path = format!("/api/v1/jobs/{job}");
    let began = Instant::now();
    let polls = (0..100).map(|_| app.get(&path, &me));
    for answer in futures_util::future::join_all(polls).await {
        answer.is(200);
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    app.end().await;
}

#[tokio::test]
async fn kinds_of_demos_are_taken_only_where_they_are_switched_on() {
    let app = App::new(None, |settings| settings.demo_kinds = false).await;
    let refused = app
        .post(
            "/api/v1/jobs",
            &app.person(&["admin"]),
            &json!({"kind": "demo.pair"}),
        )
        .await;
    assert_eq!(
        refused.is_problem(422, "validation_failed").body["errors"][0]["code"],
        "unknown_kind"
    );
    app.end().await;
}
