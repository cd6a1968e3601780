//! The examples of those who have ideas, and of those who host them.

use crate::document::Document;
use crate::rounds::{claimed, clustered, finished, published};
use crate::support::{Answer, App, Person};
use reqwest::Method;
use serde_json::{Value, json};

pub(super) async fn ideas(app: &App, document: &mut Document, person: &Person) {
    let me = Some(person);
    document.send(app, "getMyIdea", &[], me, None).await.is(204);
    let made = document.play(app, "submitIdea", &[], me).await.is(201);
    let twice = document.example("submitIdea");
    document
        .send(app, "submitIdea", &[], me, twice.as_ref())
        .await
        .is_problem(409, "live_submission_exists");
    let id = made.text("id");
    let names: &[(&str, &str)] = &[("id", &id)];
    document.play(app, "editIdea", names, me).await;
    document.play(app, "getMyIdea", &[], me).await;
    let history = app.get("/api/v1/submissions/me?history=true", person).await;
    document.check("getMyIdea", &history);
    document.play(app, "withdrawIdea", names, me).await;
    let late = document.send(app, "withdrawIdea", names, me, None).await;
    late.is_problem(409, "state_conflict");
    document.play(app, "submitIdea", &[], me).await;
}

/// What comes of a round, as its steps leave it.
pub(super) async fn rounds(app: &App, document: &mut Document, person: &Person) {
    let (me, host) = (Some(person), app.person(&["curator"]));
    let curator = Some(&host);
    document.play(app, "seedIdeas", &[], curator).await.is(201);
    let round = claimed(app, true).await;
    let cluster = clustered(app, round).await;
    let (of, part) = (round.to_string(), cluster.to_string());
    let names: &[(&str, &str)] = &[("id", &of), ("name", &part)];
    document.play(app, "listClusters", names, curator).await;
    document.play(app, "decideCluster", names, curator).await;
    let topic = published(app, round, cluster).await.to_string();
    finished(app, round).await;
    let late = document.example("decideCluster");
    document
        .send(app, "decideCluster", names, curator, late.as_ref())
        .await
        .is_problem(409, "state_conflict");
    document.play(app, "listRounds", &[], curator).await;
    document.play(app, "getRound", names, curator).await;

    let names: &[(&str, &str)] = &[("id", &topic)];
    document.play(app, "listTopics", &[], me).await;
    document.play(app, "getTopic", names, me).await;
    let said = document.play(app, "createPost", names, me).await.is(201);
    document.play(app, "listPosts", names, me).await;
    let post = said.body["id"].to_string();
    let names: &[(&str, &str)] = &[("id", &topic), ("name", &post)];
    document.play(app, "editPost", names, me).await;
    document.play(app, "deletePost", names, me).await.is(204);
    listen(app, document, person).await;
    document.play(app, "retractTopic", names, curator).await;
}

/// A stream goes on for long: its beginning is enough.
async fn listen(app: &App, document: &mut Document, person: &Person) {
    let request = app.request(Method::GET, "/api/v1/events/stream", Some(person));
    let response = request.send().await.unwrap();
    let opened = Answer {
        status: response.status(),
        headers: response.headers().clone(),
        body: Value::Null,
    };
    document.check("streamEvents", &opened.is(200));
    document.played.insert("streamEvents".to_owned());
}

pub(super) async fn starts(app: &App, document: &mut Document, person: &Person) {
    let path = format!("/api/v1/admin/accounts/{}/roles", person.account);
    let request = app.request(Method::PUT, &path, Some(person));
    let roles = json!({"roles": ["member", "admin"]});
    app.send(request.json(&roles)).await.is(200);
    let key = json!({"name": "nightly round", "scopes": ["rounds:start"]});
    let key = app
        .post("/api/v1/admin/api-keys", person, &key)
        .await
        .is(201);
    let script = "/api/admin/start_generation_round";
    let start = async || {
        let request = app.request(Method::POST, script, None);
        let request = request.header("idempotency-key", "tonight");
        app.send(request.header("x-api-key", key.text("key"))).await
    };
    let (begun, again) = (start().await, start().await);
    document.check("startGenerationRound", &begun);
    document.check("startGenerationRound", &again);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(begun.body, again.body);
    document.commands.insert("startGenerationRound".to_owned());
    let answers = document.answers.entry("startGenerationRound".to_owned());
    answers
        .or_default()
        .insert("200".to_owned(), begun.is(200).body);
    document.played.insert("startGenerationRound".to_owned());

    // Whether that one is over yet is for its workers to say.
    let example = document.example("startRound");
    let host = Some(person);
    let asked = (&[][..], host, example.as_ref(), Some("tonight"));
    loop {
        let started = document.ask(app, "startRound", asked).await;
        if started.status == 202 {
            let again = document.ask(app, "startRound", asked).await;
            assert_eq!(again.header("idempotency-replayed"), "true");
            assert_eq!(again.id(), started.id());
            break;
        }
        let open = started.is_problem(409, "round_in_progress").text("job");
        let cancel = format!("{open}/cancel");
        app.post(&cancel, person, &json!({})).await;
        app.until(&open, person, |job| job.body["done"] == true)
            .await;
    }
    document.played.insert("startRound".to_owned());
    document.commands.insert("startRound".to_owned());
}
