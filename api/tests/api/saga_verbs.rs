//! One saga in an operator's hands: held, let go on, a step of it tried again or skipped.

use crate::support::{Answer, App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

fn path(saga: Uuid, verb: &str) -> String {
    format!("/api/v1/admin/sagas/{saga}/{verb}")
}

async fn told(app: &App, by: &Person, saga: Uuid) -> Value {
    let told = app.get(&format!("/api/v1/admin/sagas/{saga}"), by).await;
    told.is(200).body
}

async fn audit(app: &App, by: &Person, target: &str) -> Vec<Value> {
    let page = app
        .get(&format!("/api/v1/admin/audit?target={target}"), by)
        .await;
    page.is(200).body["items"].as_array().unwrap().clone()
}

/// Waits until a saga is so, as an operator sees it.
async fn until(app: &App, by: &Person, saga: Uuid, so: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/api/v1/admin/sagas/{saga}");
    app.until(&path, by, |answer| so(&answer.body)).await.body
}

/// Whoever works has had time for everything that was there before.
async fn meanwhile(app: &App, me: &Person) {
    let other = app.start("demo.pair", me).await;
    app.until_status(other, me, "succeeded").await;
}

fn email(person: &Person) -> String {
    format!("{}@example.org", person.account.simple())
}

fn pointer(answer: Answer) -> Value {
    let answer = answer.is_problem(422, "validation_failed");
    answer.body["errors"][0]["pointer"].clone()
}

#[tokio::test]
async fn a_paused_saga_is_left_alone_until_it_goes_on() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let saga = app.start("demo.gate", &me).await;
        let pause = path(saga, "pause");
        let body = json!({"reason": "the owner called"});
        app.post(&pause, &me, &body)
            .await
            .is_problem(403, "forbidden");
        assert_eq!(pointer(app.post(&pause, &ana, &json!({})).await), "/reason");
        let all = (0..5).map(|_| app.post(&pause, &ana, &body));
        let mut paused = vec![];
        for answer in futures_util::future::join_all(all).await {
            if answer.status == 202 {
                paused.push(answer);
                continue;
            }
            let late = answer.is_problem(409, "state_conflict");
            assert_eq!(late.text("decided_by"), email(&ana));
            late.text("decided_at");
        }
        assert_eq!(paused.len(), 1);
        let consequence = &paused[0].body["consequence"];
        assert_eq!(consequence["held"], json!(["demo.pass#1"]));
        assert_eq!(consequence["runs"], json!([]));

        app.gate.open();
        app.work();
        meanwhile(app, &me).await;
        assert!(app.store.sweep().await.unwrap().tickets.is_empty());
        let seen = told(app, &ana, saga).await;
        assert_eq!(seen["state"], "paused");
        let step = &seen["steps"][0];
        assert_eq!(
            (&step["attempt"], &step["wake_at"]),
            (&json!(0), &Value::Null)
        );
        let why = &seen["why"][0];
        assert_eq!(why["code"], "paused");
        let words = why["message"].as_str().unwrap();
        assert!(
            words.contains("the owner called") && words.contains(&email(&ana)),
            "{words}"
        );
        assert_eq!(seen["links"]["resume"], path(saga, "resume"));
        app.until_status(saga, &me, "paused").await;
        let found = app.get("/api/v1/admin/sagas?state=paused", &ana).await;
        assert_eq!(found.is(200).body["items"][0]["id"], json!(saga));
        assert!(app.store.abandoned().await.unwrap().is_empty());

        let resume = path(saga, "resume");
        let resumed = app.post(&resume, &ana, &json!({})).await.is(202);
        assert_eq!(resumed.body["consequence"]["runs"], json!(["demo.pass#1"]));
        app.until_status(saga, &me, "succeeded").await;
        app.post(&resume, &ana, &json!({}))
            .await
            .is_problem(409, "job_finished");
        let verbs: Vec<_> = audit(app, &ana, &saga.to_string()).await;
        let verbs: Vec<_> = verbs.iter().map(|one| &one["verb"]).collect();
        assert_eq!(verbs, ["saga.resume", "saga.pause"], "each once");
        let nobody = path(Uuid::now_v7(), "pause");
        app.post(&nobody, &ana, &body)
            .await
            .is_problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_pause_lets_finish_what_runs_and_begins_nothing() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let saga = app.start("demo.visit", &me).await;
        until(app, &ana, saga, |told| {
            told["steps"][0]["state"] == "leased"
        })
        .await;
        assert!(told(app, &ana, saga).await["deadline_at"].is_string());
        let body = json!({"reason": "wait"});
        app.post(&path(saga, "pause"), &ana, &body).await.is(202);
        app.gate.open();
        until(app, &ana, saga, |told| told["steps"][0]["state"] == "done").await;
        meanwhile(app, &me).await;
        let seen = told(app, &ana, saga).await;
        assert_eq!(seen["state"], "paused");
        assert_eq!(
            seen["steps"].as_array().unwrap().len(),
            1,
            "nothing further"
        );
        assert_eq!(seen["deadline_at"], Value::Null, "nobody is late meanwhile");
        let once = json!({"reason": "go on"});
        let send = async || {
            let request = app.request(Method::POST, &path(saga, "resume"), Some(&ana));
            let request = request.header("idempotency-key", "once").json(&once);
            app.send(request).await
        };
        let first = send().await.is(202);
        app.until_status(saga, &me, "succeeded").await;
        assert_eq!(send().await.is(202).body, first.body);
        let steps = told(app, &ana, saga).await["steps"].clone();
        let attempts: Vec<_> = steps.as_array().unwrap().iter().collect();
        assert!(attempts.iter().all(|step| step["attempt"] == 1), "{steps}");

        let other = app.start("demo.patient", &me).await;
        app.until_status(other, &me, "waiting").await;
        app.post(&path(other, "pause"), &ana, &body).await.is(202);
        let cancel = path(other, "cancel");
        app.post(&cancel, &ana, &body).await.is(202);
        app.until_status(other, &me, "canceled").await;
    })
    .await;
}

#[tokio::test]
async fn a_step_is_tried_again_before_its_time() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let saga = app.start("demo.spare", &me).await;
        until(app, &ana, saga, |told| {
            told["steps"][0]["state"] == "retrying"
        })
        .await;
        let retry = path(saga, "retry-step");
        let before = told(app, &ana, saga).await;
        let look = json!({"step": "demo.knock#1", "dry_run": true});
        let look = app.post(&retry, &ana, &look).await.is(200).body;
        assert_eq!(look["dry_run"], true);
        assert_eq!(look["consequence"]["runs"], json!(["demo.knock#1"]));
        assert_eq!(told(app, &ana, saga).await["events"], before["events"]);
        assert!(audit(app, &ana, &saga.to_string()).await.is_empty());
        let odd = app.post(&retry, &ana, &json!({"step": "odd#1"})).await;
        assert_eq!(pointer(odd), "/step");

        app.gate.open();
        let body = json!({"reason": "it is open"});
        app.post(&retry, &ana, &body).await.is(202);
        app.until_status(saga, &me, "succeeded").await;
        let decided = audit(app, &ana, &saga.to_string()).await;
        assert_eq!(decided[0]["verb"], "saga.retry_step");
        assert_eq!(decided[0]["detail"]["step"], "demo.knock#1");
        app.post(&retry, &ana, &body)
            .await
            .is_problem(409, "job_finished");
    })
    .await;
}

#[tokio::test]
async fn a_retried_step_that_gave_up_takes_its_letter_along() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let saga = app.start("demo.gate", &me).await;
        let parked = app.until_status(saga, &me, "parked").await;
        let letter = parked.text("dead_letter");
        app.gate.open();
        let body = json!({"reason": "it is open"});
        let retry = path(saga, "retry-step");
        let (one, two) = tokio::join!(app.post(&retry, &ana, &body), app.post(&retry, &ana, &body));
        let statuses = [one.status.as_u16(), two.status.as_u16()];
        assert!(
            statuses.contains(&202) && statuses != [202, 202],
            "{one:?} {two:?}"
        );
        app.until_status(saga, &me, "succeeded").await;
        let letter = format!("/api/v1/admin/dead-letters/{letter}");
        let letter = app.get(&letter, &ana).await.is(200).body;
        assert_eq!(
            (&letter["state"], &letter["reason"]),
            (&json!("replayed"), &json!("it is open"))
        );
    })
    .await;
}

#[tokio::test]
async fn an_optional_step_is_done_without() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let saga = app.start("demo.spare", &me).await;
        until(app, &ana, saga, |told| {
            told["steps"][0]["state"] == "retrying"
        })
        .await;
        let skip = path(saga, "skip-step");
        assert_eq!(pointer(app.post(&skip, &ana, &json!({})).await), "/reason");
        let body = json!({"reason": "nobody needs it"});
        app.post(&skip, &ana, &body).await.is(202);
        let done = app.until_status(saga, &me, "succeeded").await;
        assert_eq!(done.body["degraded"], true);
        assert_eq!(
            done.body["result"],
            "skipped: an operator had the saga do without it"
        );
        let events = app
            .get(&path(saga, "events?limit=100"), &ana)
            .await
            .is(200)
            .body;
        let items = events["items"].as_array().unwrap();
        let skipped = items
            .iter()
            .find(|event| event["name"] == "step.skipped")
            .unwrap();
        assert_eq!(skipped["step"], "demo.knock#1");
        assert_eq!(skipped["data"]["by"], email(&ana));
        let events = app.get(&format!("/api/v1/jobs/{saga}/events"), &me).await;
        let events = events.is(200).body.to_string();
        assert!(
            events.contains("step.skipped") && !events.contains("example.org"),
            "{events}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_step_that_is_needed_is_answered_for_with_its_own_type_and_force() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let saga = app.start("demo.gate", &me).await;
        let parked = app.until_status(saga, &me, "parked").await;
        let before = told(app, &ana, saga).await;
        let skip = path(saga, "skip-step");
        let send = async |body: Value| {
            let mut body = body;
            body["reason"] = json!("the guard let it in by hand");
            app.post(&skip, &ana, &body).await
        };
        assert_eq!(pointer(send(json!({})).await), "/force");
        assert_eq!(pointer(send(json!({"output": "in"})).await), "/force");
        assert_eq!(pointer(send(json!({"force": true})).await), "/output");
        let wrong = send(json!({"force": true, "output": 7})).await;
        let words = wrong.text("detail");
        assert!(words.contains("expected a string"), "{words}");
        assert_eq!(pointer(wrong), "/output");
        let look = send(json!({"force": true, "output": "in", "dry_run": true})).await;
        assert_eq!(
            look.is(200).body["consequence"]["runs"],
            json!(["demo.pass#2"])
        );
        assert_eq!(told(app, &ana, saga).await["events"], before["events"]);

        app.gate.open();
        send(json!({"force": true, "output": "in"})).await.is(202);
        app.until_status(saga, &me, "succeeded").await;
        let after = told(app, &ana, saga).await;
        let admin = app.person(&["admin"]);
        assert_eq!(told(app, &admin, saga).await["steps"][0]["output"], "in");
        assert_eq!(after["letters"][0]["id"], parked.body["dead_letter"]);
        assert_eq!(after["letters"][0]["state"], "skipped");
        let decided = audit(app, &ana, &saga.to_string()).await;
        assert_eq!(decided[0]["detail"]["forced"], true);
    })
    .await;
}
