//! The same command twice is one command.

use crate::support::{Answer, App, Person, on_each};
use reqwest::Method;
use saga_core::db::{Durability, Sql};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn keyed(
    app: &App,
    path: &str,
    by: &Person,
    key: &str,
    body: &Value,
) -> impl Future<Output = Answer> + Send + use<> {
    app.send(
        app.request(Method::POST, path, Some(by))
            .header("idempotency-key", key)
            .json(body),
    )
}

#[tokio::test]
async fn the_same_key_is_the_same_job() {
    on_each(async |app| {
        let (me, other) = (app.person(&["member"]), app.person(&["member"]));
        let body = json!({"kind": "demo.pair"});
        let first = keyed(app, "/api/v1/jobs", &me, "k-1", &body).await.is(202);
        assert!(first.headers.get("idempotency-replayed").is_none());
        let again = keyed(app, "/api/v1/jobs", &me, "\"k-1\"", &body)
            .await
            .is(202);
        assert_eq!(
            (again.id(), again.header("idempotency-replayed")),
            (first.id(), "true")
        );
        assert_eq!(again.header("location"), first.header("location"));
        let changed = keyed(
            app,
            "/api/v1/jobs",
            &me,
            "k-1",
            &json!({"kind": "demo.relay"}),
        )
        .await;
        changed.is_problem(422, "idempotency_key_reused");
        let theirs = keyed(app, "/api/v1/jobs", &other, "k-1", &body)
            .await
            .is(202);
        assert_ne!(theirs.id(), first.id());
        let elsewhere = keyed(app, "/api/v1/surveys", &me, "k-1", &json!({}))
            .await
            .is(201);
        assert!(elsewhere.headers.get("idempotency-replayed").is_none());
        app.work();
        let wait = app
            .request(Method::POST, "/api/v1/jobs", Some(&me))
            .header("idempotency-key", "k-1");
        let done = app
            .send(wait.header("prefer", "wait=30").json(&body))
            .await
            .is(200);
        assert_eq!((done.id(), &done.body["done"]), (first.id(), &json!(true)));
    })
    .await;
}

#[tokio::test]
async fn what_is_a_day_old_is_forgotten() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let body = json!({"kind": "demo.pair"});
        keyed(app, "/api/v1/jobs", &me, "old", &body).await.is(202);
        let aged = Sql {
            postgres: "UPDATE idempotency_keys SET created_at = created_at - INTERVAL '25 hours'",
            sqlite: "UPDATE idempotency_keys SET created_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', created_at, '-25 hours')",
        };
        app.store.db().query(aged).execute().await.unwrap();
        keyed(app, "/api/v1/jobs", &me, "new", &body).await.is(202);
        drop(app.serve_again().await);
        let began = std::time::Instant::now();
        loop {
            let query = app.store.db().query("SELECT key FROM idempotency_keys");
            let kept: Vec<(String,)> = query.all().await.unwrap();
            if kept == [("new".to_owned(),)] {
                break;
            }
            assert!(began.elapsed().as_secs() < 30, "still kept: {kept:?}");
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_refused_is_not_kept() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        keyed(app, "/api/v1/jobs", &me, "k", &json!({"kind": "odd"}))
            .await
            .is(422);
        keyed(
            app,
            "/api/v1/jobs",
            &me,
            "k",
            &json!({"kind": "demo.pair", "input": {"x": 1}}),
        )
        .await
        .is(422);
        keyed(app, "/api/v1/jobs", &me, "k", &json!({"kind": "demo.pair"}))
            .await
            .is(202);
        for bad in ["", "\"\"", &"x".repeat(256)] {
            let refused = keyed(app, "/api/v1/jobs", &me, bad, &json!({"kind": "demo.pair"})).await;
            refused.is_problem(400, "bad_parameter");
        }
    })
    .await;
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let body = json!({"kind": "demo.patient"});
        let all = (0..10).map(|_| keyed(app, "/api/v1/jobs", &me, "race", &body));
        let (mut jobs, mut fresh) = (BTreeSet::new(), 0);
        for answer in futures_util::future::join_all(all).await {
            if answer.status == 409 {
                assert_eq!(answer.header("retry-after"), "1");
                answer.is_problem(409, "idempotency_in_progress");
                continue;
            }
            fresh += usize::from(answer.headers.get("idempotency-replayed").is_none());
            jobs.insert(answer.is(202).id());
        }
        assert_eq!((jobs.len(), fresh), (1, 1));
        let listed = app.get("/api/v1/jobs", &me).await.is(200);
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_command_under_way_is_not_begun_again() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        app.settle().await;
        // Nobody can keep an answer while this transaction is open.
        let mut held = app.store.db().begin(Durability::Full).await.unwrap();
        let lock = Sql {
            postgres: "LOCK TABLE idempotency_keys IN ACCESS EXCLUSIVE MODE",
            sqlite: "SELECT 1",
        };
        held.query(lock).execute().await.unwrap();
        let body = json!({"kind": "demo.pair"});
        let (one, two) = (
            keyed(app, "/api/v1/jobs", &me, "k", &body),
            keyed(app, "/api/v1/jobs", &me, "k", &body),
        );
        let (first, _, mut rest) =
            futures_util::future::select_all([Box::pin(one), Box::pin(two)]).await;
        let refused = first.is_problem(409, "idempotency_in_progress");
        assert_eq!(
            (refused.header("retry-after"), &refused.body["retryable"]),
            ("1", &json!(true))
        );
        drop(held);
        let other = rest.pop().unwrap();
        other.await.is(202);
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_answered_again_though_the_survey_has_ended() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let survey = crate::mirror::survey(app, &me).await;
        let path = format!("/api/v1/surveys/{survey}/responses");
        let respond = |friend: &str| {
            let request = app
                .request(Method::POST, &path, None)
                .header("idempotency-key", "mine");
            let body = json!({"answers": crate::support::answers(), "fingerprint": friend});
            app.send(request.json(&body))
        };
        let mut first = vec![];
        for friend in ["a", "b", "c"] {
            first.push(respond(friend).await.is(201));
        }
        app.work();
        app.until("/api/v1/personas/me", &me, |answer| {
            answer.body["status"] == "ready"
        })
        .await;
        let again = respond("c").await.is(201);
        assert_eq!(
            (&again.body, again.header("idempotency-replayed")),
            (&first[2].body, "true")
        );
        let status = app
            .get(&format!("/api/v1/surveys/{survey}/status"), &me)
            .await;
        assert_eq!(status.body["response_count"], 3);
        respond("d").await.is_problem(410, "survey_closed");
        respond("d").await.is_problem(410, "survey_closed");
    })
    .await;
}

#[tokio::test]
async fn every_command_honours_its_key() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let made = keyed(app, "/api/v1/surveys", &me, "s", &json!({"title": "Us"}))
            .await
            .is(201);
        let again = keyed(app, "/api/v1/surveys", &me, "s", &json!({"title": "Us"}))
            .await
            .is(201);
        assert_eq!(
            (&again.body, again.header("idempotency-replayed")),
            (&made.body, "true")
        );
        assert_eq!(again.header("location"), made.header("location"));
        let survey = made.text("survey_id");
        let path = format!("/api/v1/surveys/{survey}/responses");
        let answers = json!({"answers": crate::support::answers()});
        let respond = || {
            let request = app
                .request(Method::POST, &path, None)
                .header("idempotency-key", "r");
            app.send(request.json(&answers))
        };
        let first = respond().await.is(201);
        let again = respond().await.is(201);
        assert_eq!(
            (&again.body, again.header("idempotency-replayed")),
            (&first.body, "true")
        );
        let close = format!("/api/v1/surveys/{survey}/close");
        keyed(app, &close, &me, "c", &json!({})).await.is(200);
        assert_eq!(
            keyed(app, &close, &me, "c", &json!({}))
                .await
                .is(200)
                .header("idempotency-replayed"),
            "true"
        );
        let job = app.start("demo.patient", &me).await;
        let cancel = format!("/api/v1/jobs/{job}/cancel");
        keyed(app, &cancel, &me, "x", &json!({})).await.is(200);
        assert_eq!(
            keyed(app, &cancel, &me, "x", &json!({}))
                .await
                .is(200)
                .header("idempotency-replayed"),
            "true"
        );
    })
    .await;
}

/// Asks twice under one key, and then for something else under it; says what was answered first.
async fn twice(app: &App, path: &str, by: &Person, body: &Value) -> Answer {
    let first = keyed(app, path, by, "mine", body).await;
    assert!(first.status.is_success(), "{path}: {first:#?}");
    let again = keyed(app, path, by, "mine", body).await;
    assert_eq!(
        (again.status, &again.body),
        (first.status, &first.body),
        "{path}"
    );
    assert_eq!(again.header("idempotency-replayed"), "true", "{path}");
    let mut other = body.clone();
    other["reason"] = json!("another");
    let other = keyed(app, path, by, "mine", &other).await;
    other.is_problem(422, "idempotency_key_reused");
    first
}

#[tokio::test]
async fn every_decision_of_an_operator_honours_its_key() {
    on_each(async |app| {
        app.work();
        let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
        let body = json!({"reason": "a test"});
        for verb in ["pause", "resume"] {
            twice(app, &format!("/api/v1/admin/queues/delivery/{verb}"), &admin, &body).await;
        }
        let job = app.start("demo.patient", &me).await;
        for verb in ["pause", "resume", "cancel"] {
            let path = format!("/api/v1/admin/sagas/{job}/{verb}");
            keyed(app, &path, &admin, "mine", &body).await;
            let again = keyed(app, &path, &admin, "mine", &body).await;
            assert_eq!(again.header("idempotency-replayed"), "true", "{path}: {again:#?}");
        }
        let mut parked = vec![];
        for _ in 0..3 {
            let job = app.start("demo.gate", &me).await;
            app.until_status(job, &me, "parked").await;
            parked.push(job);
        }
        let letters = app.get("/api/v1/admin/dead-letters", &admin).await.is(200);
        let letters = letters.body["items"].as_array().unwrap().clone();
        let letter = |at: usize| {
            let id = letters[at]["id"].as_str().unwrap();
            format!("/api/v1/admin/dead-letters/{id}")
        };
        twice(app, &format!("{}/discard", letter(0)), &admin, &body).await;
        twice(app, &format!("{}/replay", letter(1)), &admin, &body).await;
        let slow = json!({"select": {"kind": "demo.gate"}, "rate_per_s": 0.01, "canary": 0, "reason": "x"});
        let begun = keyed(app, "/api/v1/admin/replays", &admin, "mine", &slow).await.is(202);
        let path = begun.header("location").to_owned();
        for verb in ["pause", "resume", "stop"] {
            twice(app, &format!("{path}/{verb}"), &admin, &body).await;
        }
        // Asked under the key of before, a replay that was resumed since is told as it was then.
        let paused = keyed(app, &format!("{path}/pause"), &admin, "mine", &body).await.is(200);
        assert_eq!(paused.text("status"), "paused");
    })
    .await;
}

#[tokio::test]
async fn of_two_processes_one_does_it_and_both_tell_the_same() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let bases = [app.base.clone(), app.serve_again().await];
        let send = |at: usize, key: &str, body: Value| {
            let request = app.http.post(format!("{}/api/v1/surveys", bases[at % 2]));
            let request = request
                .bearer_auth(&me.token)
                .header("idempotency-key", key);
            app.send(request.json(&body))
        };
        for round in 0..10 {
            let key = format!("race {round}");
            let body = json!({"title": "Us"});
            let both = futures_util::future::join(send(0, &key, body.clone()), send(1, &key, body));
            let (one, two) = both.await;
            // Whoever comes second waits in the store for the first, and is told its answer.
            assert_eq!((one.status.as_u16(), two.status.as_u16()), (201, 201));
            assert_eq!(one.body, two.body);
            let replayed = |answer: &Answer| answer.headers.contains_key("idempotency-replayed");
            assert!(replayed(&one) != replayed(&two), "{one:#?} {two:#?}");
        }
        let listed = app.get("/api/v1/surveys", &me).await.is(200);
        assert_eq!(listed.body["items"].as_array().unwrap().len(), 10);

        // Two different bodies at once under one key: one is done, the other refused.
        let bodies = (json!({"title": "Us"}), json!({"title": "Them"}));
        let both = futures_util::future::join(send(0, "k", bodies.0), send(1, "k", bodies.1));
        let (one, two) = both.await;
        let (done, refused) = if one.status == 201 {
            (one, two)
        } else {
            (two, one)
        };
        done.is(201);
        refused.is_problem(422, "idempotency_key_reused");
    })
    .await;
}
