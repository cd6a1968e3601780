//! Keys of machines, and the key of the settings.

use crate::support::{Answer, App, Person, on_each};
use process::Secret;
use reqwest::Method;
use serde_json::{Value, json};

const KEYS: &str = "/api/v1/admin/api-keys";
const ACCOUNTS: &str = "/api/v1/admin/accounts";
const BOOTSTRAP: &str = "a bootstrap key of forty bytes or so, too";

async fn with_key(app: &App, method: Method, path: &str, key: &str, body: Value) -> Answer {
    let request = app.request(method, path, None).header("x-api-key", key);
    app.send(request.json(&body)).await
}

async fn get(app: &App, path: &str, key: &str) -> Answer {
    with_key(app, Method::GET, path, key, json!({})).await
}

pub(crate) async fn made(app: &App, admin: &Person, scopes: &[&str]) -> Answer {
    let body = json!({"name": "nightly", "scopes": scopes, "reason": "a test"});
    app.post(KEYS, admin, &body).await.is(201)
}

/// An admin whose account is one: the key of it may do what its scopes say.
pub(crate) async fn admin(app: &App) -> Person {
    let admin = app.person(&["admin"]);
    let path = format!("{ACCOUNTS}/{}/roles", admin.account);
    let request = app.request(Method::PUT, &path, Some(&admin));
    let body = json!({"roles": ["member", "admin"]});
    app.send(request.json(&body)).await.is(200);
    admin
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_and_is_told_once() {
    on_each(async |app| {
        let admin = admin(app).await;
        let key = made(app, &admin, &["ops:read", "jobs:write"]).await;
        let (id, secret) = (key.text("id"), key.text("key"));
        assert!(secret.starts_with(&key.text("prefix")) && secret.len() > 55);
        get(app, "/api/v1/admin/queues", &secret).await.is(200);
        get(app, "/api/v1/jobs", &secret).await.is(200);
        let job = json!({"kind": "demo.pair"});
        let job = with_key(app, Method::POST, "/api/v1/jobs", &secret, job).await;
        let job = job.is(202).id();
        app.get(&format!("/api/v1/jobs/{job}"), &admin)
            .await
            .is(200);
        for refused in [KEYS, ACCOUNTS, "/api/v1/surveys", "/api/v1/auth/sessions"] {
            get(app, refused, &secret)
                .await
                .is_problem(403, "forbidden");
        }
        let me = "/api/v1/auth/me";
        let erased = with_key(app, Method::DELETE, me, &secret, json!({})).await;
        erased.is_problem(403, "forbidden"); // whatever its scopes are
        let me = get(app, me, &secret).await.is(200);
        assert_eq!(me.body["signed_in_by"], "api_key");

        let listed = app.get(KEYS, &admin).await.is(200);
        assert!(
            !listed.body.to_string().contains(&secret[20..]),
            "{listed:#?}"
        );
        assert!(listed.body["items"][0]["last_used_at"].is_string());
        let revoke = format!("{KEYS}/{id}/revoke");
        app.post(&revoke, &admin, &json!({})).await.is(200);
        let over = get(app, "/api/v1/jobs", &secret).await;
        over.is_problem(401, "invalid_api_key");
        app.post(&revoke, &admin, &json!({})).await.is(200);
        let audit = format!("/api/v1/admin/audit?target={id}");
        let audit = app.get(&audit, &admin).await.is(200).body["items"].clone();
        assert_eq!(
            audit.as_array().unwrap().len(),
            2,
            "made and revoked, once each"
        );
    })
    .await;
}

#[tokio::test]
async fn a_key_may_no_more_than_its_account_does() {
    on_each(async |app| {
        let admin = admin(app).await;
        let body = json!({"email": "bot@example.org", "roles": ["member"]});
        let bot = app.post(ACCOUNTS, &admin, &body).await.is(201).text("id");
        let body = json!({"name": "bot", "scopes": ["ops:read", "jobs:read"], "account_id": bot});
        let key = app.post(KEYS, &admin, &body).await.is(201).text("key");
        get(app, "/api/v1/jobs", &key).await.is(200);
        let refused = get(app, "/api/v1/admin/queues", &key).await;
        refused.is_problem(403, "forbidden");
        // Own stays own, though the scope says nothing of it.
        let job = app.start("demo.pair", &admin).await;
        let other = get(app, &format!("/api/v1/jobs/{job}"), &key).await;
        other.is_problem(404, "not_found");
        let path = format!("{ACCOUNTS}/{bot}/roles");
        let request = app.request(Method::PUT, &path, Some(&admin));
        let roles = json!({"roles": ["operator"]});
        app.send(request.json(&roles)).await.is(200);
        get(app, "/api/v1/admin/queues", &key).await.is(200);
        app.post(&format!("{ACCOUNTS}/{bot}/disable"), &admin, &json!({}))
            .await
            .is(200);
        let off = get(app, "/api/v1/admin/queues", &key).await;
        off.is_problem(403, "account_disabled");
    })
    .await;
}

#[tokio::test]
async fn what_is_no_key_opens_nothing() {
    on_each(async |app| {
        let admin = admin(app).await;
        let key = made(app, &admin, &["ops:read"]).await.text("key");
        let mut other = key.clone();
        other.replace_range(key.len() - 3.., "AAA");
        let long = format!("{key}{}", "x".repeat(300));
        for bad in [
            "x",
            "chk_",
            &key[..16],
            &other,
            &key.to_uppercase(),
            &long,
            BOOTSTRAP,
        ] {
            let refused = get(app, "/api/v1/admin/queues", bad).await;
            refused.is_problem(401, "invalid_api_key");
        }
        let both = app.request(Method::GET, "/api/v1/jobs", Some(&admin));
        let both = app.send(both.header("x-api-key", &key)).await;
        both.is_problem(401, "invalid_token");
        let twice = app.request(Method::GET, "/api/v1/jobs", None);
        let twice = twice.header("x-api-key", &key).header("x-api-key", &key);
        app.send(twice).await.is_problem(401, "invalid_api_key");
        let end =
            "UPDATE api_keys SET expires_at = '2020-01-01T00:00:00+00:00' WHERE name = 'nightly'";
        app.store.db().query(end).execute().await.unwrap();
        get(app, "/api/v1/admin/queues", &key).await.is(401);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_asked_for_with_known_words() {
    on_each(async |app| {
        let admin = admin(app).await;
        let body = json!({"name": " ", "scopes": ["ops:read", "everything"], "expires_at": "2020-01-01T00:00:00Z"});
        let wrong = app.post(KEYS, &admin, &body).await;
        let wrong = wrong.is_problem(422, "validation_failed");
        let told = wrong.body["errors"].as_array().unwrap().iter();
        let pointers: Vec<_> = told.map(|one| &one["pointer"]).collect();
        assert_eq!(pointers, ["/name", "/scopes/1", "/expires_at"]);
        let unknown = json!({"name": "x", "scopes": ["ops:read"], "key_hash": "x"});
        app.post(KEYS, &admin, &unknown).await.is_problem(400, "unknown_field");

        // Asked again, it is the same key, and nobody can show it any more.
        let body = json!({"name": "once", "scopes": ["ops:read"]});
        let ask = || {
            let request = app.request(Method::POST, KEYS, Some(&admin));
            app.send(request.header("idempotency-key", "k").json(&body))
        };
        let (first, again) = (ask().await.is(201), ask().await.is(201));
        assert_eq!(first.id(), again.id());
        assert!(first.body["key"].is_string() && again.body["key"].is_null());
    })
    .await;
}

#[tokio::test]
async fn the_key_of_the_settings_makes_the_first_accounts_and_keys_and_no_more() {
    for server in testing::servers() {
        let app = App::new(server, |settings| {
            settings.sign_in.bootstrap_key = Some(Secret::new(BOOTSTRAP));
        })
        .await;
        let body = json!({"email": "first@example.org", "roles": ["admin"], "password": "a long password"});
        let first = with_key(&app, Method::POST, ACCOUNTS, BOOTSTRAP, body).await;
        let first = first.is(201).text("id");
        let body = json!({"name": "first", "scopes": ["ops:read"], "account_id": first});
        let key = with_key(&app, Method::POST, KEYS, BOOTSTRAP, body).await;
        let key = key.is(201).text("key");
        get(&app, "/api/v1/admin/queues", &key).await.is(200);
        let nobody = json!({"name": "nobody", "scopes": ["ops:read"]});
        let nobody = with_key(&app, Method::POST, KEYS, BOOTSTRAP, nobody).await;
        nobody.is_problem(422, "validation_failed");
        for refused in ["/api/v1/jobs", "/api/v1/admin/queues", "/api/v1/surveys"] {
            get(&app, refused, BOOTSTRAP)
                .await
                .is_problem(403, "forbidden");
        }
        get(&app, "/api/v1/auth/me", BOOTSTRAP).await.is(200);
        for bad in [&BOOTSTRAP[1..], "a bootstrap key", ""] {
            get(&app, "/api/v1/auth/me", bad).await.is(401);
        }
        app.end().await;
    }
}

#[tokio::test]
async fn a_key_for_accounts_makes_no_admin() {
    on_each(async |app| {
        let admin = admin(app).await;
        let key = made(app, &admin, &["accounts:write"]).await.text("key");
        let new = |roles: Value| json!({"email": "x@example.org", "roles": roles});
        let refused = with_key(app, Method::POST, ACCOUNTS, &key, new(json!(["admin"]))).await;
        refused.is_problem(403, "forbidden");
        let account = with_key(app, Method::POST, ACCOUNTS, &key, new(json!(["member"]))).await;
        let account = account.is(201).text("id");
        let path = format!("{ACCOUNTS}/{account}/roles");
        let roles = json!({"roles": ["admin"]});
        let refused = with_key(app, Method::PUT, &path, &key, roles).await;
        refused.is_problem(403, "forbidden");
        let path = format!("{ACCOUNTS}/{}/password", admin.account);
        let password = json!({"password": "a long password"});
        let refused = with_key(app, Method::PUT, &path, &key, password).await;
        refused.is_problem(403, "forbidden");
        let path = format!("{ACCOUNTS}/{account}/password");
        let password = json!({"password": "a long password"});
        let refused = with_key(app, Method::PUT, &path, &key, password).await;
        refused.is_problem(403, "forbidden");
        let path = format!("{ACCOUNTS}/{account}/roles");
        let roles = json!({"roles": ["operator"]});
        let refused = with_key(app, Method::PUT, &path, &key, roles).await;
        refused.is_problem(403, "forbidden");
        let another = json!({"name": "x", "account_id": account, "scopes": ["accounts:write"]});
        let refused = with_key(app, Method::POST, KEYS, &key, another).await;
        refused.is_problem(403, "forbidden");
        let refused = with_key(app, Method::DELETE, "/api/v1/auth/me", &key, json!({})).await;
        refused.is_problem(403, "forbidden");
        let own = format!("{ACCOUNTS}/{}/disable", admin.account);
        app.post(&own, &admin, &json!({}))
            .await
            .is_problem(409, "state_conflict");
    })
    .await;
}
