//! Topics and what is said about them.

use crate::rounds::{claimed, clustered, finished, published};
use crate::submissions::submit;
use crate::support::{Answer, App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const TOPICS: &str = "/api/v1/topics";

/// A topic made of two ideas.
pub(crate) async fn topic(app: &App) -> Uuid {
    for text in ["Later buses", "Later trams"] {
        submit(app, &app.person(&["member"]), text).await.is(201);
    }
    let round = claimed(app, false).await;
    let cluster = clustered(app, round).await;
    let topic = published(app, round, cluster).await;
    finished(app, round).await;
    topic
}

async fn say(app: &App, topic: Uuid, by: &Person, words: &str) -> Answer {
    let path = format!("{TOPICS}/{topic}/posts");
    app.post(&path, by, &json!({"body": words})).await
}

#[tokio::test]
async fn topics_are_listed_newest_first_for_everybody_who_signed_in() {
    on_each(async |app| {
        let mut made = vec![];
        for _ in 0..3 {
            made.insert(0, topic(app).await);
        }
        let reader = app.person(&["client"]);
        let first = app.get(&format!("{TOPICS}?limit=2"), &reader).await.is(200);
        let path = format!("{TOPICS}?limit=2&cursor={}", first.text("next_cursor"));
        let rest = app.get(&path, &reader).await.is(200);
        let both = [&first, &rest].map(|page| page.body["items"].as_array().unwrap().clone());
        let ids: Vec<Value> = both.concat().iter().map(|one| one["id"].clone()).collect();
        assert_eq!(json!(ids), json!(made));
        let one = app
            .get(&format!("{TOPICS}/{}", made[0]), &reader)
            .await
            .is(200);
        assert_eq!(one.body, first.body["items"][0]);
        assert_eq!(
            (&one.body["ideas"], &one.body["post_count"]),
            (&json!(2), &json!(1))
        );
        let operator = app.person(&["operator"]);
        app.get(TOPICS, &operator)
            .await
            .is_problem(403, "forbidden");
    })
    .await;
}

#[tokio::test]
async fn a_discussion_opens_with_a_post_of_nobodys_and_goes_on() {
    on_each(async |app| {
        let (topic, me) = (topic(app).await, app.person(&["member"]));
        let other = app.person(&["member"]);
        let path = format!("{TOPICS}/{topic}/posts");
        let opening = app.get(&path, &me).await.is(200).body["items"][0].clone();
        assert_eq!(
            (&opening["author_id"], &opening["author_name"]),
            (&Value::Null, &json!("Chorus"))
        );
        let said = say(app, topic, &me, "I would use it.").await.is(201);
        assert_eq!(said.body["author_id"], json!(me.account));
        let one = format!("{path}/{}", said.body["id"]);
        let edit = async |by: &Person, words: &str| {
            let request = app.request(Method::PATCH, &one, Some(by));
            app.send(request.json(&json!({"body": words}))).await
        };
        let delete =
            async |by: &Person| app.send(app.request(Method::DELETE, &one, Some(by))).await;
        edit(&other, "x").await.is_problem(404, "not_found");
        delete(&other).await.is_problem(404, "not_found");
        edit(&me, "").await.is_problem(422, "validation_failed");
        let edited = edit(&me, "I would.").await.is(200);
        assert!(edited.body["edited_at"].is_string());
        // Nobody changes what a model wrote.
        let first = format!("{path}/{}", opening["id"]);
        let request = app.request(Method::DELETE, &first, Some(&me));
        app.send(request).await.is_problem(404, "not_found");

        let counted =
            async || app.get(&format!("{TOPICS}/{topic}"), &me).await.body["post_count"].clone();
        assert_eq!(counted().await, 2);
        delete(&me).await.is(204);
        delete(&me).await.is_problem(404, "not_found");
        edit(&me, "again").await.is_problem(404, "not_found");
        assert_eq!(counted().await, 1);
        let left = app.get(&path, &me).await.is(200);
        assert_eq!(left.body["items"].as_array().unwrap().len(), 1);
        let kept: i64 = app
            .store
            .db()
            .query("SELECT COUNT(*) FROM posts WHERE body = 'I would.'")
            .scalar()
            .await
            .unwrap();
        assert_eq!(kept, 0, "its words are gone");
        say(app, Uuid::now_v7(), &me, "x")
            .await
            .is_problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_topic_that_is_taken_back_is_gone_for_readers_and_opens_no_idea() {
    on_each(async |app| {
        let (curator, me) = (app.person(&["curator"]), app.person(&["member"]));
        let mine = submit(app, &me, "Later boats").await.is(201).text("id");
        let topic = topic(app).await;
        let path = format!("{TOPICS}/{topic}");
        let retract = format!("{path}/retract");
        app.post(&retract, &me, &json!({}))
            .await
            .is_problem(403, "forbidden");
        for _ in 0..2 {
            let body = json!({"reason": "about one person"});
            let gone = app.post(&retract, &curator, &body).await.is(200);
            assert_eq!(gone.text("state"), "retracted");
        }
        app.get(&path, &me).await.is_problem(404, "not_found");
        app.get(&format!("{path}/posts"), &me)
            .await
            .is_problem(404, "not_found");
        say(app, topic, &me, "x").await.is_problem(404, "not_found");
        assert_eq!(app.get(TOPICS, &me).await.is(200).body["items"], json!([]));
        let told = app.get(&path, &curator).await.is(200);
        assert_eq!(told.text("state"), "retracted");
        let artefact: Uuid = told.text("artefact_id").parse().unwrap();
        let state = app
            .store
            .db()
            .query("SELECT state FROM artefacts WHERE id = $1");
        let state: String = state.bind(artefact).scalar().await.unwrap();
        assert_eq!(state, "retracted", "the artefact says the same");
        let history = app
            .get("/api/v1/submissions/me?history=true", &me)
            .await
            .is(200);
        assert_eq!(
            (
                &history.body["items"][0]["id"],
                &history.body["items"][0]["state"]
            ),
            (&json!(mine), &json!("archived"))
        );
        let audit = format!("/api/v1/admin/audit?target={topic}");
        let audit = app.get(&audit, &app.person(&["admin"])).await.is(200);
        assert_eq!(
            audit.body["items"].as_array().unwrap().len(),
            1,
            "once: {audit:#?}"
        );
        app.post(
            &format!("{TOPICS}/{}/retract", Uuid::now_v7()),
            &curator,
            &json!({}),
        )
        .await
        .is_problem(404, "not_found");
    })
    .await;
}
