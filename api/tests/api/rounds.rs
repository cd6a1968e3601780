//! Rounds: who starts one, what there is to see of it, and what a curator decides.

use crate::submissions::submit;
use crate::support::{Answer, App, Person, on_each};
use domain::topics::POOL;
use domain::topics::rounds::{Params, Trigger};
use domain::topics::store::clusters::{self, NewCluster};
use domain::topics::store::ideas;
use domain::topics::store::publication::{self, Publication};
use domain::topics::store::rounds::{self, NewRound};
use process::Secret;
use reqwest::Method;
use saga_core::db::{Durability, Tx};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const ROUNDS: &str = "/api/v1/topic-rounds";
const OLDER: &str = "/api/admin/start_generation_round";
const KEY: &str = "the key of an older script, of forty bytes";
const TITLE: &str = "What would make evenings in town better?";

pub(crate) async fn begin(app: &App) -> Tx {
    app.store.db().begin(Durability::Full).await.unwrap()
}

/// A round that has claimed what is live, as its first step leaves it. No saga goes on with it.
pub(crate) async fn claimed(app: &App, require_review: bool) -> Uuid {
    let id = Uuid::now_v7();
    let new = NewRound {
        id,
        pool: POOL.to_owned(),
        trigger: Trigger::Schedule,
        params: Params {
            require_review,
            ..Params::default()
        },
        started_by: None,
    };
    let mut tx = begin(app).await;
    rounds::begin(&mut tx, new, None).await.unwrap();
    rounds::claim(&mut tx, id, POOL).await.unwrap();
    tx.commit().await.unwrap();
    id
}

/// Puts everything that a round holds in one cluster, as its third step would.
pub(crate) async fn clustered(app: &App, round: Uuid) -> Uuid {
    let held = ideas::claimed(app.store.db(), round).await.unwrap();
    let members: Vec<Uuid> = held.iter().map(|idea| idea.id).collect();
    let cluster = NewCluster {
        id: Uuid::now_v7(),
        label: 0,
        keywords: vec!["evening".to_owned()],
        samples: members.iter().copied().take(2).collect(),
        members,
    };
    let mut tx = begin(app).await;
    let found = clusters::save(&mut tx, round, 0, std::slice::from_ref(&cluster)).await;
    found.unwrap();
    tx.commit().await.unwrap();
    cluster.id
}

/// Publishes a topic of a cluster, as the last step of a draft does.
pub(crate) async fn published(app: &App, round: Uuid, cluster: Uuid) -> Uuid {
    let topic = Uuid::now_v7();
    let new = Publication {
        topic,
        saga: round,
        round,
        cluster,
        title: TITLE.to_owned(),
        summary: "Evenings in town".to_owned(),
        opening_post: "Several of you thought about evenings.".to_owned(),
        cover: None,
    };
    let mut tx = begin(app).await;
    assert!(publication::publish(&mut tx, new).await.unwrap());
    tx.commit().await.unwrap();
    topic
}

/// Ends a round, as its last step does.
pub(crate) async fn finished(app: &App, round: Uuid) {
    let mut tx = begin(app).await;
    rounds::finish(&mut tx, round).await.unwrap();
    tx.commit().await.unwrap();
}

async fn by_key(app: &App, key: Option<&str>) -> Answer {
    let request = app.request(Method::POST, OLDER, None);
    app.send(match key {
        Some(key) => request.header("x-api-key", key),
        None => request,
    })
    .await
}

async fn count(app: &App, sql: &'static str) -> i64 {
    app.store.db().query(sql).scalar().await.unwrap()
}

/// Plays a test on every store, where the settings name a key for the older script.
async fn on_each_with_key(test: impl AsyncFn(&App)) {
    for server in testing::servers() {
        let key = Some(Secret::new(KEY));
        let app = App::new(server, |settings| settings.sign_in.bootstrap_key = key).await;
        test(&app).await;
        app.end().await;
    }
}

#[tokio::test]
async fn a_wrong_key_or_none_starts_nothing() {
    on_each_with_key(async |app| {
        by_key(app, None)
            .await
            .is_problem(401, "missing_credentials");
        for wrong in ["x", &KEY[1..], &format!("{KEY}x")] {
            let refused = by_key(app, Some(wrong)).await;
            refused.is_problem(401, "invalid_api_key");
        }
        let request = app.request(Method::POST, OLDER, Some(&app.person(&["curator"])));
        app.send(request)
            .await
            .is_problem(401, "missing_credentials");
        let request = app.request(Method::POST, ROUNDS, Some(&app.person(&["member"])));
        app.send(request).await.is_problem(403, "forbidden");
        assert_eq!(count(app, "SELECT COUNT(*) FROM sagas").await, 0);
        assert_eq!(count(app, "SELECT COUNT(*) FROM topic_rounds").await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_older_script_is_told_of_the_round_that_is_open() {
    on_each_with_key(async |app| {
        let first = by_key(app, Some(KEY)).await.is(200);
        let again = by_key(app, Some(KEY)).await.is(200);
        for told in [&first, &again] {
            let fields: Vec<&str> = told
                .body
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(fields, ["job", "message", "round_id", "status"]);
            assert_eq!(told.body["status"], "success");
            assert_eq!(told.body["round_id"], first.body["round_id"]);
            assert_eq!(
                told.text("job"),
                format!("/api/v1/jobs/{}", first.text("round_id"))
            );
        }
        assert_eq!(count(app, "SELECT COUNT(*) FROM topic_rounds").await, 1);
        let curator = app.person(&["curator"]);
        let path = format!("{ROUNDS}/{}", first.text("round_id"));
        let round = app.get(&path, &curator).await.is(200);
        assert_eq!(
            (round.text("state"), round.text("trigger")),
            ("queued".to_owned(), "api".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn of_many_starts_at_once_one_is_the_round_and_the_others_name_it() {
    on_each(async |app| {
        let curators: Vec<Person> = (0..8).map(|_| app.person(&["curator"])).collect();
        let body = json!({"max_topics": 2, "min_cluster_size": 4, "require_review": true});
        let starts = curators
            .iter()
            .map(|curator| app.send(app.request(Method::POST, ROUNDS, Some(curator)).json(&body)));
        let answers = futures_util::future::join_all(starts.collect::<Vec<_>>()).await;
        let (begun, refused): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.status == 202);
        assert_eq!(begun.len(), 1, "{refused:#?}");
        let round = begun[0].id().to_string();
        assert_eq!(begun[0].header("location"), format!("/api/v1/jobs/{round}"));
        assert_eq!(begun[0].body["kind"], "topic.round");
        for refused in refused {
            let refused = refused.is_problem(409, "round_in_progress");
            assert_eq!(refused.text("round_id"), round);
            assert_eq!(refused.text("job"), format!("/api/v1/jobs/{round}"));
        }
        let listed = app.get(ROUNDS, &curators[0]).await.is(200);
        let listed = listed.body["items"].as_array().unwrap().clone();
        assert_eq!(listed.len(), 1);
        assert_eq!(
            (
                &listed[0]["max_topics"],
                &listed[0]["min_cluster_size"],
                &listed[0]["require_review"]
            ),
            (&json!(2), &json!(4), &json!(true))
        );
    })
    .await;
}

#[tokio::test]
async fn a_start_is_one_for_each_key_and_out_of_bounds_it_is_none() {
    on_each(async |app| {
        let curator = app.person(&["curator"]);
        let body = json!({"max_topics": 11, "min_cluster_size": 1});
        let refused = app.post(ROUNDS, &curator, &body).await;
        let refused = refused.is_problem(422, "validation_failed");
        let pointers: Vec<&Value> = refused.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["pointer"])
            .collect();
        assert_eq!(pointers, ["/min_cluster_size", "/max_topics"]);
        let twice = async || {
            let request = app.request(Method::POST, ROUNDS, Some(&curator));
            let request = request.header("idempotency-key", "tonight");
            app.send(request.json(&json!({}))).await.is(202)
        };
        let (first, again) = (twice().await, twice().await);
        assert_eq!(first.id(), again.id());
        assert_eq!(again.header("idempotency-replayed"), "true");
    })
    .await;
}

#[tokio::test]
async fn a_start_is_answered_at_once_while_nobody_works() {
    on_each_with_key(async |app| {
        app.settle().await;
        by_key(app, None).await.is(401); // the connection is there
        let began = Instant::now();
        by_key(app, Some(KEY)).await.is(200);
        let took = began.elapsed();
        assert!(took < Duration::from_millis(100), "{took:?}");
    })
    .await;
}

#[tokio::test]
async fn a_curator_sees_texts_without_authors_and_decides_while_in_review() {
    on_each(async |app| {
        let (member, curator) = (app.person(&["member"]), app.person(&["curator"]));
        submit(app, &member, "A lamp at the corner").await.is(201);
        for text in ["Later buses", "Later trams"] {
            submit(app, &app.person(&["member"]), text).await.is(201);
        }
        let round = claimed(app, true).await;
        let cluster = clustered(app, round).await;
        let path = format!("{ROUNDS}/{round}/clusters");
        let listed = app.get(&path, &curator).await.is(200);
        let told = listed.body["items"][0].clone();
        assert_eq!(
            (&told["size"], &told["decision"]),
            (&json!(3), &json!("pending"))
        );
        assert_eq!(
            told["samples"],
            json!(["A lamp at the corner", "Later buses"])
        );
        let plain = listed.body.to_string();
        assert!(!plain.contains(&member.account.to_string()), "{plain}");
        app.get(&path, &member).await.is_problem(403, "forbidden");

        let one = format!("{path}/{cluster}");
        let decide = async |body: Value| {
            app.send(app.request(Method::PATCH, &one, Some(&curator)).json(&body))
                .await
        };
        let kept = decide(json!({"decision": "keep", "title_hint": " Light? "}))
            .await
            .is(200);
        assert_eq!(
            (kept.text("decision"), kept.text("title_hint")),
            ("keep".to_owned(), "Light?".to_owned())
        );
        let dropped = decide(json!({"decision": "drop"})).await.is(200);
        assert_eq!(
            (dropped.text("decision"), dropped.text("title_hint")),
            ("drop".to_owned(), "Light?".to_owned())
        );
        let cleared = decide(json!({"title_hint": ""})).await.is(200);
        assert_eq!(cleared.body["title_hint"], Value::Null);
        decide(json!({"decision": "maybe"}))
            .await
            .is_problem(422, "validation_failed");
        let other = format!("{path}/{}", Uuid::now_v7());
        let request = app.request(Method::PATCH, &other, Some(&curator));
        app.send(request.json(&json!({})))
            .await
            .is_problem(404, "not_found");

        finished(app, round).await;
        let late = decide(json!({"decision": "keep"})).await;
        late.is_problem(409, "state_conflict");
        let mine = app.get("/api/v1/submissions/me", &member).await.is(200);
        assert_eq!(mine.text("state"), "live", "what was dropped is live again");
        let listed = app.get(&path, &curator).await.is(200);
        assert_eq!(
            listed.body["items"][0]["samples"],
            json!([]),
            "and its author's alone"
        );
        let round = app
            .get(&format!("{ROUNDS}/{round}"), &curator)
            .await
            .is(200);
        assert_eq!(round.text("state"), "finished");
        assert_eq!(
            round.body["counts"],
            json!({"claimed": 3, "clusters": 1, "noise": 0, "published": 0, "released": 3})
        );
    })
    .await;
}
