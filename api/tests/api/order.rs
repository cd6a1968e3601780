//! What is wrong with a request is told in one order, however much is wrong with it: too many, who, may,
//! how large, is it JSON, does it fit.

use crate::support::{Answer, App, Person};
use process::settings::{Quota, Rates, Scope};
use reqwest::Method;
use std::time::Duration;
use uuid::Uuid;

const LARGE: usize = 300 * 1024;

async fn send(app: &App, path: &str, by: Option<&Person>, body: &str) -> Answer {
    let request = app.request(Method::POST, path, by);
    let request = request.header("content-type", "application/json");
    app.send(request.body(body.to_owned())).await
}

/// Commands of members, each with a body that fits in form and not in content.
fn commands() -> Vec<(String, &'static str)> {
    vec![
        ("/api/v1/jobs".to_owned(), r#"{"kind": "persona.forge"}"#),
        ("/api/v1/surveys".to_owned(), r#"{"min_responses": 0}"#),
        ("/api/v1/submissions".to_owned(), r#"{"text": ""}"#),
    ]
}

/// Commands of staff, likewise.
fn decisions() -> Vec<(String, &'static str)> {
    let of =
        |rest: &str| format!("/api/v1/admin/{rest}").replace("ID", &Uuid::now_v7().to_string());
    vec![
        (of("dead-letters/ID/replay"), r#"{"reason": 7}"#),
        (of("dead-letters/ID/discard"), r#"{"reason": 7}"#),
        (of("replays"), r#"{"reason": 7}"#),
        (of("queues/synthesis/pause"), r#"{"reason": 7}"#),
        (of("sagas/ID/cancel"), r#"{"reason": 7}"#),
        (
            "/api/v1/topic-rounds".to_owned(),
            r#"{"require_review": 7}"#,
        ),
    ]
}

#[tokio::test]
async fn a_refusal_is_the_first_of_its_order() {
    let app = App::new(None, |_| {}).await;
    let (member, admin) = (app.person(&["member"]), app.person(&["admin"]));
    let nobody = Person {
        token: "nonsense".to_owned(),
        ..member.clone()
    };
    let large = "{".repeat(LARGE);
    for (path, _) in commands().into_iter().chain(decisions()) {
        for body in [&large, "{\"reason\":", "{\"unknown\":1}", "{}"] {
            send(&app, &path, None, body)
                .await
                .is_problem(401, "missing_credentials");
            send(&app, &path, Some(&nobody), body)
                .await
                .is_problem(401, "invalid_token");
        }
    }
    for (path, _) in decisions() {
        for body in [&large, "{\"reason\":", "{\"unknown\":1}", "{}"] {
            send(&app, &path, Some(&member), body)
                .await
                .is_problem(403, "forbidden");
        }
    }
    let allowed = commands().into_iter().map(|one| (one, &member));
    for ((path, odd), by) in allowed.chain(decisions().into_iter().map(|one| (one, &admin))) {
        send(&app, &path, Some(by), &large)
            .await
            .is_problem(413, "too_large");
        send(&app, &path, Some(by), "{\"reason\": 7")
            .await
            .is_problem(400, "malformed_json");
        send(&app, &path, Some(by), "{\"unknown\": 1}")
            .await
            .is_problem(400, "unknown_field");
        send(&app, &path, Some(by), odd)
            .await
            .is_problem(422, "validation_failed");
    }
    app.end().await;
}

#[tokio::test]
async fn who_asks_too_often_is_told_nothing_else() {
    let limited = |scope| async move {
        let minute = Duration::from_mins(1);
        App::new(None, move |settings| {
            settings.rates = Rates::off().with(scope, vec![Quota::new(1, minute)]);
        })
        .await
    };
    let app = limited(Scope::Address).await;
    let admin = app.person(&["admin"]);
    send(&app, "/api/v1/jobs", None, "{}").await.is(401);
    for (path, _) in commands().into_iter().chain(decisions()) {
        for by in [None, Some(&admin)] {
            send(&app, &path, by, "{")
                .await
                .is_problem(429, "rate_limited");
        }
    }
    app.end().await;

    // By account it comes after the credentials, and before all that a body could do.
    let app = limited(Scope::Commands).await;
    let member = app.person(&["member"]);
    send(&app, "/api/v1/jobs", Some(&member), "{").await.is(400);
    for (path, _) in commands().into_iter().chain(decisions()) {
        send(&app, &path, Some(&member), &"{".repeat(LARGE))
            .await
            .is_problem(429, "rate_limited");
        send(&app, &path, None, "{")
            .await
            .is_problem(401, "missing_credentials");
    }
    app.end().await;
}
