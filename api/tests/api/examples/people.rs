//! The examples of signing in, and of those who say who may do what.

use crate::document::Document;
use crate::issuer::LocalIssuer;
use crate::support::{App, Person};
use reqwest::Method;
use serde_json::json;

/// Makes the account of the examples, and signs it in.
pub(super) async fn sign_in(
    app: &App,
    document: &mut Document,
    issuer: &LocalIssuer,
    admin: &Person,
) {
    document
        .play(app, "createAccount", &[], Some(admin))
        .await
        .is(201);
    let wrong = json!({"email": "robin@example.org", "password": "three other words"});
    document
        .send(app, "login", &[], None, Some(&wrong))
        .await
        .is_problem(401, "invalid_credentials");
    let opened = document.play(app, "login", &[], None).await;

    // The token of the example is nobody's.
    let example = document.example("refresh");
    document
        .send(app, "refresh", &[], None, example.as_ref())
        .await
        .is_problem(401, "invalid_token");
    // The token that the example got was lost on the way: it was asked for again.
    let mine = json!({"refresh_token": opened.text("refresh_token")});
    document
        .send(app, "refresh", &[], None, Some(&mine))
        .await
        .is_problem(401, "invalid_token");
    let example = document.example("login");
    let opened = document.send(app, "login", &[], None, example.as_ref());
    let mine = json!({"refresh_token": opened.await.is(200).text("refresh_token")});
    let answer = document
        .play_with(app, "refresh", &[], None, Some(&mine))
        .await;
    assert_ne!(answer.is(200).text("refresh_token"), mine["refresh_token"]);
    document
        .send(app, "refresh", &[], None, Some(&mine))
        .await
        .is_problem(401, "invalid_token");

    let (google, clerk) = (
        issuer.google_token("g-1", "ana@example.org"),
        issuer.clerk_token("user_1"),
    );
    for (id, provider, token) in [
        ("signInByGoogle", "google", google),
        ("signInByIssuer", "clerk", clerk),
    ] {
        let names: &[(&str, &str)] = &[("provider", provider)];
        let example = document.example(id);
        document
            .send(app, id, names, None, example.as_ref())
            .await
            .is_problem(401, "invalid_token");
        document
            .send(app, id, names, None, Some(&json!({})))
            .await
            .is_problem(400, "bad_parameter");
        document
            .play_with(app, id, names, None, Some(&json!({"token": token})))
            .await
            .is(200);
    }
    let example = document.example("signInByIssuer");
    document
        .send(
            app,
            "signInByIssuer",
            &[("provider", "nobody")],
            None,
            example.as_ref(),
        )
        .await
        .is_problem(404, "not_found");
}

/// Changes the account of the examples, which is there.
pub(super) async fn accounts(app: &App, document: &mut Document, person: &Person) {
    let admin = Some(person);
    let example = document.example("createAccount");
    document
        .send(app, "createAccount", &[], admin, example.as_ref())
        .await
        .is_problem(409, "state_conflict");
    document.play(app, "listAccounts", &[], admin).await;
    let found = "/api/v1/admin/accounts?email=robin@example.org";
    let found = app.get(found, person).await.is(200);
    document.check("listAccounts", &found);
    let robin = found.body["items"][0]["id"].as_str().unwrap().to_owned();
    let names: &[(&str, &str)] = &[("id", &robin)];
    document.play(app, "setRoles", names, admin).await;
    let off = document.play(app, "disableAccount", names, admin).await;
    assert!(off.body["disabled_at"].is_string(), "{off:#?}");
    let example = document.example("login");
    document
        .send(app, "login", &[], None, example.as_ref())
        .await
        .is_problem(403, "account_disabled");
    document.play(app, "enableAccount", names, admin).await;
    document.play(app, "setPassword", names, admin).await;
    let own = person.account.to_string();
    document
        .send(app, "disableAccount", &[("id", &own)], admin, None)
        .await
        .is_problem(409, "state_conflict");
}

pub(super) async fn keys(app: &App, document: &mut Document, person: &Person) {
    let admin = Some(person);
    let made = document.play(app, "createApiKey", &[], admin).await.is(201);
    let example = document.example("createApiKey").unwrap();
    for again in [false, true] {
        let request = app
            .request(Method::POST, "/api/v1/admin/api-keys", admin)
            .header("idempotency-key", "a key, once");
        let answer = app.send(request.json(&example)).await.is(201);
        document.check("createApiKey", &answer);
        assert_eq!(answer.body["key"].is_null(), again, "{answer:#?}");
    }
    document.play(app, "listApiKeys", &[], admin).await;
    let id = made.text("id");
    let revoked = document
        .play(app, "revokeApiKey", &[("id", &id)], admin)
        .await;
    assert!(revoked.body["revoked_at"].is_string(), "{revoked:#?}");
}
