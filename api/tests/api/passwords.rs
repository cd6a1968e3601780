//! Passwords that were imported, that are set while somebody looks, and that callers do not wait for.

use crate::sessions::{PASSWORD, login, somebody};
use crate::support::{App, on_each};
use process::settings::PasswordCost;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use uuid::Uuid;

const ACCOUNTS: &str = "/api/v1/admin/accounts";
const LATEST: Duration = Duration::from_secs(30);

async fn hash_of(app: &App, id: &str) -> String {
    let find = "SELECT hash FROM passwords WHERE account_id = $1";
    let id: Uuid = id.parse().unwrap();
    app.store.db().query(find).bind(id).scalar().await.unwrap()
}

#[tokio::test]
async fn an_imported_hash_opens_once_and_is_one_of_todays_then() {
    on_each(async |app| {
        let id = somebody(app, "ana@example.org", &["member"]).await;
        let imported = bcrypt::hash_with_salt(PASSWORD, 4, [7; 16]).unwrap();
        let import = "UPDATE passwords SET hash = $1";
        let import = app.store.db().query(import).bind(imported.to_string());
        import.execute().await.unwrap();

        let wrong = login(app, "ana@example.org", "wrong").await;
        wrong.is_problem(401, "invalid_credentials");
        assert!(hash_of(app, &id).await.starts_with("$2b$04$"));
        login(app, "ana@example.org", PASSWORD).await.is(200);
        assert!(hash_of(app, &id).await.starts_with("$argon2id$"));
        login(app, "ana@example.org", PASSWORD).await.is(200);
        let wrong = login(app, "ana@example.org", "wrong").await;
        wrong.is_problem(401, "invalid_credentials");
    })
    .await;
}

#[tokio::test]
async fn neither_a_body_nor_an_address_can_be_found_by_trying_what_is_kept_of_it() {
    on_each(async |app| {
        let admin = app.person(&["admin"]);
        let body = json!({"email": "ana@example.org", "password": PASSWORD}).to_string();
        let request = app
            .request(Method::POST, ACCOUNTS, Some(&admin))
            .header("idempotency-key", "k-1")
            .header("content-type", "application/json");
        app.send(request.body(body.clone())).await.is(201);
        login(app, "ana@example.org", "wrong").await.is(401);
        let kept = "SELECT body_hash FROM idempotency_keys WHERE key = 'k-1'";
        let kept: String = app.store.db().query(kept).scalar().await.unwrap();
        assert_ne!(kept, domain::hash::name(body.as_bytes()));
        let address = "SELECT address_hash FROM sign_in_attempts";
        let address: Vec<u8> = app.store.db().query(address).scalar().await.unwrap();
        let plain = domain::hash::name(b"ana@example.org");
        assert_ne!(domain::hash::hexadecimal(&address), plain);
    })
    .await;
}

/// Passwords whose looks take a moment, one after the other.
fn slow(settings: &mut chorus_api::ApiSettings) {
    settings.sign_in.cost = PasswordCost {
        memory_kib: 65_536,
        passes: 4,
        at_once: 1,
    };
}

#[tokio::test]
async fn nobody_is_told_who_there_is_by_how_long_it_takes() {
    let app = App::new(None, |settings| {
        slow(settings);
        settings.sign_in.cost.passes = 2;
    })
    .await;
    somebody(&app, "ana@example.org", &["member"]).await;
    // The shortest of a few is what a look takes; the fifth would lock the address.
    let shortest = async |email: &str| {
        let mut shortest = LATEST;
        for _ in 0..4 {
            let began = Instant::now();
            let wrong = login(&app, email, "a wrong long password").await;
            shortest = shortest.min(began.elapsed());
            wrong.is_problem(401, "invalid_credentials");
        }
        shortest
    };
    let (known, unknown) = (
        shortest("ana@example.org").await,
        shortest("nobody@example.org").await,
    );
    assert!(
        known > Duration::from_millis(20),
        "a look takes a moment: {known:?}"
    );
    assert!(
        unknown > known / 2 && known > unknown / 2,
        "{known:?} {unknown:?}"
    );
    app.end().await;
}

#[tokio::test]
async fn a_password_that_is_set_while_somebody_signs_in_keeps_the_old_one_out() {
    for server in testing::servers() {
        let app = App::new(server, slow).await;
        let id = somebody(&app, "ana@example.org", &["member"]).await;
        let (http, url) = (app.http.clone(), format!("{}/api/v1/auth/login", app.base));
        let signing_in = tokio::spawn(async move {
            let body = json!({"email": "ana@example.org", "password": PASSWORD});
            let answer = http.post(url).json(&body).send().await.unwrap();
            answer.status().as_u16()
        });
        // It has read the hash a moment after its attempt is counted, and looks at it for much longer.
        let began = Instant::now();
        let counted = "SELECT COUNT(*) FROM sign_in_attempts";
        while app.store.db().query(counted).scalar::<i64>().await.unwrap() == 0 {
            assert!(began.elapsed() < LATEST);
        }
        for _ in 0..20 {
            app.send(app.request(Method::GET, "/livez", None)).await;
        }
        assert!(!signing_in.is_finished(), "it was too fast to be overtaken");
        let set = "UPDATE passwords SET hash = $1 WHERE account_id = $2";
        let set = app.store.db().query(set).bind("another".to_owned());
        let id: Uuid = id.parse().unwrap();
        set.bind(id).execute().await.unwrap();
        assert_eq!(signing_in.await.unwrap(), 401);
        let sessions = "SELECT COUNT(*) FROM sessions WHERE NOT own_roles";
        let opened: i64 = app.store.db().query(sessions).scalar().await.unwrap();
        assert_eq!(opened, 0);
        app.end().await;
    }
}
