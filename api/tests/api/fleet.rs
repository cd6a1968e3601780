//! Workers and queues, as their operators see them.

use crate::support::{App, Person, on_each};
use reqwest::Method;
use saga_core::store::{Beat, Share};
use serde_json::{Value, json};

/// Shows a worker of `synthesis` that is no process.
async fn shown(app: &App, name: &str, share: Share) {
    let beat = Beat {
        id: name.to_owned(),
        host: "far".to_owned(),
        version: "1.2.3".to_owned(),
        shares: vec![share],
        draining: false,
    };
    app.store.beat(&beat).await.unwrap();
}

/// Ten slots, and what it does with them.
fn share(busy: u64, done: u64, spent_ms: u64) -> Share {
    Share {
        queue: "synthesis".to_owned(),
        slots: 10,
        busy,
        paused: false,
        done,
        spent_ms,
    }
}

async fn queue(app: &App, by: &Person) -> Value {
    let told = app.get("/api/v1/admin/queues/synthesis", by).await;
    told.is(200).body
}

async fn desired(app: &App, by: &Person, query: &str) -> Value {
    let path = format!("/api/v1/admin/queues/synthesis/scale?{query}");
    app.get(&path, by).await.is(200).body
}

#[tokio::test]
async fn workers_are_listed_and_one_is_asked_to_leave() {
    on_each(async |app| {
        let (me, operator) = (app.person(&["member"]), app.person(&["operator"]));
        let at = "/api/v1/admin/workers";
        assert_eq!(
            app.get(at, &operator).await.is(200).body["items"],
            json!([])
        );
        shown(app, "text-1", share(3, 40, 80_000)).await;
        shown(app, "text-2", share(0, 0, 0)).await;
        let list = app.get(at, &operator).await.is(200);
        let worker = &list.body["items"][0];
        for (member, value) in [
            ("id", json!("text-1")),
            ("host", json!("far")),
            ("version", json!("1.2.3")),
            ("state", json!("working")),
            ("draining", json!(false)),
            ("queues", json!(["synthesis"])),
            ("slots", json!(10)),
            ("busy", json!(3)),
            ("done_per_minute", json!(40)),
            ("drain_by", Value::Null),
        ] {
            assert_eq!(worker[member], value, "{member}: {worker}");
        }
        let drain = worker["links"]["drain"].as_str().unwrap();
        app.post(drain, &me, &json!({}))
            .await
            .is_problem(403, "forbidden");
        let keyed = || {
            let request = app.request(Method::POST, drain, Some(&operator));
            app.send(request.header("idempotency-key", "leave"))
        };
        let asked = keyed().await.is(202);
        assert_eq!(asked.text("state"), "draining");
        let by = format!("{}@example.org", operator.account.simple());
        assert_eq!(asked.text("drain_by"), by);
        // The same command is one command; another one comes too late.
        assert_eq!(keyed().await.is(202).body, asked.body);
        let again = app.post(drain, &operator, &json!({})).await;
        assert_eq!(
            again.is_problem(409, "state_conflict").body["state"],
            "draining"
        );
        // Of one process that is all there is the last worker stays: nobody else could do its steps.
        let other = format!("{at}/text-2/drain");
        let asked = app.post(&other, &operator, &json!({})).await;
        if matches!(app.store.db(), saga_core::db::Db::Sqlite { .. }) {
            let refused = asked.is_problem(409, "state_conflict").body;
            assert_eq!(refused["state"], "alone");
        } else {
            assert_eq!(asked.is(202).text("state"), "draining");
        }
        let unknown = format!("{at}/nobody/drain");
        app.post(&unknown, &operator, &json!({}))
            .await
            .is_problem(404, "not_found");
        app.get(at, &me).await.is_problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_queue_tells_what_waits_and_who_works_it_off() {
    on_each(async |app| {
        let (me, operator) = (app.person(&["member"]), app.person(&["operator"]));
        let list = app.get("/api/v1/admin/queues", &operator).await.is(200);
        let names: Vec<&Value> = list.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|queue| &queue["name"])
            .collect();
        assert_eq!(names, ["delivery", "image", "synthesis"]);
        let idle = queue(app, &operator).await;
        assert_eq!((&idle["ready"], &idle["consumers"]), (&json!(0), &json!(0)));
        assert_eq!(idle["oldest_seconds"], Value::Null);

        for _ in 0..3 {
            app.start("demo.pair", &me).await;
        }
        let waiting = queue(app, &operator).await;
        assert_eq!(waiting["ready"], 3);
        assert!(waiting["oldest_seconds"].as_u64() < Some(30), "{waiting}");
        let nothing_done = &waiting["drain_estimate_seconds"];
        assert_eq!(nothing_done, &Value::Null);
        shown(app, "text-1", share(0, 40, 80_000)).await;
        shown(app, "text-2", share(0, 50, 100_000)).await;
        let staffed = queue(app, &operator).await;
        assert_eq!(
            (&staffed["consumers"], &staffed["slots"]),
            (&json!(2), &json!(20))
        );
        assert_eq!(
            (&staffed["done_per_minute"], &staffed["step_ms"]),
            (&json!(90), &json!(2000))
        );
        assert_eq!(staffed["drain_estimate_seconds"], 2, "3 × 60 / 90");

        app.work();
        let done = app.until("/api/v1/admin/queues/synthesis", &operator, |told| {
            told.body["ready"] == 0 && told.body["running"] == 0
        });
        assert_eq!(done.await.body["oldest_seconds"], Value::Null);
        app.get("/api/v1/admin/queues/none", &operator)
            .await
            .is_problem(404, "not_found");
        app.get("/api/v1/admin/queues", &me)
            .await
            .is_problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_scaler_is_told_how_many_workers_a_queue_needs() {
    on_each(async |app| {
        let (me, operator) = (app.person(&["member"]), app.person(&["operator"]));
        let idle = desired(app, &operator, "").await;
        assert_eq!(
            (&idle["desired_workers"], &idle["current_workers"]),
            (&json!(0), &json!(0))
        );
        assert_eq!(desired(app, &operator, "min=2").await["desired_workers"], 2);
        for _ in 0..25 {
            app.start("demo.pair", &me).await;
        }
        // No pace is known: a slot for each, ten a worker.
        assert_eq!(desired(app, &operator, "").await["desired_workers"], 3);
        let held = desired(app, &operator, "max=2").await;
        assert_eq!(held["desired_workers"], 2);
        assert!(held["reason"].as_str().unwrap().contains("max 2"), "{held}");
        // 25 steps of 6 s within 30 s are five slots, within 5 s more than there are steps.
        shown(app, "text-1", share(0, 10, 60_000)).await;
        assert_eq!(desired(app, &operator, "").await["desired_workers"], 1);
        let soon = desired(app, &operator, "target_seconds=5").await;
        assert_eq!(soon["desired_workers"], 3);
        // Busy ones are not asked to go, however little there is to do.
        for name in ["text-1", "text-2", "text-3", "text-4"] {
            shown(app, name, share(1, 10, 60_000)).await;
        }
        let busy = desired(app, &operator, "max=1").await;
        for (member, value) in [
            ("desired_workers", 4),
            ("current_workers", 4),
            ("busy_workers", 4),
        ] {
            assert_eq!(busy[member], value, "{member}: {busy}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_wish_for_workers_must_make_sense() {
    let app = App::new(None, |_| {}).await;
    let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
    let at = "/api/v1/admin/queues/synthesis/scale";
    for (query, word) in [
        ("target_seconds=0", "target_seconds"),
        ("min=3&max=2", "max"),
        ("min=-1", "min"),
        ("speed=9", "speed"),
    ] {
        let refused = app.get(&format!("{at}?{query}"), &admin).await;
        let detail = refused.is_problem(400, "bad_parameter").text("detail");
        assert!(detail.contains(word), "{query}: {detail}");
    }
    app.get(at, &me).await.is_problem(403, "forbidden");
    app.get("/api/v1/admin/queues/none/scale", &admin)
        .await
        .is_problem(404, "not_found");
    app.end().await;
}

#[tokio::test]
async fn a_queue_is_paused_and_resumed_and_tells_who_did_it() {
    on_each(async |app| {
        let (me, operator) = (app.person(&["member"]), app.person(&["operator"]));
        let at = "/api/v1/admin/queues/synthesis";
        let (pause, resume) = (format!("{at}/pause"), format!("{at}/resume"));
        assert_eq!(queue(app, &operator).await["paused"], false);
        app.post(&resume, &operator, &json!({}))
            .await
            .is_problem(409, "state_conflict");
        let why = json!({"reason": "the provider is down"});
        let keyed = || {
            let request = app
                .request(Method::POST, &pause, Some(&operator))
                .json(&why);
            app.send(request.header("idempotency-key", "stop"))
        };
        let paused = keyed().await.is(200).body;
        assert_eq!(
            (&paused["paused"], &paused["links"]["resume"]),
            (&json!(true), &json!(resume))
        );
        let by = format!("{}@example.org", operator.account.simple());
        assert_eq!(paused["switched"]["by"], by);
        assert_eq!(paused["switched"]["reason"], "the provider is down");
        assert_eq!(keyed().await.is(200).body, paused);
        let late = app.post(&pause, &operator, &json!({})).await;
        let detail = late.is_problem(409, "state_conflict").text("detail");
        assert!(
            detail.contains(&by) && detail.contains("paused"),
            "{detail}"
        );
        assert_eq!(queue(app, &operator).await["switched"], paused["switched"]);

        // A worker that comes now leaves it alone, and does what else there is.
        app.work();
        let job = app.start("demo.pair", &me).await;
        let waits = desired(app, &operator, "").await;
        assert!(
            waits["reason"].as_str().unwrap().contains("paused"),
            "{waits}"
        );
        assert_eq!(waits["desired_workers"], 0);
        let resumed = app
            .post(&resume, &operator, &json!({"reason": "it is back"}))
            .await;
        assert_eq!(resumed.is(200).body["paused"], false);
        app.until_status(job, &me, "succeeded").await;

        app.post(&pause, &me, &why)
            .await
            .is_problem(403, "forbidden");
        app.post("/api/v1/admin/queues/none/pause", &operator, &why)
            .await
            .is_problem(404, "not_found");
        let long = app
            .post(&pause, &operator, &json!({"reason": "x".repeat(501)}))
            .await;
        let long = long.is_problem(422, "validation_failed");
        assert_eq!(long.body["errors"][0]["pointer"], "/reason");
    })
    .await;
}
