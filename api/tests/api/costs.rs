//! What calls of models cost, and the caps that keep the bill bounded, as those who run the fleet see them.

use crate::mirror::respond;
use crate::provider::Unwilling;
use crate::support::{Answer, App, Person, on_each};
use axum::http::StatusCode;
use chorus_workers::providers::local::Writer;
use chorus_workers::providers::{
    Answered, Call, CallError, Completion, Prompt, TextModel, Unreadable, Usage,
};
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const LIMITS: &str = "/api/v1/admin/limits";
const COSTS: &str = "/api/v1/admin/costs";

/// Writes as the local writer does, for 150 tokens.
struct Priced;

impl TextModel for Priced {
    fn provider(&self) -> &'static str {
        "openai"
    }
    fn model(&self) -> &'static str {
        "priced"
    }
    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Writer.send(prompt, call)
    }
    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        Writer.read(raw)
    }
    fn usage(&self, _: &[u8]) -> Usage {
        Usage {
            input_tokens: 100,
            output_tokens: 50,
            images: 0,
        }
    }
}

/// A forge that three friends' answers start.
pub(crate) async fn forge(app: &App, me: &Person) -> Uuid {
    let made = app.post("/api/v1/surveys", me, &json!({})).await.is(201);
    for friend in 0..3 {
        respond(app, &made.text("slug"), friend).await.is(201);
    }
    let job = app.get("/api/v1/personas/me", me).await.text("job");
    job.rsplit_once('/').unwrap().1.parse().unwrap()
}

async fn set(app: &App, by: &Person, body: Value) -> Answer {
    let request = app.request(Method::PUT, LIMITS, Some(by));
    app.send(request.json(&body)).await
}

#[tokio::test]
async fn a_job_over_budget_waits_says_so_and_goes_on_once_the_cap_is_raised() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["admin"]));
        let capped = json!({"account_usd": "0.0001", "reason": "too dear"});
        let told = set(app, &ana, capped).await.is(200);
        assert_eq!(told.body["items"][1]["cap_usd"], "0.0001");
        app.work_with(Arc::new(Priced));
        let job = forge(app, &me).await;
        let at = format!("/api/v1/jobs/{job}");
        let waits = app
            .until(&at, &me, |told| told.body["waiting_for"] != Value::Null)
            .await;
        let waiting = &waits.body["waiting_for"];
        assert_eq!(
            (&waiting["type"], &waiting["name"]),
            (&json!("budget"), &json!("persona.write#1"))
        );
        assert_eq!(waits.body["attempt"], 0, "it does not count: {waits:?}");
        assert_eq!(waits.body["next_attempt_at"], waiting["until"]);
        let saga = app.get(&format!("/api/v1/admin/sagas/{job}"), &ana).await;
        let why = &saga.is(200).body["why"][0];
        assert_eq!(why["code"], "over_budget");
        let message = why["message"].as_str().unwrap();
        for part in ["0.0001 USD", "one account a day", "may cost up to"] {
            assert!(message.contains(part), "no {part} in {message}");
        }
        let before = app.get(&format!("{COSTS}?by=kind"), &ana).await.is(200);
        assert_eq!(before.body["total"]["calls"], 0, "nothing was paid for");

        let raised = json!({"account_usd": "1.00", "reason": "it is worth it"});
        set(app, &ana, raised).await.is(200);
        let done = app.until_status(job, &me, "succeeded").await;
        assert_eq!(done.body["waiting_for"], Value::Null);
        assert_eq!(done.body["usage"]["cost_usd"], "0.00015");
        assert_eq!(done.body["usage"]["output_tokens"], 50);
        let limits = app.get(LIMITS, &ana).await.is(200);
        assert_eq!(
            limits.body["today"],
            json!({"spent_usd": "0.00015", "held_usd": "0.00"})
        );

        for (by, name) in [
            ("kind", json!("persona.forge")),
            ("model", json!("openai/priced")),
            ("account", json!(me.account)),
        ] {
            let told = app.get(&format!("{COSTS}?by={by}"), &ana).await.is(200);
            let first = &told.body["items"][0];
            assert_eq!(
                (&first[by], &first["cost_usd"]),
                (&name, &json!("0.00015")),
                "{told:?}"
            );
            assert_eq!(told.body["total"]["cost_usd"], "0.00015");
            assert_eq!(told.body["total"]["calls"], 2, "the portrait is free");
            assert_eq!(told.body["total"]["images"], 1);
        }
        let days = app.get(COSTS, &ana).await.is(200);
        let today = days.body["items"][0]["day"].as_str().unwrap();
        assert!(days.text("to").starts_with(today), "{days:?}");
        let past = format!("{COSTS}?to=2020-01-01T00:00:00Z");
        assert_eq!(app.get(&past, &ana).await.body["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn limits_are_set_by_admins_with_a_reason_that_is_kept() {
    on_each(async |app| {
        let (me, operator) = (app.person(&["member"]), app.person(&["operator"]));
        let ana = app.person(&["admin"]);
        let none = app.get(LIMITS, &operator).await.is(200);
        let scopes = none.body["items"].as_array().unwrap().iter();
        let scopes: Vec<&Value> = scopes.map(|limit| &limit["scope"]).collect();
        assert_eq!(scopes, ["saga", "account", "all"]);
        assert_eq!(none.body["items"][2]["cap_usd"], Value::Null);

        let body = json!({"saga_usd": "0.50", "all_usd": "20", "reason": "a trial"});
        let keyed = || {
            let request = app.request(Method::PUT, LIMITS, Some(&ana)).json(&body);
            app.send(request.header("idempotency-key", "once"))
        };
        let first = keyed().await.is(200);
        let saga = &first.body["items"][0];
        assert_eq!(
            (&saga["cap_usd"], &saga["setting_usd"]),
            (&json!("0.50"), &Value::Null)
        );
        assert_eq!(saga["set"]["reason"], "a trial");
        assert_eq!(first.body["items"][2]["cap_usd"], "20.00");
        assert_eq!(keyed().await.is(200).body, first.body);
        let back = set(app, &ana, json!({"saga_usd": null})).await.is(200);
        assert_eq!(back.body["items"][0]["cap_usd"], Value::Null);
        assert_eq!(
            back.body["items"][2]["cap_usd"], "20.00",
            "what is not named stays"
        );
        let audit = app.get("/api/v1/admin/audit?verb=limit.set", &ana).await;
        let audit = audit.is(200).body["items"].clone();
        assert_eq!(audit.as_array().unwrap().len(), 3, "once for each: {audit}");
        assert_eq!(audit[0]["target_id"], "saga");
        let capped = |one: &&Value| one["detail"]["cap_usd"] == "20.00";
        let capped = audit.as_array().unwrap().iter().find(capped);
        assert_eq!(capped.unwrap()["reason"], "a trial");

        let wrong = set(app, &ana, json!({"saga_usd": "1,5", "all_usd": "-1"})).await;
        let wrong = wrong.is_problem(422, "validation_failed");
        assert_eq!(wrong.body["errors"][1]["pointer"], "/all_usd");
        set(app, &ana, json!({"reason": "nothing"}))
            .await
            .is_problem(422, "validation_failed");
        for somebody in [&me, &operator] {
            set(app, somebody, json!({"all_usd": "1"}))
                .await
                .is_problem(403, "forbidden");
        }
        app.get(LIMITS, &me).await.is_problem(403, "forbidden");
        for query in [
            "?by=hour",
            "?from=soon",
            "?limit=0",
            "?from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z",
        ] {
            app.get(&format!("{COSTS}{query}"), &ana)
                .await
                .is_problem(400, "bad_parameter");
        }
        app.get(COSTS, &me).await.is_problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn the_ledger_tells_every_call_without_what_was_said() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        app.work_with(Arc::new(Priced));
        let job = forge(app, &me).await;
        app.until_status(job, &me, "succeeded").await;
        let ledger = "/api/v1/admin/ai-requests";
        let told = app.get(ledger, &ana).await.is(200);
        let items = told.body["items"].as_array().unwrap();
        assert_eq!(items.len(), 2, "{told:?}");
        let (paint, write) = (&items[0], &items[1]);
        for (member, value) in [
            ("saga_id", json!(job)),
            ("account_id", json!(me.account)),
            ("kind", json!("persona.forge")),
            ("step", json!("persona.write#1")),
            ("purpose", json!("persona")),
            ("provider", json!("openai")),
            ("model", json!("priced")),
            ("status", json!("completed")),
            ("spoiled", json!(false)),
            ("attempts", json!(1)),
            ("prompt_tokens", json!(100)),
            ("completion_tokens", json!(50)),
            ("cost_micros", json!(150)),
            ("error", Value::Null),
        ] {
            assert_eq!(write[member], value, "{member}: {write}");
        }
        assert_eq!(
            (&paint["purpose"], &paint["images"]),
            (&json!("image"), &json!(1))
        );
        assert!(write["latency_ms"].as_i64() >= Some(0));
        assert!(write.get("answer").is_none() && write.get("request").is_none());

        let first = app.get(&format!("{ledger}?limit=1"), &ana).await.is(200);
        assert_eq!(first.body["items"], json!([paint]));
        let rest = format!("{ledger}?limit=1&cursor={}", first.text("next_cursor"));
        let rest = app.get(&rest, &ana).await.is(200);
        assert_eq!(rest.body["items"], json!([write]));
        assert_eq!(rest.body["next_cursor"], Value::Null);
        let account = me.account;
        for (query, found) in [
            ("provider=openai".to_owned(), 1),
            ("model=studio/1".to_owned(), 1),
            ("purpose=image&kind=persona.forge".to_owned(), 1),
            (format!("account={account}&saga={job}&status=completed"), 2),
            ("status=failed".to_owned(), 0),
            ("status=processing".to_owned(), 0),
            ("kind=topic.round".to_owned(), 0),
            ("to=2020-01-01T00:00:00Z".to_owned(), 0),
        ] {
            let told = app.get(&format!("{ledger}?{query}"), &ana).await.is(200);
            assert_eq!(
                told.body["items"].as_array().unwrap().len(),
                found,
                "{query}"
            );
        }
        for query in [
            "status=odd",
            "state=answered",
            "account=me",
            "cursor=x",
            "colour=red",
        ] {
            app.get(&format!("{ledger}?{query}"), &ana)
                .await
                .is_problem(400, "bad_parameter");
        }
        app.get(ledger, &me).await.is_problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_broke_off_counts_as_spent_and_one_turned_down_does_not() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let unwilling = Unwilling::start().await;
        app.work_with(unwilling.writer());
        let job = forge(app, &me).await;
        app.until_status(job, &me, "parked").await;
        let limits = app.get(LIMITS, &ana).await.is(200);
        let nothing = json!({"spent_usd": "0.00", "held_usd": "0.00"});
        assert_eq!(limits.body["today"], nothing, "400 is free");
    })
    .await;
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let unwilling = Unwilling::saying(StatusCode::BAD_GATEWAY, "0").await;
        app.work_with(unwilling.writer());
        forge(app, &me).await;
        let paid = |told: &Answer| told.body["today"]["spent_usd"] != "0.00";
        let limits = app.until(LIMITS, &ana, paid).await;
        let today = &limits.body["today"];
        assert_ne!(today["held_usd"], "0.00", "the next try has its own");
        let costs = app.get(COSTS, &ana).await.is(200);
        assert_eq!(costs.body["total"]["calls"], 0, "the books know answers");
    })
    .await;
}

#[tokio::test]
async fn a_call_that_never_worked_stands_in_the_ledger_as_failed() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let unwilling = Unwilling::start().await;
        app.work_with(unwilling.writer());
        let job = forge(app, &me).await;
        app.until_status(job, &me, "parked").await;
        let told = app.get("/api/v1/admin/ai-requests", &ana).await.is(200);
        let call = &told.body["items"][0];
        assert_eq!(
            (&call["status"], &call["kind"]),
            (&json!("failed"), &json!("persona.forge"))
        );
        assert_eq!(
            (&call["cost_micros"], &call["completed_at"]),
            (&Value::Null, &Value::Null)
        );
        assert!(call["error"].as_str().unwrap().contains("400"), "{call}");
        // Nobody asks any more, be it that the step is canceled or that nothing is left of it.
        let over = [
            "UPDATE steps SET state = 'waiting' WHERE saga_id = $1 AND state = 'failed'",
            "UPDATE steps SET state = 'cancelled' WHERE saga_id = $1 AND state = 'waiting'",
            "DELETE FROM steps WHERE saga_id = $1",
        ];
        for (sql, status) in over.into_iter().zip(["processing", "failed", "failed"]) {
            let changed = app.store.db().query(sql).bind(job).execute();
            assert!(changed.await.unwrap() > 0, "{sql}");
            for asked in ["processing", "completed", "failed"] {
                let listed = format!("/api/v1/admin/ai-requests?status={asked}");
                let listed = app.get(&listed, &ana).await.is(200);
                let found = listed.body["items"].as_array().unwrap();
                assert_eq!(found.len(), usize::from(asked == status), "{asked}, {sql}");
                assert!(found.iter().all(|call| call["status"] == status));
            }
        }
    })
    .await;
}
