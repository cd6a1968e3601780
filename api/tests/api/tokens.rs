//! Who is let in, and who is not.

use crate::support::{App, Person, on_each};
use chorus_api::token::{self, Grant, LIFE_MAX, Rejected, Verifier};
use chrono::{TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const SECRET: &[u8] = b"a secret of tests, of forty bytes or so..";

fn grant() -> Grant {
    Grant {
        account: Uuid::now_v7(),
        session: Uuid::now_v7(),
        roles: vec!["member".to_owned()],
    }
}

#[test]
fn a_token_lives_a_day_and_no_longer() {
    let (verifier, now) = (Verifier::new(SECRET).unwrap(), Utc::now());
    let aged = |minutes: i64| {
        token::mint_at(
            SECRET,
            &grant(),
            LIFE_MAX,
            now - TimeDelta::minutes(minutes),
        )
        .unwrap()
    };
    assert!(verifier.verify(&aged(24 * 60 - 1), now).is_ok());
    assert_eq!(
        verifier.verify(&aged(24 * 60 + 1), now),
        Err(Rejected::Expired)
    );
    let long = token::mint_at(
        SECRET,
        &grant(),
        LIFE_MAX * 30,
        now - TimeDelta::minutes(24 * 60 + 1),
    )
    .unwrap();
    assert_eq!(
        verifier.verify(&long, now),
        Err(Rejected::Expired),
        "no token is made to live longer"
    );
}

#[test]
fn a_weak_secret_is_refused() {
    assert!(
        Verifier::new(&SECRET[..31]).is_err()
            && token::mint(&SECRET[..31], &grant(), LIFE_MAX).is_err()
    );
    assert!(Verifier::new(&SECRET[..32]).is_ok());
}

/// What a good token says.
fn said(of: &Person) -> Value {
    jsonwebtoken::dangerous::insecure_decode_claims(&of.token).unwrap()
}

/// A token that differs from this person's in one way.
fn bad(of: &Person, header: &Header, change: impl FnOnce(&mut Value), secret: &[u8]) -> String {
    let mut claims = said(of);
    change(&mut claims);
    jsonwebtoken::encode(header, &claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// The signature that our secret gives to a message, whatever it says of itself.
fn signed(message: &str) -> String {
    let key = EncodingKey::from_secret(SECRET);
    jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap()
}

fn bad_tokens(me: &Person, other: &Person) -> Vec<String> {
    use base64::Engine as _;
    let base64 = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let ours = Header::new(Algorithm::HS256);
    let bad =
        |header: &Header, change: fn(&mut Value), secret: &[u8]| bad(me, header, change, secret);
    let good = bad(&ours, |_| {}, SECRET);
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, signature] = parts[..] else {
        panic!("three parts")
    };
    assert_eq!(signed(&format!("{head}.{claims}")), signature);
    let mut all = vec![
        String::new(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        good.clone() + "x",
        good[..good.len() - 2].to_owned(),
        format!("{head}.{claims}."),
        format!("{head}.{claims}"),
        format!("{}.{claims}.", base64(r#"{"alg":"none","typ":"JWT"}"#)),
        format!(
            "{}.{claims}.{signature}",
            base64(r#"{"alg":"none","typ":"JWT"}"#)
        ),
        format!(
            "{}.{claims}.{signature}",
            base64(r#"{"alg":"RS256","typ":"JWT"}"#)
        ),
        format!(
            "{}.{claims}.{signature}",
            base64(r#"{"alg":"hs256","typ":"JWT"}"#)
        ),
        format!("{head}.{}.{signature}", base64(r#"{"sub":"root"}"#)),
        format!("{head}.{claims}.{}", base64("not the signature")),
        "x".repeat(5000),
        bad(&ours, |_| {}, b"another secret, also of forty bytes or so"),
        bad(&Header::new(Algorithm::HS384), |_| {}, SECRET),
        bad(&Header::new(Algorithm::HS512), |_| {}, SECRET),
    ];
    for (name, value) in [
        ("jku", json!("https://evil.example")),
        ("x5u", json!("https://evil.example")),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("crit", json!(["exp"])),
        ("kid", json!("../../dev/null")),
        ("typ", json!("at+jwt")),
    ] {
        let mut header = json!({"alg": "HS256", "typ": "JWT"});
        header[name] = value;
        // Signed as a good one is: its header alone is wrong with it.
        let message = format!("{}.{claims}", base64(&header.to_string()));
        all.push(format!("{message}.{}", signed(&message)));
    }
    for header in [
        json!({"alg": "none", "typ": "JWT"}),
        json!({"alg": "hs256", "typ": "JWT"}),
        json!({"alg": "RS256", "typ": "JWT"}),
        json!({"alg": "HS256"}),
        json!({"typ": "JWT"}),
    ] {
        let message = format!("{}.{claims}", base64(&header.to_string()));
        all.push(format!("{message}.{}", signed(&message)));
    }
    for (name, value) in [
        ("iss", json!("https://accounts.google.com")),
        ("iss", json!(["chorus", "other"])),
        ("iss", Value::Null),
        ("typ", json!("refresh")),
        ("typ", Value::Null),
        ("sub", json!("root")),
        ("sub", Value::Null),
        ("exp", json!(Utc::now().timestamp() - 3600)),
        ("exp", json!("tomorrow")),
        ("exp", Value::Null),
        ("exp", json!(-1)),
        ("exp", json!(i64::MAX)),
        ("iat", json!(Utc::now().timestamp() + 3600)),
        ("iat", json!(Utc::now().timestamp() - 2 * 86_400)),
        ("iat", Value::Null),
        ("roles", json!("admin")),
        ("jti", json!(7)),
        ("aud", json!("somebody else")),
        ("sid", Value::Null),
        ("sid", json!("root")),
        ("sid", json!(Uuid::now_v7())),
        ("sid", said(other)["sid"].clone()),
        ("sub", json!(other.account)),
    ] {
        all.push(super::tokens::bad(
            me,
            &ours,
            |claims| claims[name] = value,
            SECRET,
        ));
    }
    all
}

#[tokio::test]
async fn no_bad_token_opens_the_door() {
    crate::log::keep();
    let app = App::new(None, |_| {}).await;
    let (me, other) = (app.person(&["member"]), app.person(&["admin"]));
    let tokens = bad_tokens(&me, &other);
    assert!(tokens.len() >= 40, "{}", tokens.len());
    for token in tokens {
        let person = Person {
            account: Uuid::nil(),
            token,
        };
        let answer = app.get("/api/v1/jobs", &person).await.is(401);
        let told = answer.body.to_string();
        assert!(
            person.token.len() < 20 || !told.contains(&person.token),
            "the token is told: {told}"
        );
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        let logged = crate::log::kept();
        assert!(
            person.token.len() < 20 || !logged.contains(&person.token),
            "the token is logged"
        );
    }
    let good = Person {
        account: me.account,
        token: bad(&me, &Header::new(Algorithm::HS256), |_| {}, SECRET),
    };
    app.get("/api/v1/jobs", &good).await.is(200);
    let missing = app
        .send(app.request(Method::GET, "/api/v1/jobs", None))
        .await;
    missing.is_problem(401, "missing_credentials");
    let basic = app
        .request(Method::GET, "/api/v1/jobs", None)
        .header("authorization", "Basic eDp5");
    app.send(basic).await.is_problem(401, "invalid_token");
    let short = token::mint_at(
        SECRET,
        &grant(),
        Duration::from_secs(1),
        Utc::now() - TimeDelta::minutes(5),
    )
    .unwrap();
    let expired = Person {
        account: Uuid::nil(),
        token: short,
    };
    app.get("/api/v1/jobs", &expired)
        .await
        .is_problem(401, "token_expired");
    app.end().await;
}

#[tokio::test]
async fn credentials_are_asked_for_before_anything_is_read() {
    let app = App::new(None, |_| {}).await;
    let (id, member) = (Uuid::now_v7(), app.person(&["member"]));
    let protected = [
        (Method::POST, "/api/v1/jobs".to_owned()),
        (Method::GET, "/api/v1/jobs?limit=x&nonsense=1".to_owned()),
        (Method::GET, format!("/api/v1/jobs/{id}")),
        (Method::GET, "/api/v1/jobs/not-an-id".to_owned()),
        (Method::POST, format!("/api/v1/jobs/{id}/cancel")),
        (
            Method::GET,
            format!("/api/v1/jobs/{id}/events?starting_after=x"),
        ),
        (Method::POST, "/api/v1/surveys".to_owned()),
        (Method::GET, "/api/v1/surveys?cursor=x".to_owned()),
        (Method::GET, format!("/api/v1/surveys/{id}/status")),
        (Method::POST, format!("/api/v1/surveys/{id}/close")),
        (Method::GET, "/api/v1/personas".to_owned()),
        (Method::GET, "/api/v1/personas/me".to_owned()),
        (Method::POST, "/api/v1/personas/me/forge".to_owned()),
        (Method::GET, format!("/api/v1/personas/{id}")),
        (Method::GET, format!("/api/v1/media/{id}/file")),
        (
            Method::GET,
            "/api/v1/media/x/file?token=x&what=1".to_owned(),
        ),
    ];
    let staff = [
        (Method::GET, "/api/v1/admin/dead-letters?state=x".to_owned()),
        (Method::GET, format!("/api/v1/admin/dead-letters/{id}")),
        (
            Method::POST,
            format!("/api/v1/admin/dead-letters/{id}/replay"),
        ),
        (
            Method::POST,
            format!("/api/v1/admin/dead-letters/{id}/discard"),
        ),
    ];
    let garbage = |method: &Method, path: &str, by: Option<&Person>| {
        let request = app
            .request(method.clone(), path, by)
            .header("idempotency-key", "");
        request
            .header("content-type", "text/nonsense")
            .body("\u{0}{]".repeat(100_000))
    };
    for (method, path) in protected.iter().chain(&staff) {
        app.send(garbage(method, path, None))
            .await
            .is_problem(401, "missing_credentials");
    }
    for (method, path) in &staff {
        app.send(garbage(method, path, Some(&member)))
            .await
            .is_problem(403, "forbidden");
    }
    app.end().await;
}

#[tokio::test]
async fn what_is_another_owners_does_not_exist() {
    on_each(async |app| {
        let (mine, other) = (app.person(&["member"]), app.person(&["operator", "agent"]));
        let job = app.start("demo.patient", &mine).await;
        let survey = app
            .post("/api/v1/surveys", &mine, &json!({}))
            .await
            .is(201)
            .text("survey_id");
        for path in [
            format!("/api/v1/jobs/{job}"),
            format!("/api/v1/jobs/{job}/events"),
            format!("/api/v1/surveys/{survey}/status"),
        ] {
            app.get(&path, &other).await.is_problem(404, "not_found");
            app.get(&path, &mine).await.is(200);
        }
        for path in [
            format!("/api/v1/jobs/{job}/cancel"),
            format!("/api/v1/surveys/{survey}/close"),
        ] {
            app.post(&path, &other, &json!({}))
                .await
                .is_problem(404, "not_found");
        }
        let forge = json!({"survey_id": survey});
        app.post("/api/v1/personas/me/forge", &other, &forge)
            .await
            .is_problem(404, "not_found");
        app.get(&format!("/api/v1/jobs/{job}"), &app.person(&["admin"]))
            .await
            .is(200);
    })
    .await;
}
