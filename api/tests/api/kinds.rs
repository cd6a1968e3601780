//! Kinds of sagas, as their operators see, switch and limit them.

use crate::support::{App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};

const AT: &str = "/api/v1/admin/kinds/demo.pair";

async fn kind(app: &App, by: &Person) -> Value {
    app.get(AT, by).await.is(200).body
}

async fn why(app: &App, saga: uuid::Uuid, by: &Person) -> Value {
    let told = app.get(&format!("/api/v1/admin/sagas/{saga}"), by).await;
    told.is(200).body["why"].clone()
}

#[tokio::test]
async fn a_kind_is_paused_and_resumed_and_tells_who_did_it() {
    on_each(async |app| {
        let (me, operator) = (app.person(&["member"]), app.person(&["operator"]));
        let (pause, resume) = (format!("{AT}/pause"), format!("{AT}/resume"));
        let before = kind(app, &operator).await;
        assert_eq!(
            (&before["state"], &before["open"]),
            (&json!("enabled"), &json!(0))
        );
        app.post(&resume, &operator, &json!({}))
            .await
            .is_problem(409, "state_conflict");
        let unsaid = app.post(&pause, &operator, &json!({})).await;
        let unsaid = unsaid.is_problem(422, "validation_failed");
        assert_eq!(unsaid.body["errors"][0]["pointer"], "/reason");

        let reason = json!({"reason": "the provider is down"});
        let keyed = || {
            let request = app
                .request(Method::POST, &pause, Some(&operator))
                .json(&reason);
            app.send(request.header("idempotency-key", "stop"))
        };
        let paused = keyed().await.is(200).body;
        let by = format!("{}@example.org", operator.account.simple());
        assert_eq!(
            (&paused["state"], &paused["switched"]["by"]),
            (&json!("paused"), &json!(by))
        );
        assert_eq!(paused["links"]["resume"], resume);
        assert_eq!(keyed().await.is(200).body, paused);
        let late = app.post(&pause, &operator, &reason).await;
        let detail = late.is_problem(409, "state_conflict").text("detail");
        assert!(
            detail.contains(&by) && detail.contains("paused"),
            "{detail}"
        );

        // It is accepted, and waits; the look at it says why.
        app.work();
        let job = app.start("demo.pair", &me).await;
        let waits = |told: &crate::support::Answer| told.body["in_line"] == 1;
        app.until(AT, &operator, waits).await;
        let told = why(app, job, &operator).await;
        assert_eq!(told[0]["code"], "kind_paused", "{told}");
        assert!(
            told[0]["message"]
                .as_str()
                .unwrap()
                .contains("the provider is down")
        );
        let queue = app
            .get("/api/v1/admin/queues/synthesis", &operator)
            .await
            .is(200);
        assert_eq!(queue.body["ready"], 0, "no worker would help");

        let foreseen = json!({"dry_run": true});
        let foreseen = app.post(&resume, &operator, &foreseen).await.is(200).body;
        assert_eq!(foreseen["consequence"]["sagas_going_on"], 1, "{foreseen}");
        assert_eq!(
            kind(app, &operator).await["state"],
            "paused",
            "a dry run does nothing"
        );
        let resumed = app.post(&resume, &operator, &json!({})).await.is(200).body;
        assert_eq!(resumed["state"], "enabled");
        app.until_status(job, &me, "succeeded").await;
        let (audit, admin) = (
            "/api/v1/admin/audit?target=demo.pair",
            app.person(&["admin"]),
        );
        let audit = app.get(audit, &admin).await.is(200).body;
        let verbs: Vec<&Value> = audit["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["verb"])
            .collect();
        assert_eq!(verbs, ["kind.resume", "kind.pause"]);

        let unknown = "/api/v1/admin/kinds/none/pause";
        app.post(unknown, &operator, &reason)
            .await
            .is_problem(404, "not_found");
        app.post(&pause, &me, &reason)
            .await
            .is_problem(403, "forbidden");
        app.get("/api/v1/admin/kinds", &me)
            .await
            .is_problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_kind_is_held_to_a_limit_that_is_told_and_taken_away_again() {
    on_each(async |app| {
        let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
        let limits = "/api/v1/admin/limits";
        let put = |body: Value| {
            let request = app.request(Method::PUT, limits, Some(&admin)).json(&body);
            app.send(request)
        };
        for (wrong, pointer) in [
            (json!({"none.such": {"running_max": 1}}), "/kinds/none.such"),
            (json!({"demo.pair": {"running_max": 0}}), "/kinds/demo.pair/running_max"),
            (json!({"demo.pair": {}}), "/kinds/demo.pair"),
        ] {
            let refused = put(json!({"kinds": wrong})).await;
            let refused = refused.is_problem(422, "validation_failed").body;
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        }
        let set = put(json!({"kinds": {"demo.pair": {"running_max": 1, "per_minute": 1}}, "reason": "their terms"}));
        let set = set.await.is(200).body;
        let kept = &set["kinds"][0];
        assert_eq!((&kept["kind"], &kept["running_max"]), (&json!("demo.pair"), &json!(1)));
        assert_eq!(kept["set"]["reason"], "their terms");
        // What is left out stays as it is.
        let rate = put(json!({"kinds": {"demo.pair": {"running_max": null}}})).await.is(200).body;
        assert_eq!((&rate["kinds"][0]["running_max"], &rate["kinds"][0]["per_minute"]), (&Value::Null, &json!(1)));
        let read = app.get(limits, &admin).await.is(200).body;
        assert_eq!(read["kinds"], rate["kinds"]);

        // One step begins in this minute, and the next stands in line.
        app.work();
        let job = app.start("demo.pair", &me).await;
        let waits = |told: &crate::support::Answer| told.body["in_line"] == 1;
        app.until(AT, &admin, waits).await;
        let told = why(app, job, &admin).await;
        assert_eq!(told[0]["code"], "throttled", "{told}");
        let none = put(json!({"kinds": {"demo.pair": {"per_minute": null}}})).await.is(200).body;
        assert_eq!(none["kinds"], json!([]));
        app.until_status(job, &me, "succeeded").await;
    })
    .await;
}
