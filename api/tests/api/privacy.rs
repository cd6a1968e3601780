//! What is nobody's business: an owner learns nothing of a single friend, and whoever goes leaves nothing.

use crate::mirror::respond;
use crate::support::{Answer, App, Person, answers, on_each};
use domain::topics::store::embeddings;
use reqwest::Method;
use saga_core::db::{Db, Durability, Sql};
use serde_json::{Value, json};

/// Every address that an owner may look at, with the ids that it has learned.
async fn told_to_owner(app: &App, me: &Person, survey: &str) -> Vec<Answer> {
    let mut all = vec![];
    let mine = app.get("/api/v1/personas/me", me).await;
    let persona = mine.body["persona_id"]
        .as_str()
        .unwrap_or("none")
        .to_owned();
    let job = mine.body["job"].as_str().unwrap_or("/none").to_owned();
    let fixed = [
        "/api/v1/surveys".to_owned(),
        format!("/api/v1/surveys/{survey}"),
        format!("/api/v1/surveys/{survey}/status"),
        format!("/api/v1/surveys/{survey}/responses"),
        "/api/v1/personas".to_owned(),
        format!("/api/v1/personas/{persona}"),
        "/api/v1/jobs".to_owned(),
        job.clone(),
        format!("{job}/events"),
        "/api/v1/admin/audit".to_owned(),
        "/api/v1/admin/sagas".to_owned(),
    ];
    all.push(mine);
    for path in fixed {
        all.push(app.get(&path, me).await);
    }
    all
}

#[tokio::test]
async fn an_owner_learns_nothing_of_a_single_friend() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let survey = crate::mirror::survey(app, &me).await;
        let path = format!("/api/v1/surveys/{survey}/responses");
        for (at, friend) in ["ana", "ben", "cem"].into_iter().enumerate() {
            let mut said = answers();
            said["m1"] = json!(format!("canary-memory-{friend}"));
            let request = app.request(Method::POST, &path, None);
            let request = request.header("user-agent", format!("canary-agent-{friend}"));
            let request = request.header("x-request-id", format!("canary-request-{friend}"));
            let body = json!({"answers": said, "fingerprint": format!("canary-print-{friend}")});
            app.send(request.json(&body)).await.is(201);
            // Between two answers an owner may look as often as it likes.
            let status = app.get(&format!("/api/v1/surveys/{survey}/status"), &me).await;
            assert_eq!(status.is(200).body["response_count"], at + 1);
        }
        app.work();
        app.until("/api/v1/personas/me", &me, |answer| answer.body["status"] == "ready").await;

        let rows: Sql = Sql {
            postgres: "SELECT id::text, encode(responder_hash, 'hex'), to_char(submitted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS') FROM survey_responses ORDER BY submitted_at",
            sqlite: "SELECT lower(hex(id)), lower(hex(responder_hash)), substr(submitted_at, 1, 23) FROM survey_responses ORDER BY submitted_at",
        };
        let rows: Vec<(String, String, String)> = app.store.db().query(rows).all().await.unwrap();
        assert_eq!(rows.len(), 3);
        let (ids, hashes): (Vec<_>, Vec<_>) = rows.iter().map(|(id, hash, _)| (id, hash)).unzip();
        // The answer that is the last one needed starts a job in the same moment; the others leave no time.
        let times: Vec<&str> = rows[..2].iter().map(|(_, _, at)| at.as_str()).collect();
        assert!(times.iter().all(|at| at.len() == 23), "{times:?}");
        for answer in told_to_owner(app, &me, &survey).await {
            let told = format!("{} {:?}", answer.body, answer.headers);
            for canary in ["canary-memory", "canary-agent", "canary-print", "127.0.0.1:", "canary-request"] {
                assert!(!told.replace(&app.base, "").contains(canary), "{canary}: {told}");
            }
            let plain = told.replace('-', "");
            for secret in ids.iter().chain(&hashes) {
                assert!(!plain.contains(&secret.replace('-', "")), "{secret}: {told}");
            }
            assert!(!told.contains("responder") && !told.contains("submitted_at"), "{told}");
            assert!(times.iter().all(|at| !told.contains(at)), "{times:?}: {told}");
        }
    })
    .await;
}

/// Every text in every table, as somebody with a dump of the store would find it.
async fn dump(db: &Db) -> String {
    let tables = Sql {
        postgres: "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'chorus'",
        sqlite: "SELECT name FROM sqlite_schema WHERE type = 'table'",
    };
    let tables: Vec<(String,)> = db.query(tables).all().await.unwrap();
    assert!(tables.len() > 10);
    let mut dump = String::new();
    for (table,) in tables {
        dump.push_str(&rows(db, &table).await);
    }
    dump
}

/// A table's rows as text; bytes as the text that they are, if they are any.
async fn rows(db: &Db, table: &str) -> String {
    let columns = Sql {
        postgres: "SELECT column_name::text, data_type = 'bytea' FROM information_schema.columns WHERE table_schema = 'chorus' AND table_name = $1",
        sqlite: "SELECT name, false FROM pragma_table_info($1)",
    };
    let columns: Vec<(String, bool)> = db
        .query(columns)
        .bind(table.to_owned())
        .all()
        .await
        .unwrap();
    let postgres = db.name() == "postgres";
    let texts = columns.iter().map(|(name, bytes)| match (postgres, bytes) {
        (true, true) => format!("COALESCE(encode({name}, 'escape'), '')"),
        (true, false) => format!("COALESCE({name}::text, '')"),
        (false, _) => format!("COALESCE(CAST({name} AS TEXT), '')"),
    });
    let texts: Vec<String> = texts.collect();
    let sql: &'static str = format!("SELECT {} FROM {table}", texts.join(" || ' ' || ")).leak();
    let found: Vec<(Vec<u8>,)> = if postgres {
        let found: Vec<(String,)> = db.query(sql).all().await.unwrap();
        let bytes = found.into_iter().map(|(text,)| (text.into_bytes(),));
        bytes.collect()
    } else {
        let sql = sql.replacen("SELECT ", "SELECT CAST(", 1);
        let sql = sql.replacen(" FROM ", " AS BLOB) FROM ", 1).leak();
        db.query(&*sql).all().await.unwrap()
    };
    let lines = found
        .iter()
        .map(|(bytes,)| String::from_utf8_lossy(bytes).into_owned() + "\n");
    lines.collect()
}

/// Keeps a vector of what somebody wrote, as a round does.
async fn keep_vector(db: &Db, text: &str) {
    let mut tx = db.begin(Durability::Full).await.unwrap();
    let vectors = [(embeddings::hash(text), vec![0.5_f32, -2.0])];
    embeddings::keep(&mut tx, "a test", &vectors).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(vector(db, text).await, Some(vec![0.5, -2.0]));
}

async fn vector(db: &Db, text: &str) -> Option<Vec<f32>> {
    let text = [embeddings::hash(text)];
    let found = embeddings::find(db, "a test", &text).await;
    found.unwrap().remove(0)
}

#[tokio::test]
async fn after_an_erasure_nothing_of_the_account_is_left() {
    on_each(async |app| {
        let (me, other) = (app.person(&["admin"]), app.person(&["member"]));
        let kept = crate::mirror::survey(app, &other).await;
        let asked = json!({"title": "canary-title"});
        let request = app.request(Method::POST, "/api/v1/surveys", Some(&me));
        let request = request
            .header("idempotency-key", "canary-key")
            .header("x-request-id", "canary-id");
        let survey = app
            .send(request.json(&asked))
            .await
            .is(201)
            .text("survey_id");
        let mut said = answers();
        said["m1"] = json!("canary-memory");
        for friend in 0..3 {
            let path = format!("/api/v1/surveys/{survey}/responses");
            let body = json!({"answers": said, "fingerprint": format!("canary {friend}")});
            let request = app.request(Method::POST, &path, None);
            app.send(request.header("x-request-id", "canary-id").json(&body))
                .await
                .is(201);
        }
        let topic = crate::topics::topic(app).await;
        let idea = json!({"text": "canary-idea"});
        app.post("/api/v1/submissions", &me, &idea).await.is(201);
        let path = format!("/api/v1/topics/{topic}/posts");
        let post = json!({"body": "canary-post"});
        app.post(&path, &me, &post).await.is(201);
        keep_vector(app.store.db(), "canary-idea").await;
        app.work();
        let ready = app
            .until("/api/v1/personas/me", &me, |answer| {
                answer.body["status"] == "ready"
            })
            .await;
        let name = ready.body["name"].as_str().unwrap().to_owned();
        let queue = json!({"reason": "a test"});
        app.post("/api/v1/admin/queues/delivery/pause", &me, &queue)
            .await
            .is(200);
        let failed = app.start("demo.fail", &me).await;
        app.until_status(failed, &me, "parked").await;
        let theirs = app.start("demo.fail", &other).await;
        let theirs = app.until_status(theirs, &other, "parked").await;
        let letter = theirs.text("dead_letter");
        let letter = format!("/api/v1/admin/dead-letters/{letter}/discard");
        let decided = app.post(&letter, &me, &json!({"reason": "a test"})).await;
        assert!(decided.status.is_success(), "{decided:#?}");
        // What a key of theirs decides is signed with their address, too.
        let path = format!("/api/v1/admin/accounts/{}/roles", me.account);
        let request = app.request(Method::PUT, &path, Some(&me));
        let roles = json!({"roles": ["member", "admin"]});
        app.send(request.json(&roles)).await.is(200);
        let key = json!({"name": "nightly", "scopes": ["ops:write"]});
        let key = app.post("/api/v1/admin/api-keys", &me, &key).await.is(201);
        let path = "/api/v1/admin/queues/delivery/resume";
        let request = app.request(Method::POST, path, None);
        let request = request.header("x-api-key", key.text("key"));
        app.send(request.json(&json!({}))).await.is(200);
        let email = format!("{}@", me.account.simple());
        let before = dump(app.store.db()).await;
        for canary in [
            "canary-title",
            "canary-memory",
            "canary-key",
            "canary-id",
            "canary-idea",
            "canary-post",
            &email,
            &name,
        ] {
            assert!(before.contains(canary), "{canary} is nowhere to be found");
        }

        let request = app.request(Method::DELETE, "/api/v1/auth/me", Some(&me));
        let job = app.send(request).await.is(202);
        assert!(job.header("location").starts_with("/api/v1/jobs/"));
        let again = app.request(Method::DELETE, "/api/v1/auth/me", Some(&me));
        assert_eq!(
            app.send(again).await.is(202).id(),
            job.id(),
            "once is enough"
        );
        app.post("/api/v1/surveys", &me, &json!({}))
            .await
            .is_problem(401, "invalid_token");
        let admin = app.person(&["admin"]); // its owner is known no more
        let done = app.until_status(job.id(), &admin, "succeeded").await;
        assert_eq!(done.body["kind"], "account.erase");

        assert_eq!(vector(app.store.db(), "canary-idea").await, None);
        let reader = app.person(&["member"]);
        let path = format!("/api/v1/topics/{topic}");
        let left = app.get(&path, &reader).await.is(200);
        assert_eq!(left.body["post_count"], 1, "what is left is counted");

        let after = dump(app.store.db()).await;
        for canary in ["canary", &email, &name] {
            let at = after.lines().find(|line| line.contains(canary));
            assert_eq!(at, None, "{canary} is left");
        }
        app.post("/api/v1/surveys", &me, &json!({}))
            .await
            .is_problem(401, "invalid_token");
        app.get(&format!("/api/v1/surveys/{survey}"), &other)
            .await
            .is(404);
        app.get(&format!("/api/v1/surveys/{kept}"), &other)
            .await
            .is(200);
        respond(app, &kept, 1).await.is(201);
        let decided = app
            .get("/api/v1/admin/audit", &app.person(&["admin"]))
            .await
            .is(200);
        let actors: Vec<&Value> = decided.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["actor"])
            .collect();
        assert!(
            actors
                .iter()
                .any(|actor| actor.as_str().unwrap().starts_with("erased ")),
            "{actors:?}"
        );
    })
    .await;
}
