//! Ideas: one of each member in the pool, which nobody else ever sees.

use crate::rounds::{claimed, clustered, finished, published};
use crate::support::{Answer, App, Person, on_each};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const IDEAS: &str = "/api/v1/submissions";
const MINE: &str = "/api/v1/submissions/me";

pub(crate) async fn submit(app: &App, by: &Person, text: &str) -> Answer {
    app.post(IDEAS, by, &json!({"text": text})).await
}

async fn edit(app: &App, by: &Person, id: &str, text: &str) -> Answer {
    let request = app.request(Method::PATCH, &format!("{IDEAS}/{id}"), Some(by));
    app.send(request.json(&json!({"text": text}))).await
}

async fn withdraw(app: &App, by: &Person, id: &str) -> Answer {
    let request = app.request(Method::DELETE, &format!("{IDEAS}/{id}"), Some(by));
    app.send(request).await
}

#[tokio::test]
async fn a_member_has_one_idea_in_the_pool_and_may_change_it() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        app.get(MINE, &me).await.is(204);
        let made = submit(app, &me, "  Later buses ").await.is(201);
        let id = made.text("id");
        assert_eq!(
            (made.text("text"), made.text("state")),
            ("Later buses".to_owned(), "live".to_owned())
        );
        assert!(made.text("created_at").ends_with('Z') && made.body["edited_at"].is_null());
        let twice = submit(app, &me, "Later trams").await;
        let twice = twice.is_problem(409, "live_submission_exists");
        assert_eq!(twice.text("submission_id"), id);

        let edited = edit(app, &me, &id, "Later trams").await.is(200);
        assert!(edited.text("edited_at") >= made.text("created_at"));
        assert_eq!(app.get(MINE, &me).await.is(200).text("text"), "Later trams");
        assert_eq!(
            withdraw(app, &me, &id).await.is(200).text("state"),
            "withdrawn"
        );
        app.get(MINE, &me).await.is(204);
        for late in [
            edit(app, &me, &id, "x").await,
            withdraw(app, &me, &id).await,
        ] {
            late.is_problem(409, "state_conflict");
        }
        let next = submit(app, &me, "Night buses").await.is(201).text("id");
        let history = app
            .get(&format!("{MINE}?history=true&limit=1"), &me)
            .await
            .is(200);
        assert_eq!(history.body["items"][0]["id"], next);
        let more = history.text("next_cursor");
        let path = format!("{MINE}?history=true&limit=1&cursor={more}");
        let rest = app.get(&path, &me).await.is(200);
        assert_eq!(
            (&rest.body["items"][0]["id"], &rest.body["next_cursor"]),
            (&json!(id), &Value::Null)
        );
    })
    .await;
}

#[tokio::test]
async fn of_two_ideas_at_once_one_is_taken_and_a_key_makes_them_one() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let body = json!({"text": "Later buses"});
        let post = || app.request(Method::POST, IDEAS, Some(&me)).json(&body);
        let both = futures_util::future::join_all([app.send(post()), app.send(post())]).await;
        let mut taken: Vec<u16> = both.iter().map(|one| one.status.as_u16()).collect();
        taken.sort_unstable();
        assert_eq!(taken, [201, 409]);
        let other = app.person(&["member"]);
        let post = || app.request(Method::POST, IDEAS, Some(&other)).json(&body);
        let keyed = async || {
            app.send(post().header("idempotency-key", "k"))
                .await
                .is(201)
        };
        assert_eq!(keyed().await.text("id"), keyed().await.text("id"));
    })
    .await;
}

#[tokio::test]
async fn another_account_can_never_read_or_change_an_idea() {
    on_each(async |app| {
        let (me, seeder) = (app.person(&["member"]), app.person(&["curator"]));
        let id = submit(app, &me, "canary-idea").await.is(201).text("id");
        let seeds = json!({"texts": ["canary-seed"]});
        app.post("/api/v1/submissions/seed", &seeder, &seeds)
            .await
            .is(201);
        for role in ["member", "agent", "curator", "admin"] {
            let other = app.person(&[role]);
            edit(app, &other, &id, "mine now")
                .await
                .is_problem(404, "not_found");
            withdraw(app, &other, &id)
                .await
                .is_problem(404, "not_found");
            app.get(&format!("{IDEAS}/{id}"), &other).await.is(405);
            app.get(MINE, &other).await.is(204);
            let history = app
                .get(&format!("{MINE}?history=true"), &other)
                .await
                .is(200);
            assert_eq!(history.body["items"], json!([]));
            let path = format!("{MINE}?author_id={}", me.account);
            app.get(&path, &other)
                .await
                .is_problem(400, "bad_parameter");
        }
        assert_eq!(app.get(MINE, &me).await.is(200).text("text"), "canary-idea");
    })
    .await;
}

#[tokio::test]
async fn what_a_round_holds_is_not_changed_and_what_it_lets_go_is() {
    on_each(async |app| {
        let (me, used) = (app.person(&["member"]), app.person(&["member"]));
        let mine = submit(app, &me, "Later buses").await.is(201).text("id");
        let round = claimed(app, false).await;
        assert_eq!(app.get(MINE, &me).await.is(200).text("state"), "claimed");
        for refused in [
            edit(app, &me, &mine, "x").await,
            withdraw(app, &me, &mine).await,
        ] {
            let refused = refused.is_problem(409, "state_conflict");
            assert_eq!(refused.text("state"), "claimed");
        }
        submit(app, &me, "Another")
            .await
            .is_problem(409, "live_submission_exists");
        finished(app, round).await;
        edit(app, &me, &mine, "Even later buses").await.is(200);

        // Of a cluster that becomes a topic the ideas are archived, and their authors free.
        submit(app, &used, "Even later trams").await.is(201);
        let round = claimed(app, false).await;
        let cluster = clustered(app, round).await;
        let topic = published(app, round, cluster).await;
        finished(app, round).await;
        app.get(MINE, &me).await.is(204);
        let history = app.get(&format!("{MINE}?history=true"), &me).await.is(200);
        let archived = &history.body["items"][0];
        assert_eq!(
            (&archived["state"], &archived["topic_id"]),
            (&json!("archived"), &json!(topic))
        );
        edit(app, &me, &mine, "x")
            .await
            .is_problem(409, "state_conflict");
        submit(app, &me, "Something else").await.is(201);
    })
    .await;
}

#[tokio::test]
async fn seeds_are_many_and_are_nobodys_one_idea() {
    on_each(async |app| {
        let (curator, member) = (app.person(&["curator"]), app.person(&["member"]));
        let seed = "/api/v1/submissions/seed";
        let seeds = json!({"texts": ["One", "Two", "Three"]});
        app.post(seed, &member, &seeds)
            .await
            .is_problem(403, "forbidden");
        let made = app.post(seed, &curator, &seeds).await.is(201);
        assert_eq!(made.body["ids"].as_array().unwrap().len(), 3);
        app.get(MINE, &curator).await.is(204);
        submit(app, &curator, "My own").await.is(201);
        for (texts, pointer) in [
            (json!([]), "/texts"),
            (json!(vec!["x"; 51]), "/texts"),
            (json!(["x", " "]), "/texts/1"),
        ] {
            let refused = app.post(seed, &curator, &json!({"texts": texts})).await;
            let refused = refused.is_problem(422, "validation_failed");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer);
        }
        let held = claimed(app, false).await;
        let path = format!("/api/v1/topic-rounds/{held}");
        let round = app.get(&path, &curator).await.is(200);
        assert_eq!(round.body["counts"]["claimed"], 4);
    })
    .await;
}

#[tokio::test]
async fn an_idea_is_of_a_thousand_characters_at_most() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    for wrong in ["", " \n", &"x".repeat(1_001), "bell \u{7}"] {
        let refused = submit(&app, &me, wrong).await;
        let refused = refused.is_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["pointer"], "/text");
    }
    submit(&app, &me, &"ö".repeat(1_000)).await.is(201);
    app.end().await;
}
