//! Replays of many letters: who may begin them, what they are told, and that they end.

use crate::support::{App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const PATH: &str = "/api/v1/admin/replays";

/// Jobs that stand before the closed gate.
async fn parked(app: &App, me: &Person, count: usize) -> Vec<Uuid> {
    let mut jobs = vec![];
    for _ in 0..count {
        jobs.push(app.start("demo.gate", me).await);
    }
    for job in &jobs {
        app.until_status(*job, me, "parked").await;
    }
    jobs
}

fn of_gate(more: &Value) -> Value {
    let mut body =
        json!({"select": {"kind": "demo.gate"}, "rate_per_s": 100, "reason": "the gate is open"});
    let (body_fields, more) = (body.as_object_mut().unwrap(), more.as_object().unwrap());
    body_fields.extend(more.clone());
    body
}

#[tokio::test]
async fn many_letters_are_replayed_as_one_operation() {
    on_each(async |app| {
        app.work();
        drop(app.serve_again().await); // a second process takes turns, too
        let (me, admin) = (app.person(&["member"]), app.person(&["operator"]));
        let jobs = parked(app, &me, 6).await;
        app.gate.open();
        let dry = app
            .post(PATH, &admin, &of_gate(&json!({"dry_run": true})))
            .await;
        let dry = dry.is(200).body;
        assert_eq!(
            (&dry["selected"], &dry["steps_kept"]),
            (&json!(6), &json!(0))
        );
        assert_eq!(
            dry["runs_again"],
            json!([{"step": "demo.pass", "letters": 6}])
        );
        let list = app.get(PATH, &admin).await.is(200);
        assert_eq!(list.body["items"], json!([]), "nothing was begun");
        let command = || {
            app.request(Method::POST, PATH, Some(&admin))
                .header("idempotency-key", "all of them")
                .json(&of_gate(&json!({})))
        };
        let begun = app.send(command()).await.is(202);
        let path = begun.header("location").to_owned();
        assert_eq!(path, format!("{PATH}/{}", begun.id()));
        assert_eq!(begun.body["selected"], 6);
        assert_eq!(
            (begun.text("status"), &begun.body["done"]),
            ("running".to_owned(), &json!(false))
        );
        let again = app.send(command()).await.is(202);
        assert_eq!(again.id(), begun.id(), "the same command is one replay");
        let done = app
            .until(&path, &admin, |told| told.body["done"] == true)
            .await;
        assert_eq!(done.text("status"), "done");
        let counts =
            json!({"waiting": 0, "running": 0, "succeeded": 6, "dead_again": 0, "skipped": 0});
        assert_eq!(done.body["counts"], counts);
        assert_eq!(done.body["select"], json!({"kind": "demo.gate"}));
        for job in jobs {
            app.until_status(job, &me, "succeeded").await;
        }
        let letters = format!("{path}/letters?state=succeeded&limit=4");
        let page = app.get(&letters, &admin).await.is(200);
        assert_eq!(page.body["items"].as_array().unwrap().len(), 4);
        let rest = format!("{letters}&cursor={}", page.text("next_cursor"));
        let rest = app.get(&rest, &admin).await.is(200);
        assert_eq!(rest.body["items"].as_array().unwrap().len(), 2);
        let list = app.get(PATH, &admin).await.is(200);
        assert_eq!(list.body["items"][0], done.body);
        app.post(&format!("{path}/pause"), &admin, &json!({}))
            .await
            .is_problem(409, "state_conflict");
    })
    .await;
}

#[tokio::test]
async fn it_is_paused_resumed_and_stopped_by_hand_and_stops_itself() {
    on_each(async |app| {
        app.work();
        let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
        let jobs = parked(app, &me, 3).await;
        let slow = of_gate(&json!({"rate_per_s": 0.01, "canary": 0}));
        let begun = app.post(PATH, &admin, &slow).await.is(202);
        let path = begun.header("location").to_owned();
        let steer = async |verb: &str| {
            let body = json!({"reason": "wait a moment"});
            app.post(&format!("{path}/{verb}"), &admin, &body)
                .await
                .is(200)
        };
        assert_eq!(steer("pause").await.text("status"), "paused");
        assert_eq!(
            steer("pause").await.text("status"),
            "paused",
            "asking twice is fine"
        );
        assert_eq!(steer("resume").await.text("status"), "running");
        // The first fails again at the closed gate; the others are a hundred seconds away.
        app.until(&path, &admin, |told| told.body["counts"]["dead_again"] == 1)
            .await;
        let id = path.rsplit('/').next().unwrap();
        let audit = format!("/api/v1/admin/audit?target={id}");
        let audit = app.get(&audit, &admin).await.is(200);
        let told = audit.body["items"].as_array().unwrap().iter();
        let told: Vec<_> = told.map(|one| (&one["verb"], &one["reason"])).collect();
        let (asked, wait) = (json!("the gate is open"), json!("wait a moment"));
        let verbs = ["replay.resume", "replay.pause", "replay.start"].map(|verb| json!(verb));
        let wanted = [(&verbs[0], &wait), (&verbs[1], &wait), (&verbs[2], &asked)];
        assert_eq!(told, wanted, "asking twice decides nothing");
        let stopped = steer("stop").await;
        assert_eq!(stopped.body["counts"]["skipped"], 2);
        let stopped = app
            .until(&path, &admin, |told| told.body["done"] == true)
            .await;
        assert_eq!(stopped.text("status"), "stopped");
        let why = format!(
            "stopped by {}@example.org: wait a moment",
            admin.account.simple()
        );
        assert_eq!(stopped.text("ended_because"), why);
        let begun = app.post(PATH, &admin, &of_gate(&json!({}))).await.is(202);
        assert_eq!(
            begun.body["selected"], 3,
            "the one that died again has a new letter"
        );
        let path = begun.header("location").to_owned();
        let stopped = app
            .until(&path, &admin, |told| told.body["done"] == true)
            .await;
        assert_eq!(
            stopped.text("ended_because"),
            "1 of the 1 tried first failed again"
        );
        for job in jobs {
            app.until_status(job, &me, "parked").await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name() {
    on_each(async |app| {
        let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
        app.post(PATH, &me, &of_gate(&json!({})))
            .await
            .is_problem(403, "forbidden");
        app.get(PATH, &me).await.is_problem(403, "forbidden");
        for (more, pointer) in [
            (json!({"rate_per_s": 0}), "/rate_per_s"),
            (json!({"rate_per_s": 101}), "/rate_per_s"),
            (json!({"limit": 0}), "/limit"),
            (json!({"canary": -1}), "/canary"),
            (
                json!({"stop_if_failure_ratio": 1.5}),
                "/stop_if_failure_ratio",
            ),
            (json!({"select": {}}), "/select"),
            (
                json!({"select": {"all": true, "kind": "demo.gate"}}),
                "/select",
            ),
            (json!({"select": {"shape": "round"}}), "/select/shape"),
            (json!({"from": "the_middle"}), "/from"),
            (json!({"reason": "x".repeat(501)}), "/reason"),
        ] {
            let refused = app.post(PATH, &admin, &of_gate(&more)).await;
            assert!(matches!(refused.status.as_u16(), 400 | 422), "{refused:#?}");
            let pointers = refused.body["errors"].as_array().unwrap().iter();
            let pointers: Vec<_> = pointers.map(|error| &error["pointer"]).collect();
            assert_eq!(pointers, [pointer], "{more}");
        }
        let nothing = format!("{PATH}/{}", Uuid::now_v7());
        app.get(&nothing, &admin).await.is_problem(404, "not_found");
        for verb in ["pause", "resume", "stop"] {
            app.post(&format!("{nothing}/{verb}"), &admin, &json!({}))
                .await
                .is_problem(404, "not_found");
        }
        app.get(&format!("{nothing}/letters"), &admin)
            .await
            .is_problem(404, "not_found");
        let list = app.get(PATH, &admin).await.is(200);
        assert_eq!(list.body["items"], json!([]), "nothing was begun");
    })
    .await;
}

#[tokio::test]
async fn a_replay_goes_on_when_an_account_that_it_waits_for_is_erased() {
    on_each(async |app| {
        app.work();
        let (going, staying) = (app.person(&["member"]), app.person(&["member"]));
        let admin = app.person(&["admin"]);
        parked(app, &going, 2).await;
        let kept = parked(app, &staying, 1).await;
        let slow = of_gate(&json!({"rate_per_s": 0.01, "canary": 0}));
        let begun = app.post(PATH, &admin, &slow).await.is(202);
        let path = begun.header("location").to_owned();
        let reason = json!({"reason": "a test"});
        app.post(&format!("{path}/pause"), &admin, &reason)
            .await
            .is(200);
        let erase = app.request(Method::DELETE, "/api/v1/auth/me", Some(&going));
        let erase = app.send(erase).await.is(202);
        app.until_status(erase.id(), &admin, "succeeded").await;
        app.gate.open();
        app.post(&format!("{path}/resume"), &admin, &reason)
            .await
            .is(200);
        let fast =
            "UPDATE replays SET pause_micros = 1000, next_at = created_at, turn_at = created_at";
        app.store.db().query(fast).execute().await.unwrap();
        let over = |told: &crate::support::Answer| told.body["done"] == true;
        let done = app.until(&path, &admin, over).await;
        assert_eq!(done.text("status"), "done");
        let counts = &done.body["counts"];
        assert_eq!(
            (&counts["waiting"], &counts["running"]),
            (&json!(0), &json!(0))
        );
        assert!(counts["skipped"].as_i64().unwrap() >= 1, "{counts}");
        app.until_status(kept[0], &staying, "succeeded").await;
    })
    .await;
}
