//! Issuers that say where their keys are, that are asked for one domain's people, and people whom we erased.

use crate::issuer::{Key, LocalIssuer, google, token};
use crate::sign_in::{changed, holder, on_each, sign_in};
use crate::support::App;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_token_of_before_makes_no_erased_account_anew_and_signing_in_does() {
    on_each(async |app, issuer| {
        app.work();
        let me = holder(issuer.clerk_token("canary_1"));
        let told = app.get("/api/v1/auth/me", &me).await.is(200);
        let request = app.request(Method::DELETE, "/api/v1/auth/me", Some(&me));
        let job = app.send(request).await.is(202);
        let admin = app.person(&["admin"]);
        app.until_status(job.id(), &admin, "succeeded").await;

        // Another token of the same session, as the page in a forgotten tab gets one every minute.
        let again = holder(issuer.clerk_token("canary_1"));
        let mut over = app.get("/api/v1/jobs", &again).await;
        let began = Instant::now();
        while over.status == 200 {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "the account is there anew"
            );
            over = app.get("/api/v1/jobs", &again).await;
        }
        for by in [&again, &me, &again] {
            let refused = app.get("/api/v1/auth/me", by).await;
            refused.is_problem(401, "invalid_token");
        }
        let identities = "SELECT COUNT(*) FROM identities";
        assert_eq!(
            app.store
                .db()
                .query(identities)
                .scalar::<i64>()
                .await
                .unwrap(),
            0
        );
        let other = holder(issuer.clerk_token("canary_2"));
        app.get("/api/v1/jobs", &other).await.is(200);

        let signed = sign_in(app, "oidc/clerk", &again.token).await.is(200);
        assert_ne!(signed.body["user_id"], told.body["id"], "another account");
        let me = app.get("/api/v1/auth/me", &again).await.is(200);
        assert_eq!(me.body["id"], signed.body["user_id"]);
    })
    .await;
}

#[tokio::test]
async fn an_issuer_is_asked_where_its_keys_are_and_seldom() {
    let issuer = LocalIssuer::new(Key::rsa("one")).await;
    let ours = vec![issuer.told()];
    let app = App::new(None, |settings| settings.sign_in.issuers = ours).await;
    let shown = |subject: &str| {
        let claims = changed(
            &google(subject, "a@example.org"),
            "iss",
            json!(issuer.url()),
        );
        token(&issuer.key(), &issuer.header(), &claims)
    };
    for subject in ["one", "two", "one"] {
        sign_in(&app, "oidc/told", &shown(subject)).await.is(200);
    }
    assert_eq!((issuer.readings(), issuer.fetches()), (1, 1));
    issuer.rotate(Key::rsa("two"));
    sign_in(&app, "oidc/told", &shown("one")).await.is(200);
    assert_eq!(
        (issuer.readings(), issuer.fetches()),
        (1, 2),
        "known for a day"
    );
    app.end().await;
}

#[tokio::test]
async fn who_is_of_another_domain_does_not_come_in_where_one_is_asked_for() {
    let issuer = LocalIssuer::new(Key::rsa("one")).await;
    let mut google_of_one = issuer.google();
    google_of_one.domains = vec!["example.org".to_owned()];
    let app = App::new(None, |settings| {
        settings.sign_in.issuers = vec![google_of_one];
    })
    .await;
    let good = google("g-1", "ana@example.org");
    for (hd, status) in [
        (json!("example.org"), 200),
        (json!("Example.ORG"), 200),
        (json!("evil.example"), 401),
        (json!("sub.example.org"), 401),
        (json!("example.org.evil.example"), 401),
        (json!(""), 401),
        (json!(["example.org"]), 401),
        (json!(true), 401),
        (Value::Null, 401),
    ] {
        let claims = changed(&good, "hd", hd.clone());
        let shown = token(&issuer.key(), &issuer.header(), &claims);
        let answer = sign_in(&app, "google", &shown).await;
        assert_eq!(answer.status, status, "{hd}: {answer:#?}");
    }
    // An address of that domain says nothing: anybody may have an account of Google's with it.
    let shown = token(&issuer.key(), &issuer.header(), &good);
    sign_in(&app, "google", &shown)
        .await
        .is_problem(401, "invalid_token");
    app.end().await;
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_form_of_another_page() {
    on_each(async |app, issuer| {
        // Google's redirect flow sends a form, for which its cookie would have to be looked at: there is none here.
        let shown = issuer.google_token("g-1", "ana@example.org");
        for kind in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data; boundary=x",
        ] {
            let request = app.request(Method::POST, "/api/v1/auth/google", None);
            let form = format!("credential={shown}&g_csrf_token=x&token={shown}");
            let request = request.header("content-type", kind);
            let request = request.header("cookie", "g_csrf_token=x").body(form);
            app.send(request)
                .await
                .is_problem(415, "unsupported_media_type");
        }
    })
    .await;
}
