//! Sagas as those who run the fleet see them: found, told in full, explained, cancelled.

use crate::support::{App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const SAGAS: &str = "/api/v1/admin/sagas";

async fn search(app: &App, by: &Person, query: &str) -> Vec<Value> {
    let page = app.get(&format!("{SAGAS}{query}"), by).await.is(200);
    page.body["items"].as_array().unwrap().clone()
}

/// The first reason why a saga is where it is.
async fn why(app: &App, by: &Person, saga: Uuid) -> Value {
    let told = app.get(&format!("{SAGAS}/{saga}"), by).await.is(200);
    assert!(!told.body["why"].as_array().unwrap().is_empty());
    told.body["why"][0].clone()
}

#[tokio::test]
async fn a_saga_is_found_by_whatever_is_known_of_it() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let parked = app.start("demo.gate", &me).await;
        app.until_status(parked, &me, "parked").await;
        let request = app.request(Method::POST, "/api/v1/jobs", Some(&me));
        let request = request.header("x-request-id", "call-77");
        let patient = app.send(request.json(&json!({"kind": "demo.patient"})));
        let patient = patient.await.is(202).id();
        app.until_status(patient, &me, "waiting").await;

        let found = search(app, &ana, "").await;
        let ids: Vec<_> = found.iter().map(|saga| &saga["id"]).collect();
        assert_eq!(ids, [&json!(patient), &json!(parked)], "newest first");
        assert!(found[0]["input"].is_null(), "a list tells nobody's data");
        let account = me.account;
        for (query, saga) in [
            ("?kind=demo.gate".to_owned(), parked),
            ("?state=parked".to_owned(), parked),
            ("?text=GATE+is+closed".to_owned(), parked),
            ("?request_id=call-77".to_owned(), patient),
            ("?correlation_id=call-77".to_owned(), patient),
            (format!("?owner={account}&state=waiting"), patient),
            (format!("?owner={account}&kind=demo.patient"), patient),
            ("?state=live&older_than=0s&limit=1".to_owned(), patient),
        ] {
            let found = search(app, &ana, &query).await;
            let ids: Vec<_> = found.iter().map(|saga| &saga["id"]).collect();
            assert_eq!(ids, [&json!(saga)], "{query}");
        }
        for query in ["?older_than=1h", "?state=undone", "?text=open", "?kind=odd"] {
            assert!(search(app, &ana, query).await.is_empty(), "{query}");
        }
        let page = app.get(&format!("{SAGAS}?limit=1"), &ana).await.is(200);
        let next = page.text("next_cursor");
        let rest = app
            .get(&format!("{SAGAS}?limit=1&cursor={next}"), &ana)
            .await
            .is(200);
        assert_eq!(rest.body["items"][0]["id"], json!(parked));
        assert_eq!(rest.body["next_cursor"], Value::Null);
        for wrong in ["?older_than=soon", "?state=odd", "?owner=me", "?cursor=x"] {
            app.get(&format!("{SAGAS}{wrong}"), &ana)
                .await
                .is_problem(400, "bad_parameter");
        }
        app.get(SAGAS, &me).await.is_problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_saga_is_told_in_full() {
    on_each(async |app| {
        app.work();
        let (me, ana, admin) = (
            app.person(&["member"]),
            app.person(&["operator"]),
            app.person(&["admin"]),
        );
        let job = app.start("demo.gate", &me).await;
        app.until_status(job, &me, "parked").await;
        let path = format!("{SAGAS}/{job}");
        let told = app.get(&path, &admin).await.is(200).body;
        assert_eq!(told["owner"], json!(me.account));
        assert_eq!(
            (&told["state"], &told["input"]),
            (&json!("parked"), &json!({}))
        );
        let step = &told["steps"][0];
        assert_eq!(step["key"], "demo.pass#1");
        assert_eq!(step["error"]["message"], "the gate is closed");
        let attempts = step["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1);
        assert_eq!(
            (&attempts[0]["outcome"], &attempts[0]["class"]),
            (&json!("failed"), &json!("transient"))
        );
        assert_eq!(attempts[0]["message"], "the gate is closed");
        assert_eq!(attempts[0]["worker"], "test");
        assert!(attempts[0]["started_at"].as_str() <= attempts[0]["ended_at"].as_str());
        assert_eq!(told["letters"][0]["id"], step["letter"]);
        assert_eq!(told["calls"], json!([]));
        let hidden = app.get(&path, &ana).await.is(200).body;
        assert!(hidden["input"].is_null() && hidden["steps"][0]["input"].is_null());

        let (mut names, mut query) = (vec![], "?limit=2".to_owned());
        loop {
            let page = app.get(&format!("{path}/events{query}"), &ana).await;
            let page = page.is(200).body;
            let items = page["items"].as_array().unwrap();
            names.extend(items.iter().map(|event| event["name"].clone()));
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            query = format!("?limit=2&cursor={next}");
        }
        assert_eq!(told["events"], names.len());
        assert_eq!(names.last().unwrap(), "saga.parked");

        let letter = told["letters"][0]["id"].as_str().unwrap();
        let replay = format!("/api/v1/admin/dead-letters/{letter}/replay");
        app.gate.open();
        app.post(&replay, &ana, &json!({})).await.is(202);
        app.until_status(job, &me, "succeeded").await;
        let told = app.get(&path, &admin).await.is(200).body;
        assert_eq!(told["steps"][0]["attempts"][1]["outcome"], "succeeded");
        assert_eq!(told["output"], "passed");
        for path in [path.clone(), format!("{path}/events")] {
            app.get(&path, &me).await.is_problem(403, "forbidden");
        }
        let nobody = format!("{SAGAS}/{}", Uuid::now_v7());
        for path in [nobody.clone(), format!("{nobody}/events")] {
            app.get(&path, &ana).await.is_problem(404, "not_found");
        }
    })
    .await;
}

#[tokio::test]
async fn a_saga_says_why_it_is_where_it_is() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let gate = app.start("demo.gate", &me).await;
        let first = why(app, &ana, gate).await;
        assert_eq!(first["code"], "no_worker", "{first}");
        assert_eq!(first["queue"], "synthesis");
        assert_eq!(first["remedy"], "Start a worker: chorus worker synthesis.");
        app.work();
        app.until_status(gate, &me, "parked").await;
        let parked = why(app, &ana, gate).await;
        assert_eq!(parked["code"], "parked");
        let letter = parked["letter"].as_str().unwrap();
        assert!(parked["remedy"].as_str().unwrap().contains(letter));
        assert!(parked["until"].is_string());
        let patient = app.start("demo.patient", &me).await;
        app.until_status(patient, &me, "waiting").await;
        let waiting = why(app, &ana, patient).await;
        assert_eq!(waiting["code"], "waiting_for_signal");
        app.gate.open();
        let passed = app.start("demo.gate", &me).await;
        app.until_status(passed, &me, "succeeded").await;
        assert_eq!(why(app, &ana, passed).await["code"], "finished");
    })
    .await;
}

#[tokio::test]
async fn an_operator_cancels_and_says_why() {
    on_each(async |app| {
        app.work();
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let job = app.start("demo.patient", &me).await;
        app.until_status(job, &me, "waiting").await;
        let path = format!("{SAGAS}/{job}/cancel");
        let body = json!({"reason": "a duplicate"});
        app.post(&path, &me, &body)
            .await
            .is_problem(403, "forbidden");
        let silent = app.post(&path, &ana, &json!({"reason": " "})).await;
        let silent = silent.is_problem(422, "validation_failed");
        assert_eq!(silent.body["errors"][0]["pointer"], "/reason");
        let send = async || {
            let request = app.request(Method::POST, &path, Some(&ana)).json(&body);
            app.send(request.header("idempotency-key", "once")).await
        };
        let told = send().await.is(202);
        assert_eq!(told.body["reason"], "a duplicate");
        let canceled = app.until_status(job, &me, "canceled").await;
        let error = canceled.body["error"]["message"].as_str().unwrap();
        assert_eq!(error, "canceled by an operator", "an owner is not told who");
        assert_eq!(send().await.is(202).body, told.body);
        app.post(&path, &ana, &body)
            .await
            .is_problem(409, "job_finished");
        let lost = app.request(Method::POST, &path, Some(&ana)).json(&body);
        let lost = app.send(lost.header("idempotency-key", "lost")).await;
        assert_eq!(lost.is(202).body["state"], "undone");
        let nobody = format!("{SAGAS}/{}/cancel", Uuid::now_v7());
        app.post(&nobody, &ana, &body)
            .await
            .is_problem(404, "not_found");
        let audit = format!("/api/v1/admin/audit?target={job}");
        let audit = app.get(&audit, &ana).await.is(200).body;
        let items = audit["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "once: {audit}");
        assert_eq!(
            (&items[0]["verb"], &items[0]["reason"]),
            (&json!("saga.cancel"), &json!("a duplicate"))
        );
        let who = format!("{}@example.org", ana.account.simple());
        assert_eq!(items[0]["actor"], who);
    })
    .await;
}
