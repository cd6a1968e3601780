//! Surveys and the friends who answer them.

use crate::mirror::{respond, survey};
use crate::support::{App, answers, on_each};
use process::settings::Proxies;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

#[tokio::test]
async fn ten_simultaneous_thirds_start_one_forge() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let survey = survey(app, &me).await;
        for friend in 0..2 {
            respond(app, &survey, friend).await.is(201);
        }
        let all = (2..12).map(|friend| respond(app, &survey, friend));
        for answer in futures_util::future::join_all(all).await {
            answer.is(201);
        }
        let jobs = app.get("/api/v1/jobs", &me).await.is(200);
        assert_eq!(jobs.body["items"].as_array().unwrap().len(), 1);
        let status = app
            .get(&format!("/api/v1/surveys/{survey}/status"), &me)
            .await
            .is(200);
        assert_eq!(
            (&status.body["response_count"], &status.body["status"]),
            (&json!(12), &json!("ready"))
        );
    })
    .await;
}

#[tokio::test]
async fn each_friend_answers_once() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let (survey, path) = {
            let survey = survey(app, &me).await;
            let path = format!("/api/v1/surveys/{survey}/responses");
            (survey, path)
        };
        respond(app, &survey, 1).await.is(201);
        respond(app, &survey, 1)
            .await
            .is_problem(409, "duplicate_response");
        let all = (0..5).map(|_| respond(app, &survey, 2));
        let statuses: Vec<u16> = futures_util::future::join_all(all)
            .await
            .iter()
            .map(|answer| answer.status.as_u16())
            .collect();
        assert_eq!(
            statuses.iter().filter(|status| **status == 201).count(),
            1,
            "{statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 409).count(),
            4,
            "{statuses:?}"
        );
        // Without a fingerprint the browser's own word tells friends behind one address apart.
        let body = json!({"answers": answers()});
        let agent = |agent: &str| {
            app.send(
                app.request(Method::POST, &path, None)
                    .header("user-agent", agent)
                    .json(&body),
            )
        };
        agent("one").await.is(201);
        agent("one").await.is_problem(409, "duplicate_response");
        agent("another").await.is(201);
    })
    .await;
}

#[tokio::test]
async fn friends_behind_one_browser_type_are_told_apart_by_address() {
    let app = App::new(None, |settings| settings.proxies = Proxies::Hops(1)).await;
    let path = format!(
        "/api/v1/surveys/{}/responses",
        survey(&app, &app.person(&["member"])).await
    );
    let from = |chain: &str| {
        let request = app
            .request(Method::POST, &path, None)
            .header("x-forwarded-for", chain);
        app.send(
            request
                .header("user-agent", "the same")
                .json(&json!({"answers": answers()})),
        )
    };
    from("203.0.113.7").await.is(201);
    from("203.0.113.8").await.is(201);
    // Only the last one was seen by a proxy of ours; what a caller claims before it counts for nothing.
    from("198.51.100.1, 203.0.113.8")
        .await
        .is_problem(409, "duplicate_response");
    app.end().await;
}

#[tokio::test]
async fn answers_that_do_not_fit_are_refused_with_every_reason() {
    let app = App::new(None, |_| {}).await;
    let path = format!(
        "/api/v1/surveys/{}/responses",
        survey(&app, &app.person(&["member"])).await
    );
    let send = async |body: Value| {
        app.send(app.request(Method::POST, &path, None).json(&body))
            .await
    };
    let mut wrong = answers();
    wrong["c1"] = json!(9);
    wrong["zz"] = json!(1);
    wrong["p1"] = json!("bored");
    let refused = send(json!({"answers": wrong}))
        .await
        .is_problem(422, "validation_failed");
    let pointers: BTreeSet<&str> = refused.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        pointers,
        BTreeSet::from(["/answers/c1", "/answers/p1", "/answers/zz"])
    );
    let mut long = answers();
    long["m1"] = json!("x".repeat(9000));
    send(json!({"answers": long}))
        .await
        .is_problem(422, "validation_failed");
    send(json!({"answers": {}}))
        .await
        .is_problem(422, "validation_failed");
    send(json!({})).await.is_problem(422, "validation_failed");
    send(json!({"answers": answers(), "email": "x"}))
        .await
        .is_problem(400, "unknown_field");
    send(json!({"answers": answers(), "fingerprint": "x".repeat(257)}))
        .await
        .is_problem(422, "validation_failed");
    send(json!({"answers": answers()})).await.is(201);
    app.end().await;
}

#[tokio::test]
async fn a_closed_survey_takes_no_answers() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let survey = survey(app, &me).await;
        let closed = app
            .post(&format!("/api/v1/surveys/{survey}/close"), &me, &json!({}))
            .await
            .is(200);
        assert_eq!(closed.body["status"], "archived");
        respond(app, &survey, 1)
            .await
            .is_problem(410, "survey_closed");
        app.send(app.request(Method::GET, &format!("/api/v1/surveys/{survey}"), None))
            .await
            .is_problem(410, "survey_closed");
        let forge = app
            .post(
                "/api/v1/personas/me/forge",
                &me,
                &json!({"survey_id": survey}),
            )
            .await;
        forge.is_problem(410, "survey_closed");
        respond(app, "nowhere", 1)
            .await
            .is_problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_survey_is_checked_and_listed() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let wrong = json!({"title": "", "min_responses": 2, "question_set": "odd"});
        let refused = app
            .post("/api/v1/surveys", &me, &wrong)
            .await
            .is_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"].as_array().unwrap().len(), 3);
        app.post("/api/v1/surveys", &me, &json!({"owner_id": Uuid::now_v7()}))
            .await
            .is_problem(400, "unknown_field");
        let first = survey(app, &me).await;
        let second = app
            .post("/api/v1/surveys", &me, &json!({"min_responses": 5}))
            .await
            .is(201);
        assert_eq!(second.body["min_responses"], 5);
        survey(app, &app.person(&["member"])).await;
        let page = app.get("/api/v1/surveys?limit=1", &me).await.is(200);
        assert_eq!(page.body["items"][0]["survey_id"], second.body["survey_id"]);
        let next = page.text("next_cursor");
        let rest = app
            .get(&format!("/api/v1/surveys?cursor={next}"), &me)
            .await
            .is(200);
        assert_eq!(
            (
                &rest.body["items"][0]["survey_id"],
                &rest.body["next_cursor"]
            ),
            (&json!(first), &Value::Null)
        );
    })
    .await;
}
