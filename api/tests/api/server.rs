//! The server itself: health, other origins, logs, and what it withstands.

use crate::log;
use crate::support::{App, answers};
use chorus_api::{ApiSettings, Origins};
use process::settings::{Given, Proxies, Role};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn health_is_told_without_credentials() {
    let app = App::new(None, |_| {}).await;
    app.send(app.request(Method::GET, "/livez", None))
        .await
        .is(200);
    let banner = app.send(app.request(Method::GET, "/", None)).await.is(200);
    assert_eq!(banner.body["service"], "chorus");
    let anybody = app.person(&[]);
    let ok = app
        .until("/api/v1/health", &anybody, |answer| {
            answer.body["status"] == "ok"
        })
        .await;
    assert_eq!(ok.body["dependencies"]["database"], "ok");
    app.send(app.request(Method::GET, "/readyz", None))
        .await
        .is(200);
    app.send(app.request(Method::GET, "/health", None))
        .await
        .is(200);
    app.end().await;
}

#[tokio::test]
async fn other_origins_call_where_they_may() {
    let app = App::new(None, |settings| settings.origins = Origins::Loopback).await;
    let preflight = |origin: &str| {
        let request = app
            .request(Method::OPTIONS, "/api/v1/jobs", None)
            .header("origin", origin);
        app.send(
            request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization"),
        )
    };
    let mine = preflight("http://localhost:3000").await.is(200);
    assert_eq!(
        mine.header("access-control-allow-origin"),
        "http://localhost:3000"
    );
    assert_eq!(mine.header("access-control-allow-credentials"), "true");
    let theirs = preflight("http://localhost.evil.example").await;
    assert!(theirs.headers.get("access-control-allow-origin").is_none());
    let refused = app
        .send(
            app.request(Method::GET, "/api/v1/jobs", None)
                .header("origin", "http://127.0.0.1:5173"),
        )
        .await
        .is(401);
    assert!(
        refused
            .header("access-control-expose-headers")
            .contains("retry-after")
    );
    assert!(refused.header("vary").to_lowercase().contains("origin"));
    app.end().await;

    let closed = App::new(None, |_| {}).await;
    let answer = closed
        .send(
            closed
                .request(Method::GET, "/", None)
                .header("origin", "http://localhost:3000"),
        )
        .await
        .is(200);
    assert!(answer.headers.get("access-control-allow-origin").is_none());
    closed.end().await;

    let listed = vec!["https://app.example".to_owned()];
    let open = App::new(None, |settings| settings.origins = Origins::Exactly(listed)).await;
    for (origin, may) in [
        ("https://app.example", true),
        ("https://app.example.evil.example", false),
    ] {
        let request = open
            .request(Method::GET, "/", None)
            .header("origin", origin);
        let allowed = open.send(request).await.is(200).headers;
        assert_eq!(allowed.contains_key("access-control-allow-origin"), may);
    }
    open.end().await;
}

fn words(text: &str) -> BTreeSet<String> {
    let words = text.split(',').map(|word| word.trim().to_lowercase());
    words.collect()
}

#[tokio::test]
async fn what_a_page_of_another_origin_may_send_and_see_is_listed() {
    let listed = vec!["https://app.example".to_owned()];
    let app = App::new(None, |settings| settings.origins = Origins::Exactly(listed)).await;
    let from = |method: Method, origin: &str| {
        let request = app.request(method, "/api/v1/jobs", None);
        request.header("origin", origin)
    };
    let asked = from(Method::OPTIONS, "https://app.example");
    let asked = asked.header("access-control-request-method", "PATCH");
    let told = app.send(asked).await.is(200);
    assert_eq!(
        words(told.header("access-control-allow-methods")),
        words("GET, POST, PUT, PATCH, DELETE, OPTIONS")
    );
    assert_eq!(
        words(told.header("access-control-allow-headers")),
        words(
            "Authorization, Content-Type, X-API-Key, X-Request-Id, Idempotency-Key, Prefer, If-Match, \
             If-None-Match, Last-Event-ID"
        )
    );
    let seen = words(
        "X-Request-Id, RateLimit, RateLimit-Policy, Location, Retry-After, ETag, Link, Preference-Applied, \
         Idempotency-Replayed",
    );
    // A cache between must not give the answer to one origin to another, nor to a page of none.
    for (origin, may) in [
        ("https://app.example", true),
        ("https://evil.example", false),
    ] {
        let told = app.send(from(Method::GET, origin)).await.is(401);
        assert!(words(told.header("vary")).contains("origin"), "{told:#?}");
        let allowed = told.headers.get("access-control-allow-origin");
        assert_eq!(allowed.is_some(), may, "{told:#?}");
        assert_eq!(words(told.header("access-control-expose-headers")), seen);
    }
    let told = app.send(app.request(Method::GET, "/api/v1/jobs", None));
    assert!(words(told.await.header("vary")).contains("origin"));
    app.end().await;
}

#[test]
fn the_settings_say_who_may_call_and_whose_word_counts() {
    let of = |app_env: &str, origins: &str| {
        let given = Given {
            app_env: Some(app_env.to_owned()),
            cors_origins: Some(origins.to_owned()),
            trusted_proxies: Some("1".to_owned()),
            jwt_secret: Some("s".repeat(32)),
            hash_pepper: Some("p".repeat(32)),
            ..Given::default()
        };
        ApiSettings::of(&given.check(Role::Api).unwrap()).unwrap()
    };
    let listed = Origins::Exactly(vec!["https://app.example".to_owned()]);
    assert_eq!(of("production", "https://app.example").origins, listed);
    assert_eq!(of("development", "https://app.example").origins, listed);
    assert_eq!(of("production", "").origins, Origins::None);
    assert_eq!(of("development", "").origins, Origins::Loopback);
    assert_eq!(of("production", "").proxies, Proxies::Hops(1));
}

#[tokio::test]
async fn what_is_no_http_is_survived() {
    let app = App::new(None, |_| {}).await;
    let address = app.base.trim_start_matches("http://").to_owned();
    for noise in [
        &b"\x16\x03\x01 hello\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\r\n",
        &[b'x'; 100_000],
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        drop(stream.write_all(noise).await);
        let mut told = vec![];
        drop(stream.shutdown().await);
        drop(stream.read_to_end(&mut told).await);
        assert!(
            told.is_empty() || told.starts_with(b"HTTP/1.1 4"),
            "{:?}",
            String::from_utf8_lossy(&told)
        );
    }
    app.send(app.request(Method::GET, "/livez", None))
        .await
        .is(200);
    app.end().await;
}

#[tokio::test]
async fn no_secret_is_logged() {
    log::keep();
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let survey = app
        .post("/api/v1/surveys", &me, &json!({"title": "canary-title"}))
        .await
        .is(201)
        .text("survey_id");
    let mut told = answers();
    told["m1"] = json!("canary-answer");
    let path = format!("/api/v1/surveys/{survey}/responses");
    for friend in ["canary-print-1", "canary-print-2", "canary-print-3"] {
        let request = app
            .request(Method::POST, &path, None)
            .header("x-request-id", "canary-seen");
        app.send(request.json(&json!({"answers": told, "fingerprint": friend})))
            .await
            .is(201);
    }
    app.work();
    app.until("/api/v1/personas/me", &me, |answer| {
        answer.body["status"] == "ready"
    })
    .await;
    let link = app
        .get("/api/v1/personas/me", &me)
        .await
        .text("illustration_url")
        .replace(&app.base, "");
    app.send(app.request(Method::GET, &link, None))
        .await
        .is(200);
    app.end().await;
    let log = log::kept();
    assert!(
        log.contains("canary-seen") && log.contains("/api/v1/surveys/{name}/responses"),
        "the log is kept"
    );
    let link_token = link.rsplit_once('=').unwrap().1;
    let (claims, email) = (
        me.token.split('.').nth(1).unwrap(),
        format!("{}@", me.account.simple()),
    );
    for secret in [
        "canary-title",
        "canary-answer",
        "canary-print",
        claims,
        &email,
        link_token,
        &app_secret(),
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

fn app_secret() -> String {
    "a secret of tests".to_owned()
}

#[tokio::test]
async fn browsers_are_told_to_come_by_https_where_a_proxy_of_ours_says_they_did() {
    let told = async |proxies: Proxies, by: Option<(&str, &str)>| {
        let app = App::new(None, |settings| settings.proxies = proxies).await;
        let request = app.request(Method::GET, "/nothing", None);
        let request = match by {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let answer = app.send(request).await.is(404);
        app.end().await;
        answer.headers.contains_key("strict-transport-security")
    };
    let here = || Proxies::Within(vec!["127.0.0.1".parse().unwrap()]);
    let https = Some(("x-forwarded-proto", "https"));
    assert!(told(Proxies::Hops(1), https).await);
    assert!(told(here(), https).await);
    assert!(told(here(), Some(("forwarded", "for=1.1.1.1;proto=https"))).await);
    assert!(!told(here(), Some(("x-forwarded-proto", "https, http"))).await);
    assert!(!told(here(), None).await);
    assert!(
        !told(Proxies::default(), https).await,
        "anybody can write it"
    );
}
