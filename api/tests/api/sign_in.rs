//! Signing in by other people's issuers.

use crate::issuer::{Key, LocalIssuer, clerk, google, token};
use crate::support::{Answer, App, Person};
use base64::Engine as _;
use chrono::Utc;
use futures_util::StreamExt as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Plays a test on every database, with an issuer that is both Google and Clerk.
pub(crate) async fn on_each(test: impl AsyncFn(&App, &LocalIssuer)) {
    for server in testing::servers() {
        let issuer = LocalIssuer::new(Key::rsa("one")).await;
        let ours = vec![issuer.google(), issuer.clerk(), issuer.elsewhere()];
        let app = App::new(server, |settings| settings.sign_in.issuers = ours).await;
        test(&app, &issuer).await;
        app.end().await;
    }
}

pub(crate) async fn sign_in(app: &App, provider: &str, token: &str) -> Answer {
    let path = format!("/api/v1/auth/{provider}");
    let request = app.request(Method::POST, &path, None);
    app.send(request.json(&json!({"token": token}))).await
}

/// Whoever has this token.
pub(crate) fn holder(token: impl Into<String>) -> Person {
    Person {
        account: Uuid::nil(),
        token: token.into(),
    }
}

#[tokio::test]
async fn whoever_google_knows_signs_in_and_keeps_the_account() {
    on_each(async |app, issuer| {
        let shown = issuer.google_token("g-1", "Ana@Example.org");
        let first = sign_in(app, "google", &shown).await.is(200);
        assert_eq!(first.body["email"], "ana@example.org");
        assert_eq!(first.body["display_name"], "Ana Maria");
        assert_eq!(first.body["token_type"], "bearer");
        assert_eq!(first.body["expires_in"], 86_400);
        let me = holder(first.text("token"));
        let told = app.get("/api/v1/auth/me", &me).await.is(200);
        assert_eq!(told.body["id"], first.body["user_id"]);
        assert_eq!(told.body["roles"], json!(["member"]));
        app.post("/api/v1/surveys", &me, &json!({})).await.is(201);

        let again = issuer.google_token("g-1", "moved@example.org");
        let again = sign_in(app, "oidc/google", &again).await.is(200);
        assert_eq!(again.body["user_id"], first.body["user_id"]);
        let sessions = app.get("/api/v1/auth/sessions", &me).await.is(200);
        assert_eq!(sessions.body["items"].as_array().unwrap().len(), 2);

        let admin = app.person(&["admin"]);
        let account = first.text("user_id");
        let disable = format!("/api/v1/admin/accounts/{account}/disable");
        app.post(&disable, &admin, &json!({})).await.is(200);
        let refused = sign_in(app, "google", &shown).await;
        refused.is_problem(403, "account_disabled");
        app.get("/api/v1/auth/me", &me).await.is(401);
    })
    .await;
}

#[tokio::test]
async fn an_address_proves_nothing() {
    on_each(async |app, issuer| {
        let admin = app.person(&["admin"]);
        let body = json!({"email": "ana@example.org", "roles": ["admin"]});
        let made = app.post("/api/v1/admin/accounts", &admin, &body).await;
        let made = made.is(201).text("id");
        let mut unsure = google("g-2", "robin@example.org");
        unsure["email_verified"] = json!(false);
        let shown = [
            issuer.google_token("g-1", "ana@example.org"),
            token(&issuer.key(), &issuer.header(), &unsure),
        ];
        for shown in shown {
            let signed = sign_in(app, "google", &shown).await.is(200);
            assert_ne!(signed.text("user_id"), made, "the same address is no proof");
            let me = holder(signed.text("token"));
            let told = app.get("/api/v1/auth/me", &me).await.is(200);
            assert_eq!(told.body["roles"], json!(["member"]));
            assert_eq!(told.body["email"], Value::Null, "not theirs to claim");
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_token_of_clerk_opens_every_door_and_one_of_google_only_that_of_sign_in() {
    on_each(async |app, issuer| {
        let me = holder(issuer.clerk_token("user_1"));
        app.get("/api/v1/jobs", &me).await.is(200);
        app.post("/api/v1/surveys", &me, &json!({})).await.is(201);
        let told = app.get("/api/v1/auth/me", &me).await.is(200);
        assert_eq!(told.body["signed_in_by"], "issuer");
        let logout = app.post("/api/v1/auth/logout", &me, &json!({})).await;
        logout.is_problem(409, "state_conflict");
        let signed = sign_in(app, "oidc/clerk", &me.token).await.is(200);
        assert_eq!(signed.body["user_id"], told.body["id"]);

        let id_token = holder(issuer.google_token("g-1", "ana@example.org"));
        let refused = app.get("/api/v1/jobs", &id_token).await;
        refused.is_problem(401, "invalid_token");
        // Nor does a token of one issuer do at the other's door.
        let crossed = sign_in(app, "google", &me.token).await;
        crossed.is_problem(401, "invalid_token");
        sign_in(app, "oidc/nobody", &me.token)
            .await
            .is_problem(404, "not_found");
        let path = "/api/v1/auth/google";
        let missing = app.request(Method::POST, path, None).json(&json!({}));
        app.send(missing).await.is_problem(400, "bad_parameter");
    })
    .await;
}

pub(crate) fn changed(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

/// Tokens for Clerk's door that must not open it, each with what is wrong with it.
fn bad_tokens(issuer: &LocalIssuer) -> Vec<(String, String)> {
    let (key, header, good) = (issuer.key(), issuer.header(), clerk("user_1"));
    let now = Utc::now().timestamp();
    let mut all = vec![];
    for (name, value) in [
        ("iss", json!("https://other.clerk.example")),
        ("iss", json!("https://sure.clerk.example/")),
        ("iss", json!("chorus")),
        ("iss", json!(["https://sure.clerk.example"])),
        ("iss", Value::Null),
        ("azp", json!("https://evil.example")),
        ("azp", json!("https://app.example.com.evil.example")),
        ("azp", json!("")),
        ("azp", Value::Null),
        ("azp", json!(["https://app.example.com"])),
        ("sid", Value::Null),
        ("sid", json!("")),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("a\nb")),
        ("sub", json!("x".repeat(300))),
        ("exp", json!(now - 31)),
        ("exp", json!(now - 86_400)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!("tomorrow")),
        ("exp", json!(now + 7 * 86_400)),
        ("exp", json!(i64::MAX)),
        ("exp", Value::Null),
        ("nbf", json!(now + 120)),
        ("nbf", json!("soon")),
        ("iat", json!(now + 120)),
    ] {
        let claims = changed(&good, name, value.clone());
        all.push((format!("{name} {value}"), token(&key, &header, &claims)));
    }
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("RS384")),
        ("alg", json!("ES256")),
        ("alg", json!("rs256")),
        ("kid", json!("unknown")),
        ("kid", json!("")),
        ("kid", Value::Null),
        ("kid", json!("x".repeat(300))),
        ("typ", json!("at+jwt")),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/chain")),
        ("x5c", json!(["AAAA"])),
        ("jwk", json!({"kty": "oct", "k": "AAAA"})),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        let header = changed(&header, name, value.clone());
        all.push((
            format!("header {name} {value}"),
            token(&key, &header, &good),
        ));
    }
    let stranger = Key::rsa(&key.id);
    all.push(("another's key".to_owned(), token(&stranger, &header, &good)));
    // The public key as a secret: whoever lets a token choose its algorithm believes it.
    let mut confused = Header::new(Algorithm::HS256);
    confused.kid = Some(key.id.clone());
    let secret = EncodingKey::from_secret(&key.public());
    let confused = jsonwebtoken::encode(&confused, &good, &secret).unwrap();
    all.push(("the public key as a secret".to_owned(), confused));
    let whole = token(&key, &header, &good);
    let parts: Vec<&str> = whole.split('.').collect();
    let other = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(clerk("admin").to_string());
    for (what, text) in [
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("other claims", format!("{}.{other}.{}", parts[0], parts[2])),
        ("a longer signature", format!("{whole}AAAA")),
        ("too long", format!("{whole}{}", "A".repeat(9000))),
    ] {
        all.push((what.to_owned(), text));
    }
    all
}

#[tokio::test]
async fn no_bad_token_of_an_issuer_opens_any_door_or_is_logged() {
    crate::log::keep();
    let issuer = LocalIssuer::new(Key::rsa("one")).await;
    let ours = vec![issuer.clerk()];
    let app = App::new(None, |settings| settings.sign_in.issuers = ours).await;
    let good = holder(issuer.clerk_token("user_1"));
    app.get("/api/v1/jobs", &good).await.is(200);
    let bad = bad_tokens(&issuer);
    assert!(bad.len() >= 40, "{}", bad.len());
    for (what, token) in bad {
        let by = holder(token);
        for answer in [
            app.get("/api/v1/jobs", &by).await,
            sign_in(&app, "oidc/clerk", &by.token).await,
        ] {
            assert_eq!(answer.status, 401, "{what}: {answer:#?}");
            assert!(!answer.body.to_string().contains(&by.token), "{what}");
        }
        assert!(!crate::log::kept().contains(&by.token), "{what} is logged");
    }
    app.end().await;
}

#[tokio::test]
async fn a_token_for_several_says_which_of_them_asked_for_it() {
    on_each(async |app, issuer| {
        let client = crate::issuer::CLIENT;
        for (aud, azp, opens) in [
            (json!("other"), json!(client), false),
            (json!([client]), Value::Null, true),
            (json!([client, "other"]), json!(client), true),
            (json!([client, "other"]), json!("other"), false),
            (json!([client, "other"]), Value::Null, false),
            (json!([]), json!(client), false),
            (Value::Null, json!(client), false),
        ] {
            let mut claims = google("g-1", "ana@example.org");
            (claims["aud"], claims["azp"]) = (aud.clone(), azp.clone());
            let shown = token(&issuer.key(), &issuer.header(), &claims);
            let status = if opens { 200 } else { 401 };
            let answer = sign_in(app, "google", &shown).await;
            assert_eq!(answer.status, status, "{aud} {azp}");
        }
    })
    .await;
}

#[tokio::test]
async fn invented_key_ids_do_not_make_us_hammer_an_issuer() {
    let issuer = LocalIssuer::new(Key::rsa("one")).await;
    let ours = vec![issuer.clerk()];
    let app = App::new(None, |settings| settings.sign_in.issuers = ours).await;
    let good = holder(issuer.clerk_token("user_1"));
    app.get("/api/v1/jobs", &good).await.is(200);
    assert_eq!(issuer.fetches(), 1);
    let odd = Key::ec("x");
    let flood = (0..10_000).map(|n| {
        let header = changed(&issuer.header(), "kid", json!(format!("invented-{n}")));
        // Nobody looks at a signature without a key.
        let by = holder(token(&odd, &header, &clerk("user_1")));
        let app = &app;
        async move { app.get("/api/v1/jobs", &by).await.is(401) }
    });
    let answered = futures_util::stream::iter(flood).buffer_unordered(16);
    assert_eq!(answered.count().await, 10_000);
    let more = issuer.fetches() - 1;
    assert!(more <= 1, "{more} fetches");
    app.get("/api/v1/jobs", &good).await.is(200);
    app.end().await;
}

#[tokio::test]
async fn a_rotated_key_counts_after_one_fetch_and_many_who_bring_it_share_it() {
    on_each(async |app, issuer| {
        let old = holder(issuer.clerk_token("user_1"));
        app.get("/api/v1/jobs", &old).await.is(200);
        let withdrawn = issuer.clerk_token("user_2");
        issuer.rotate(Key::rsa("two"));
        let new = holder(issuer.clerk_token("user_1"));
        let many = (0..20).map(|_| app.get("/api/v1/jobs", &new));
        for answer in futures_util::future::join_all(many).await {
            answer.is(200);
        }
        assert_eq!(issuer.fetches(), 2);
        app.get("/api/v1/jobs", &holder(withdrawn)).await.is(401);
        let me = app.get("/api/v1/auth/me", &new).await.is(200);
        assert_eq!(me.body, app.get("/api/v1/auth/me", &old).await.body);
    })
    .await;
}

#[tokio::test]
async fn an_issuer_that_is_away_is_no_reason_to_call_a_token_bad() {
    on_each(async |app, issuer| {
        issuer.leave();
        let shown = issuer.google_token("g-1", "ana@example.org");
        for _ in 0..5 {
            let away = sign_in(app, "google", &shown).await;
            away.is_problem(503, "unavailable");
        }
        assert_eq!(issuer.fetches(), 1, "left alone after a failure");
        let moved = sign_in(app, "oidc/elsewhere", &issuer.clerk_token("user_1")).await;
        moved.is_problem(503, "unavailable"); // a redirect is not followed
        assert_eq!(issuer.fetches(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_issuer_that_signs_on_a_curve_is_believed_on_that_curve_alone() {
    let issuer = LocalIssuer::new(Key::ec("curve")).await;
    let mut clerk = issuer.clerk();
    clerk.algorithm = process::settings::Algorithm::Es256;
    let app = App::new(None, |settings| settings.sign_in.issuers = vec![clerk]).await;
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": "curve"});
    let claims = crate::issuer::clerk("user_1");
    let good = holder(token(&issuer.key(), &header, &claims));
    app.get("/api/v1/jobs", &good).await.is(200);
    let header = changed(&header, "alg", json!("RS256"));
    let bad = holder(token(&issuer.key(), &header, &claims));
    app.get("/api/v1/jobs", &bad).await.is(401);
    app.end().await;
}
