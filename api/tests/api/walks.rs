//! Walks over every operation there is: with somebody else's ids, and with bodies that nobody should take.

use crate::mirror::survey;
use crate::support::{Answer, App, Person, answers, on_each};
use chorus_api::table::{Need, ROUTES};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What the owner has, by the beginning of the routes at which it is found.
async fn owned(app: &App, mine: &Person) -> Vec<(&'static str, String)> {
    let survey = survey(app, mine).await;
    for friend in ["a", "b", "c"] {
        let path = format!("/api/v1/surveys/{survey}/responses");
        let body = json!({"answers": answers(), "fingerprint": friend});
        let request = app.request(Method::POST, &path, None);
        app.send(request.json(&body)).await.is(201);
    }
    app.work();
    let ready = |answer: &Answer| answer.body["status"] == "ready";
    let persona = app.until("/api/v1/personas/me", mine, ready).await;
    let picture = persona.body.to_string();
    let (_, picture) = picture.split_once("/api/v1/media/").unwrap();
    let picture = picture.split('/').next().unwrap().to_owned();
    let me = app.get("/api/v1/auth/me", mine).await.is(200);
    let job = app.start("demo.patient", mine).await;
    let idea = json!({"text": "Later buses on Saturdays"});
    let idea = app.post("/api/v1/submissions", mine, &idea).await.is(201);
    vec![
        ("/api/v1/surveys/", survey),
        ("/api/v1/personas/", persona.text("persona_id")),
        ("/api/v1/media/", picture),
        ("/api/v1/jobs/", job.to_string()),
        ("/api/v1/submissions/", idea.text("id")),
        ("/api/v1/auth/sessions/", me.text("session_id")),
    ]
}

/// The routes where a caller names something of their own, with what the owner has there.
fn named(owned: &[(&str, String)]) -> Vec<(Method, String)> {
    let mut all = vec![];
    for (method, path, need) in ROUTES {
        // Topics are everybody's, and a review is whoever's may decide it: `topics` and `reviews` ask of those.
        let shared = path.contains("/topics/") || path.contains("/reviews/");
        let of_owners = matches!(need, Need::Own(_) | Need::Anybody) && !shared;
        let Some((before, after)) = path.split_once('{').filter(|_| of_owners) else {
            continue;
        };
        let id = owned.iter().find(|(beginning, _)| *beginning == before);
        let (_, id) = id.unwrap_or_else(|| panic!("{path}: what has an owner there?"));
        let rest = after.split_once('}').unwrap().1;
        all.push((method.parse().unwrap(), format!("{before}{id}{rest}")));
    }
    all
}

#[tokio::test]
async fn somebody_elses_id_is_nothing_at_every_route_that_takes_one() {
    on_each(async |app| {
        let (mine, other) = (app.person(&["member"]), app.person(&["member", "agent"]));
        let owned = owned(app, &mine).await;
        let routes = named(&owned);
        assert!(routes.len() >= 8, "{routes:?}");
        let ask = |method: &Method, path: &str, by: &Person| {
            let request = app.request(method.clone(), path, Some(by));
            let body = if path.contains("/submissions/") && method == Method::PATCH {
                json!({"text": "Buses until midnight"})
            } else {
                json!({})
            };
            app.send(request.json(&body))
        };
        for (method, path) in &routes {
            let theirs = ask(method, path, &other).await;
            let theirs = theirs.is_problem(404, "not_found");
            // As if there were no such thing, to the letter.
            let id = owned.iter().find(|(_, id)| path.contains(id)).unwrap();
            let nowhere = path.replace(&id.1, &Uuid::now_v7().to_string());
            let none = ask(method, &nowhere, &other).await.is(404);
            assert_eq!(
                theirs.body["detail"], none.body["detail"],
                "{method} {path}"
            );
        }
        // Its owner finds each; the end of the session comes last.
        let mut routes = routes;
        routes
            .sort_by_key(|(method, path)| (*method == Method::DELETE, path.contains("/sessions/")));
        for (method, path) in &routes {
            let own = ask(method, path, &mine).await;
            assert!(own.status.is_success(), "{method} {path}: {own:#?}");
        }
    })
    .await;
}

/// Every operation with a body: its method, its address, whether anybody may call, and an example.
fn with_body() -> Vec<(Method, String, bool, Value)> {
    let document = chorus_api::openapi();
    let mut all = vec![];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, told) in item.as_object().unwrap() {
            let content = &told["requestBody"]["content"]["application/json"];
            if content.is_null() {
                continue;
            }
            let parts = path.split('/').map(|part| {
                if part.starts_with('{') {
                    Uuid::now_v7().to_string()
                } else {
                    part.to_owned()
                }
            });
            let example = content["example"].clone();
            let example = if example.is_object() {
                example
            } else {
                json!({})
            };
            all.push((
                method.to_uppercase().parse().unwrap(),
                parts.collect::<Vec<_>>().join("/"),
                told["security"] == json!([]),
                example,
            ));
        }
    }
    assert!(all.len() >= 30, "{}", all.len());
    all
}

#[tokio::test]
async fn no_operation_takes_a_field_that_is_ours_to_set() {
    let app = App::new(None, |_| {}).await;
    let admin = app.person(&["admin"]);
    for (method, path, open, example) in with_body() {
        for field in [
            "owner_id",
            "is_admin",
            "created_at",
            "password_hash",
            "permissions",
            "__proto__",
        ] {
            let mut body = example.clone();
            body[field] = json!(admin.account);
            let by = Some(&admin).filter(|_| !open);
            let request = app.request(method.clone(), &path, by).json(&body);
            let refused = app.send(request).await;
            let what = format!("{method} {path} {field}");
            assert_eq!(
                refused.body["code"], "unknown_field",
                "{what}: {refused:#?}"
            );
            let pointers = refused.body["errors"].to_string();
            assert!(pointers.contains(field), "{what}: {refused:#?}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn no_operation_reads_what_is_too_deep_or_too_long() {
    let app = App::new(None, |_| {}).await;
    let admin = app.person(&["admin"]);
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{{\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth))
    };
    let began = Instant::now();
    for (method, path, open, _) in with_body() {
        let by = Some(&admin).filter(|_| !open);
        let send = |body: String| {
            let request = app.request(method.clone(), &path, by);
            app.send(
                request
                    .header("content-type", "application/json")
                    .body(body),
            )
        };
        for deep in [
            nested("[", "]", 33),
            nested("[", "]", 12_000),
            nested("{\"x\":", "}", 200),
            "[".repeat(20_000),
        ] {
            send(deep).await.is_problem(400, "malformed_json");
        }
        let long = format!("{{\"x\":\"{}\"}}", "x".repeat(300 * 1024));
        send(long).await.is_problem(413, "too_large");
    }
    assert!(
        began.elapsed() < Duration::from_mins(1),
        "{:?}",
        began.elapsed()
    );
    app.end().await;
}
