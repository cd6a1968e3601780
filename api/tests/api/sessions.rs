//! Passwords, sessions and refresh tokens.

use crate::support::{Answer, App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "correct horse battery";
const ACCOUNTS: &str = "/api/v1/admin/accounts";

/// Somebody with a password; its id.
pub(crate) async fn somebody(app: &App, email: &str, roles: &[&str]) -> String {
    let admin = app.person(&["admin"]);
    let body = json!({"email": email, "display_name": "Ana Maria Vela", "roles": roles, "password": PASSWORD});
    app.post(ACCOUNTS, &admin, &body).await.is(201).text("id")
}

pub(crate) async fn login(app: &App, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    let request = app.request(Method::POST, "/api/v1/auth/login", None);
    app.send(request.json(&body)).await
}

async fn refresh(app: &App, token: &str) -> Answer {
    let body = json!({"refresh_token": token});
    let request = app.request(Method::POST, "/api/v1/auth/refresh", None);
    app.send(request.json(&body)).await
}

pub(crate) fn holder(answer: &Answer) -> Person {
    Person {
        account: Uuid::nil(),
        token: answer.text("access_token"),
    }
}

async fn session(app: &App, by: &Person) -> String {
    let me = app.get("/api/v1/auth/me", by).await.is(200);
    me.text("session_id")
}

#[tokio::test]
async fn a_password_signs_in_and_a_wrong_one_tells_nothing() {
    on_each(async |app| {
        let id = somebody(app, "ana@example.org", &["member", "operator"]).await;
        let signed = login(app, " Ana@example.ORG", PASSWORD).await.is(200);
        assert_eq!(
            signed.body["user"],
            json!({"id": id, "email": "ana@example.org", "first_name": "Ana", "last_name": "Maria Vela",
                "role": "operator", "roles": ["member", "operator"]})
        );
        assert_eq!(signed.body["token_type"], "bearer");
        app.get("/api/v1/admin/queues", &holder(&signed)).await.is(200);

        let told = async |email: &str, password: &str| {
            let mut answer = login(app, email, password).await;
            answer.body["request_id"] = Value::Null;
            (answer.status, answer.body)
        };
        let wrong = told("ana@example.org", "wrong").await;
        assert_eq!(wrong.1["code"], "invalid_credentials");
        assert_eq!(wrong, told("nobody@example.org", "wrong").await);
        assert_eq!(wrong, told("ana@example.org", &"x".repeat(10_000)).await);
        assert_eq!(wrong, told("", "").await);
        // An account without a password has none that fits.
        let me = app.person(&["member"]);
        app.get("/api/v1/auth/me", &me).await.is(200);
        let email = format!("{}@example.org", me.account.simple());
        assert_eq!(wrong, told(&email, "").await);
    })
    .await;
}

#[tokio::test]
async fn five_failures_lock_an_address_whether_or_not_there_is_somebody() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        for email in ["ana@example.org", "nobody@example.org"] {
            for _ in 0..5 {
                let wrong = login(app, email, "wrong").await;
                wrong.is_problem(401, "invalid_credentials");
            }
            let locked = login(app, email, PASSWORD).await;
            let locked = locked.is_problem(423, "account_locked");
            let left: u64 = locked.header("retry-after").parse().unwrap();
            assert!((200..=300).contains(&left), "{left}");
        }
        // An hour later, which is a change in the store.
        let open = "UPDATE sign_in_attempts SET locked_until = '2020-01-01T00:00:00+00:00' WHERE failures > 0";
        app.store.db().query(open).execute().await.unwrap();
        login(app, "ana@example.org", PASSWORD).await.is(200);
        for _ in 0..4 {
            login(app, "ana@example.org", "wrong").await.is(401);
        }
        login(app, "ana@example.org", PASSWORD).await.is(200);
        login(app, "ana@example.org", "wrong").await.is(401);
    })
    .await;
}

#[tokio::test]
async fn guesses_that_come_all_at_once_are_five_too() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let guesses = (0..20).map(|_| login(app, "ana@example.org", "wrong"));
        let answers = futures_util::future::join_all(guesses).await;
        let of = |status: u16| answers.iter().filter(|one| one.status == status).count();
        assert_eq!((of(401), of(423)), (5, 15));
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_counts_once_and_a_copy_ends_its_session() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let first = login(app, "ana@example.org", PASSWORD).await.is(200);
        let other = login(app, "ana@example.org", PASSWORD).await.is(200);
        let second = refresh(app, &first.text("refresh_token")).await.is(200);
        let third = refresh(app, &second.text("refresh_token")).await.is(200);
        let (old, new) = (holder(&first), holder(&third));
        assert_eq!(
            session(app, &old).await,
            session(app, &new).await,
            "one family"
        );

        let stolen = refresh(app, &first.text("refresh_token")).await;
        stolen.is_problem(401, "invalid_token");
        for by in [&old, &new] {
            let over = app.get("/api/v1/jobs", by).await;
            over.is_problem(401, "invalid_token");
        }
        refresh(app, &third.text("refresh_token")).await.is(401);
        app.get("/api/v1/jobs", &holder(&other)).await.is(200);
        let admin = app.person(&["admin"]);
        let audit = "/api/v1/admin/audit?verb=session.revoke";
        let told = app.get(audit, &admin).await.is(200);
        assert_eq!(told.body["items"].as_array().unwrap().len(), 1);

        for nonsense in ["", "chr_", "chr_nonsense", &"x".repeat(1000), &old.token] {
            refresh(app, nonsense)
                .await
                .is_problem(401, "invalid_token");
        }
        refresh(app, &other.text("refresh_token")).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_refresh_at_once_one_does_and_the_session_is_over() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let signed = login(app, "ana@example.org", PASSWORD).await.is(200);
        let token = signed.text("refresh_token");
        let both = (0..2).map(|_| refresh(app, &token));
        let answers = futures_util::future::join_all(both).await;
        let done = answers.iter().filter(|one| one.status == 200).count();
        assert_eq!(done, 1);
        app.get("/api/v1/jobs", &holder(&signed)).await.is(401);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_ended_by_its_owner_at_once() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        somebody(app, "bo@example.org", &["member"]).await;
        let (one, two) = (
            holder(&login(app, "ana@example.org", PASSWORD).await.is(200)),
            holder(&login(app, "ana@example.org", PASSWORD).await.is(200)),
        );
        let bo = holder(&login(app, "bo@example.org", PASSWORD).await.is(200));
        let listed = app.get("/api/v1/auth/sessions", &one).await.is(200);
        let current: Vec<_> = listed.body["items"].as_array().unwrap().iter().collect();
        assert_eq!(current.len(), 2);
        assert_eq!(
            current.iter().filter(|one| one["current"] == true).count(),
            1
        );
        assert_eq!(current[0]["ip_prefix"], "127.0.0.0/24");

        let path = format!("/api/v1/auth/sessions/{}", session(app, &two).await);
        let end = |by| app.send(app.request(Method::DELETE, &path, Some(by)));
        end(&bo).await.is_problem(404, "not_found");
        app.get("/api/v1/jobs", &two).await.is(200);
        end(&one).await.is(204);
        app.get("/api/v1/jobs", &two)
            .await
            .is_problem(401, "invalid_token");
        end(&one).await.is(404);

        app.post("/api/v1/auth/logout", &one, &json!({}))
            .await
            .is(204);
        app.get("/api/v1/auth/me", &one).await.is(401);
        app.post("/api/v1/auth/logout", &one, &json!({}))
            .await
            .is(401);
        app.get("/api/v1/jobs", &bo).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_signed_in_to_a_session_that_somebody_else_chose() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        somebody(app, "eve@example.org", &["member"]).await;
        let eve = holder(&login(app, "eve@example.org", PASSWORD).await.is(200));
        let chosen = session(app, &eve).await;
        let body = json!({"email": "ana@example.org", "password": PASSWORD});
        let request = app.request(Method::POST, "/api/v1/auth/login", Some(&eve));
        let signed = app
            .send(
                request
                    .header("cookie", format!("sid={chosen}"))
                    .json(&body),
            )
            .await
            .is(200);
        assert_ne!(session(app, &holder(&signed)).await, chosen);
        let mut body = body;
        body["session_id"] = json!(chosen);
        let request = app.request(Method::POST, "/api/v1/auth/login", None);
        let refused = app.send(request.json(&body)).await;
        refused.is_problem(400, "unknown_field");
        let me = app.get("/api/v1/auth/me", &eve).await.is(200);
        assert_eq!(me.body["email"], "eve@example.org");
    })
    .await;
}

#[tokio::test]
async fn what_an_admin_decides_about_an_account_counts_at_once() {
    on_each(async |app| {
        let admin = app.person(&["admin"]);
        let id = somebody(app, "ana@example.org", &["member"]).await;
        let ana = holder(&login(app, "ana@example.org", PASSWORD).await.is(200));
        let change = async |what: &str, method: Method, body: Value| {
            let path = format!("{ACCOUNTS}/{id}/{what}");
            let request = app.request(method, &path, Some(&admin)).json(&body);
            app.send(request).await.is(200)
        };
        let queues = "/api/v1/admin/queues";
        app.get(queues, &ana).await.is_problem(403, "forbidden");
        let roles = json!({"roles": ["operator"], "reason": "on call"});
        change("roles", Method::PUT, roles).await;
        app.get(queues, &ana).await.is(200);
        app.get("/api/v1/jobs", &ana)
            .await
            .is_problem(403, "forbidden");
        change("roles", Method::PUT, json!({"roles": []})).await;
        app.get(queues, &ana).await.is_problem(403, "forbidden");

        let password = json!({"password": "another long password"});
        change("password", Method::PUT, password).await;
        app.get(queues, &ana).await.is_problem(401, "invalid_token");
        login(app, "ana@example.org", PASSWORD).await.is(401);
        let again = login(app, "ana@example.org", "another long password")
            .await
            .is(200);
        change("disable", Method::POST, json!({"reason": "left"})).await;
        app.get(queues, &holder(&again)).await.is(401);
        refresh(app, &again.text("refresh_token")).await.is(401);
        let off = login(app, "ana@example.org", "another long password").await;
        off.is_problem(403, "account_disabled");
        login(app, "ana@example.org", "wrong")
            .await
            .is_problem(401, "invalid_credentials");
        change("enable", Method::POST, json!({})).await;
        login(app, "ana@example.org", "another long password")
            .await
            .is(200);

        let told = app
            .get(&format!("/api/v1/admin/audit?target={id}"), &admin)
            .await;
        let told = told.is(200);
        let items = told.body["items"].as_array().unwrap().iter();
        let verbs: Vec<&str> = items.map(|one| one["verb"].as_str().unwrap()).collect();
        let expected = [
            "account.enable",
            "account.disable",
            "account.password",
            "account.roles",
            "account.roles",
            "account.create",
        ];
        assert_eq!(verbs, expected);
    })
    .await;
}

#[tokio::test]
async fn what_ends_in_one_process_is_over_in_another_within_seconds() {
    on_each(async |app| {
        let other = app.serve_again().await;
        somebody(app, "ana@example.org", &["member"]).await;
        let ana = holder(&login(app, "ana@example.org", PASSWORD).await.is(200));
        let there = async || {
            let request = app.http.get(format!("{other}/api/v1/jobs"));
            let sent = request.bearer_auth(&ana.token).send().await;
            sent.unwrap().status().as_u16()
        };
        assert_eq!(there().await, 200);
        app.post("/api/v1/auth/logout", &ana, &json!({}))
            .await
            .is(204);
        app.get("/api/v1/jobs", &ana).await.is(401);
        let began = Instant::now();
        while there().await == 200 {
            assert!(began.elapsed() < Duration::from_secs(10), "it lasts");
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_loses_their_roles_loses_the_tokens_that_had_roles_of_their_own() {
    on_each(async |app| {
        let (admin, ana) = (app.person(&["admin"]), app.person(&["operator"]));
        app.get("/api/v1/admin/queues", &ana).await.is(200);
        let path = format!("/api/v1/admin/accounts/{}/roles", ana.account);
        let request = app.request(Method::PUT, &path, Some(&admin));
        let changed = app.send(request.json(&json!({"roles": ["member"]}))).await;
        changed.is(200);
        app.get("/api/v1/admin/queues", &ana)
            .await
            .is_problem(401, "invalid_token");
        app.get("/api/v1/admin/queues", &admin).await.is(200);
    })
    .await;
}
