//! Who may do what, over every route there is: each role, nobody, and somebody else's rows.

use crate::mirror::survey;
use crate::support::{Answer, App, Person, answers, on_each};
use chorus_api::table::{Need, ROUTES};
use chorus_api::token::{self, Grant};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// What each role may do at the routes that there are, as the specification has it: `own` for rows of one's
/// own. It is written a second time here, so that a slip in the migration or in the table is seen.
const MEMBER: &[&str] = &[
    "jobs.read own",
    "jobs.write own",
    "surveys.read own",
    "surveys.write own",
    "personas.read own",
    "personas.write own",
    "media.read own",
    "submissions.read own",
    "submissions.write own",
    "topics.read",
    "posts.write own",
];
const CURATOR: &[&str] = &[
    "rounds.start",
    "rounds.review",
    "topics.retract",
    "submissions.seed",
];
const OPERATOR: &[&str] = &[
    "sagas.read",
    "sagas.control",
    "dead.replay",
    "queues.read",
    "queues.control",
    "audit.read",
    "costs.read",
    "limits.read",
];
const ROLES: [(&str, &[&[&str]]); 8] = [
    ("member", &[MEMBER]),
    ("client", &[&["topics.read", "posts.write own"]]),
    ("agent", &[MEMBER]),
    ("employee", &[MEMBER]),
    ("curator", &[MEMBER, CURATOR]),
    ("reviewer", &[&["topics.read"]]),
    ("operator", &[OPERATOR]),
    ("admin", &[&["*"]]),
];

fn may(permissions: &[&str], need: Need) -> bool {
    let has = |permission: &str| permissions.contains(&"*") || permissions.contains(&permission);
    match need {
        Need::Nobody | Need::Anybody => true,
        Need::Own(permission) => has(permission) || has(&format!("{permission} own")),
        Need::All(permission) => has(permission),
    }
}

/// A route's address, with names in it that nothing has.
fn address(path: &str) -> String {
    let id = Uuid::now_v7().to_string();
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            id.as_str()
        } else {
            part
        }
    });
    let address = parts.collect::<Vec<_>>().join("/");
    if address.ends_with("/stream") {
        return address + "?topics=nonsense"; // it would go on for long
    }
    address
}

async fn ask(app: &App, method: &str, path: &str, by: Option<&Person>) -> Answer {
    let method: Method = method.parse().unwrap();
    let request = app.request(method, &address(path), by);
    // Nothing fits it: whoever may come in is told so, or that there is no such thing.
    let garbage = request.header("content-type", "application/json");
    app.send(garbage.body("{\"nonsense\": 1}")).await
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let app = App::new(None, |_| {}).await;
    for (role, permissions) in ROLES {
        let permissions = permissions.concat();
        for (method, path, need) in ROUTES {
            let by = app.person(&[role]);
            let answer = ask(&app, method, path, Some(&by)).await;
            let what = format!("{role}: {method} {path}");
            assert!(answer.status.as_u16() < 500, "{what}: {answer:#?}");
            if may(&permissions, *need) {
                assert_ne!(answer.body["code"], "forbidden", "{what}: {answer:#?}");
                assert_ne!(answer.body["code"], "invalid_token", "{what}");
                assert_ne!(answer.status, 405, "{what} is no route");
            } else {
                assert_eq!(answer.body["code"], "forbidden", "{what}: {answer:#?}");
            }
        }
    }
    app.end().await;
}

/// Somebody whose token was good until a few minutes ago.
fn late(app: &App, by: &Person) -> Person {
    let grant = Grant {
        account: by.account,
        session: Uuid::now_v7(),
        roles: vec![],
    };
    let then = Utc::now() - TimeDelta::minutes(5);
    let life = Duration::from_secs(1);
    let token = token::mint_at(app.secret.as_bytes(), &grant, life, then);
    Person {
        token: token.unwrap(),
        ..by.clone()
    }
}

/// What keys may be made for, written a second time as the roles are.
const SCOPES: [(&str, &[&str]); 8] = [
    (
        "accounts:write",
        &["accounts.read", "accounts.write", "keys.read", "keys.write"],
    ),
    ("events:write", &[]),
    ("jobs:read", &["jobs.read"]),
    ("jobs:write", &["jobs.read", "jobs.write"]),
    (
        "ops:read",
        &[
            "sagas.read",
            "queues.read",
            "audit.read",
            "costs.read",
            "limits.read",
        ],
    ),
    (
        "ops:write",
        &["sagas.control", "queues.control", "dead.replay"],
    ),
    ("rounds:start", &["rounds.start"]),
    ("surveys:write", &["surveys.read", "surveys.write"]),
];

#[tokio::test]
async fn every_key_may_do_what_its_scope_says_and_nothing_else_whoever_has_it() {
    let app = App::new(None, |_| {}).await;
    let admin = crate::keys::admin(&app).await; // who may do everything
    for (scope, permissions) in SCOPES {
        let key = crate::keys::made(&app, &admin, &[scope]).await.text("key");
        for (method, path, need) in ROUTES {
            let request = app.request(method.parse().unwrap(), &address(path), None);
            let request = request.header("content-type", "application/json");
            let request = request.header("x-api-key", &key);
            let answer = app.send(request.body("{\"nonsense\": 1}")).await;
            let what = format!("{scope}: {method} {path}: {answer:#?}");
            assert!(answer.status.as_u16() < 500, "{what}");
            let forbidden = answer.body["code"] == "forbidden";
            match need {
                Need::Nobody | Need::Anybody => {
                    assert_ne!(answer.body["code"], "invalid_api_key", "{what}");
                }
                Need::Own(_) | Need::All(_) => {
                    assert_eq!(forbidden, !may(permissions, *need), "{what}");
                }
            }
        }
    }
    let known = app
        .post(
            "/api/v1/admin/api-keys",
            &admin,
            &json!({"name": "x", "scopes": []}),
        )
        .await;
    let told = known.is_problem(422, "validation_failed").body.to_string();
    let named = SCOPES.map(|(scope, _)| scope).join(", ");
    assert!(told.contains(&named), "every scope is here: {told}");
    app.end().await;
}

#[tokio::test]
async fn nobody_in_particular_comes_to_what_is_for_everybody_alone() {
    let app = App::new(None, |_| {}).await;
    let over = app.person(&["admin"]);
    let late = late(&app, &app.person(&["admin"]));
    app.post("/api/v1/auth/logout", &over, &json!({}))
        .await
        .is(204);
    for (method, path, need) in ROUTES {
        let anonymous = ask(&app, method, path, None).await;
        let without = ask(&app, method, path, Some(&app.person(&[]))).await;
        let ended = ask(&app, method, path, Some(&over)).await;
        let late = ask(&app, method, path, Some(&late)).await;
        if *need != Need::Nobody {
            late.is_problem(401, "token_expired");
        }
        match need {
            Need::Nobody => assert_ne!(anonymous.body["code"], "missing_credentials", "{path}"),
            Need::Anybody => {
                anonymous.is_problem(401, "missing_credentials");
                ended.is_problem(401, "invalid_token");
                assert_ne!(without.status, 403, "{path}");
            }
            Need::Own(_) | Need::All(_) => {
                anonymous.is_problem(401, "missing_credentials");
                ended.is_problem(401, "invalid_token");
                without.is_problem(403, "forbidden");
            }
        }
    }
    app.end().await;
}

/// The routes of the router, as the document tells them: nothing else gives it a route.
fn routes() -> BTreeSet<(String, String)> {
    let document = chorus_api::openapi();
    let paths = document["paths"].as_object().unwrap().iter();
    let told = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase(), path.clone()))
    });
    told.collect()
}

/// What of the API is for everybody, and tells of nobody.
const SERVICE: [&str; 3] = ["/api/v1/health", "/api/v1/openapi.json", "/api/v1/docs"];

#[test]
fn every_route_of_the_router_is_in_the_table_and_no_other() {
    let api = |path: &str| path.starts_with("/api/") && !SERVICE.contains(&path);
    let routes: BTreeSet<(String, String)> =
        routes().into_iter().filter(|(_, path)| api(path)).collect();
    let table = ROUTES.iter();
    let table: BTreeSet<(String, String)> = table
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    assert!(routes.len() > 60, "the router is read: {routes:?}");
    assert_eq!(routes, table);
    assert_eq!(table.len(), ROUTES.len(), "none is there twice");
}

#[test]
fn the_document_says_of_each_operation_what_the_table_asks_for() {
    let document = chorus_api::openapi();
    for (method, path, need) in ROUTES {
        let told = &document["paths"][path][method.to_lowercase()];
        let open = told["security"] == json!([]);
        let (nobody, staff, permission) = match need {
            Need::Nobody => (true, false, None),
            Need::Anybody => (false, false, None),
            Need::Own(permission) => (false, false, Some(*permission)),
            Need::All(permission) => (false, true, Some(*permission)),
        };
        assert_eq!(open, nobody, "{method} {path}");
        assert_eq!(told["x-role"] == "operator", staff, "{method} {path}");
        assert_eq!(told["x-permission"].as_str(), permission, "{method} {path}");
        let forbidden = told["responses"]["403"].is_object();
        assert!(
            forbidden || nobody,
            "{method} {path}: an account may be disabled"
        );
    }
}

/// The id of a picture in its address.
fn picture(persona: &Value) -> String {
    let url = persona.to_string();
    let (_, after) = url.split_once("/api/v1/media/").unwrap();
    after.split('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_another_owners_is_not_there_at_any_route() {
    on_each(async |app| {
        let (mine, other) = (app.person(&["member"]), app.person(&["member", "agent"]));
        let survey = survey(app, &mine).await;
        let responses = format!("/api/v1/surveys/{survey}/responses");
        for friend in ["a", "b", "c"] {
            let body = json!({"answers": answers(), "fingerprint": friend});
            let request = app.request(Method::POST, &responses, None);
            app.send(request.json(&body)).await.is(201);
        }
        app.work();
        let path = "/api/v1/personas/me";
        let ready = |answer: &Answer| answer.body["status"] == "ready";
        let persona = app.until(path, &mine, ready).await;
        let job = app.start("demo.patient", &mine).await;
        let me = app.get("/api/v1/auth/me", &mine).await.is(200);
        let versions = app.get("/api/v1/personas", &mine).await.is(200);
        let persona_id = versions.body["items"][0]["persona_id"].as_str();
        let persona_id = persona_id.or(versions.body["items"][0]["id"].as_str());
        for (path, own) in [
            (format!("/api/v1/jobs/{job}"), 200),
            (format!("/api/v1/jobs/{job}/events"), 200),
            (format!("/api/v1/surveys/{survey}/status"), 200),
            (format!("/api/v1/personas/{}", persona_id.unwrap()), 200),
            (
                format!("/api/v1/media/{}/file", picture(&persona.body)),
                200,
            ),
        ] {
            app.get(&path, &other).await.is_problem(404, "not_found");
            app.get(&path, &mine).await.is(own);
        }
        for path in [
            format!("/api/v1/jobs/{job}/cancel"),
            format!("/api/v1/surveys/{survey}/close"),
        ] {
            let refused = app.post(&path, &other, &json!({})).await;
            refused.is_problem(404, "not_found");
        }
        let session = me.text("session_id");
        let session = format!("/api/v1/auth/sessions/{session}");
        let refused = app.request(Method::DELETE, &session, Some(&other));
        app.send(refused).await.is_problem(404, "not_found");
        app.get(&format!("/api/v1/jobs/{job}"), &mine).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn no_request_sets_what_is_ours_to_decide() {
    on_each(async |app| {
        let (me, admin) = (app.person(&["member"]), app.person(&["admin"]));
        let other = app.person(&["member"]);
        for field in [
            "owner_id",
            "id",
            "status",
            "roles",
            "is_admin",
            "created_at",
        ] {
            for (path, by, mut body) in [
                ("/api/v1/surveys", &me, json!({"title": "x"})),
                ("/api/v1/jobs", &me, json!({"kind": "demo.pair"})),
                ("/api/v1/submissions", &me, json!({"text": "x"})),
                ("/api/v1/personas/me/forge", &me, json!({})),
                (
                    "/api/v1/admin/api-keys",
                    &admin,
                    json!({"name": "x", "scopes": ["ops:read"]}),
                ),
            ] {
                body[field] = json!(other.account);
                let refused = app.post(path, by, &body).await;
                refused.is_problem(400, "unknown_field");
            }
        }
        for field in ["id", "disabled_at", "password_hash", "permissions"] {
            let mut body = json!({"email": "x@example.org"});
            body[field] = json!("x");
            let refused = app.post("/api/v1/admin/accounts", &admin, &body).await;
            refused.is_problem(400, "unknown_field");
        }
        let listed = app.get("/api/v1/surveys", &other).await.is(200);
        assert_eq!(listed.body["items"], json!([]));
    })
    .await;
}
