//! Signing in, staying and going under an `Idempotency-Key`: an answer that was lost costs nobody their session.

use crate::sessions::{PASSWORD, holder, login, somebody};
use crate::support::{Answer, App, on_each};
use reqwest::Method;
use serde_json::{Value, json};

async fn ask(app: &App, what: &str, key: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/auth/{what}");
    let request = app.request(Method::POST, &path, None);
    app.send(request.header("idempotency-key", key).json(body))
        .await
}

fn credentials() -> Value {
    json!({"email": "ana@example.org", "password": PASSWORD})
}

async fn sessions(app: &App, by: &Answer) -> usize {
    let listed = app.get("/api/v1/auth/sessions", &holder(by)).await.is(200);
    listed.body["items"].as_array().unwrap().len()
}

fn is_of_before(answer: &Answer) -> bool {
    answer.headers.contains_key("idempotency-replayed")
}

#[tokio::test]
async fn a_sign_in_that_is_asked_for_twice_opens_one_session() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let first = ask(app, "login", "k", &credentials()).await.is(200);
        let again = ask(app, "login", "k", &credentials()).await.is(200);
        assert!(!is_of_before(&first) && is_of_before(&again));
        assert_eq!(sessions(app, &again).await, 1);
        // Nobody kept the tokens, so these are others; the key alone opens nothing.
        assert_ne!(first.text("refresh_token"), again.text("refresh_token"));
        let mut wrong = credentials();
        wrong["password"] = json!("another long password");
        let refused = ask(app, "login", "k", &wrong).await;
        refused.is_problem(401, "invalid_credentials");
        let mut other = credentials();
        other["email"] = json!("Ana@example.org");
        let other = ask(app, "login", "k", &other).await;
        other.is_problem(422, "idempotency_key_reused");
        let kept = "SELECT response FROM idempotency_keys WHERE scope LIKE '%login'";
        let kept: String = app.store.db().query(kept).scalar().await.unwrap();
        for answer in [&first, &again] {
            for token in ["access_token", "refresh_token"] {
                assert!(!kept.contains(&answer.text(token)), "{kept}");
            }
        }

        let body = json!({"refresh_token": again.text("refresh_token")});
        ask(app, "refresh", "r", &body).await.is(200);
        // However often: it is the key that is refused, not the password.
        for _ in 0..7 {
            let late = ask(app, "login", "k", &credentials()).await;
            late.is_problem(409, "state_conflict");
        }
        assert_eq!(sessions(app, &again).await, 1);
        login(app, "ana@example.org", PASSWORD).await.is(200);
        assert_eq!(sessions(app, &again).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_is_asked_for_again_and_a_copy_is_still_a_copy() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let signed = login(app, "ana@example.org", PASSWORD).await.is(200);
        let body = json!({"refresh_token": signed.text("refresh_token")});
        let lost = ask(app, "refresh", "k", &body).await.is(200);
        let again = ask(app, "refresh", "k", &body).await.is(200);
        let third = ask(app, "refresh", "k", &body).await.is(200);
        assert!(!is_of_before(&lost) && is_of_before(&again) && is_of_before(&third));
        app.get("/api/v1/jobs", &holder(&third)).await.is(200);

        // The last one counts, once; after that, whoever asks under the key of before has a copy.
        let next = json!({"refresh_token": third.text("refresh_token")});
        let next = ask(app, "refresh", "next", &next).await.is(200);
        app.get("/api/v1/jobs", &holder(&next)).await.is(200);
        let copied = ask(app, "refresh", "k", &body).await;
        copied.is_problem(401, "invalid_token");
        app.get("/api/v1/jobs", &holder(&next)).await.is(401);
    })
    .await;
}

#[tokio::test]
async fn whoever_brings_a_token_that_was_thought_lost_ends_the_session() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let lost = ask(app, "login", "k", &credentials()).await.is(200);
        let again = ask(app, "login", "k", &credentials()).await.is(200);
        let found = json!({"refresh_token": lost.text("refresh_token")});
        let found = ask(app, "refresh", "x", &found).await;
        found.is_problem(401, "invalid_token");
        app.get("/api/v1/jobs", &holder(&again)).await.is(401);
        let over = ask(app, "login", "k", &credentials()).await;
        over.is_problem(409, "state_conflict");
    })
    .await;
}

#[tokio::test]
async fn of_two_who_sign_in_at_once_under_one_key_one_opens_a_session() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let body = credentials();
        let both = (0..4).map(|_| ask(app, "login", "race", &body));
        let answers = futures_util::future::join_all(both).await;
        let (done, rest): (Vec<_>, Vec<_>) = answers.into_iter().partition(|one| one.status == 200);
        let fresh = done.iter().filter(|one| !is_of_before(one)).count();
        assert_eq!(fresh, 1, "{done:#?}");
        for refused in rest {
            refused.is_problem(409, "idempotency_in_progress");
        }
        assert_eq!(sessions(app, &done[0]).await, 1);
    })
    .await;
}

#[tokio::test]
async fn whoever_signs_out_twice_is_out() {
    on_each(async |app| {
        somebody(app, "ana@example.org", &["member"]).await;
        let signed = login(app, "ana@example.org", PASSWORD).await.is(200);
        let by = holder(&signed);
        let out = || {
            let request = app.request(Method::POST, "/api/v1/auth/logout", Some(&by));
            app.send(request.header("idempotency-key", "bye"))
        };
        let both = futures_util::future::join_all([out(), out()]).await;
        assert!(both.iter().any(|one| one.status == 204), "{both:#?}");
        for one in both {
            let code = one.status.as_u16();
            assert!([204, 401, 409].contains(&code), "{one:#?}");
        }
        out().await.is_problem(401, "invalid_token");
    })
    .await;
}
