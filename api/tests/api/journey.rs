//! The whole way of a persona: survey, answers, forge, pictures, another forge.

use crate::mirror::respond;
use crate::provider::Unwilling;
use crate::support::{Answer, App, Person, on_each};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn three_friends_make_a_persona() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        let none = app.get("/api/v1/personas/me", &me).await.is(200);
        assert_eq!(none.body["status"], "pending");
        let made = app
            .post("/api/v1/surveys", &me, &json!({"title": "Who am I?"}))
            .await
            .is(201);
        assert_eq!(
            (&made.body["status"], &made.body["response_count"]),
            (&json!("collecting"), &json!(0))
        );
        let (survey, slug) = (made.text("survey_id"), made.text("slug"));
        assert!(made.text("survey_url").ends_with(&slug));

        let public = app
            .send(app.request(Method::GET, &format!("/api/v1/surveys/{slug}"), None))
            .await
            .is(200);
        assert_eq!(public.header("cache-control"), "public, max-age=300");
        assert_eq!(public.body["questions"].as_array().unwrap().len(), 13);
        assert_eq!(public.body["questions"][0]["type"], "scale");
        assert_eq!(
            public.body["owner_name"], "A friend",
            "nothing of an address"
        );
        assert!(public.body.get("response_count").is_none(), "never a count");

        for friend in 0..2 {
            respond(app, &slug, friend).await.is(201);
        }
        let status = app
            .get(&format!("/api/v1/surveys/{survey}/status"), &me)
            .await
            .is(200);
        assert_eq!(
            (&status.body["response_count"], &status.body["can_forge"]),
            (&json!(2), &json!(false))
        );
        let early = app
            .post("/api/v1/personas/me/forge", &me, &json!({}))
            .await
            .is_problem(422, "insufficient_responses");
        assert_eq!(
            (&early.body["responses"], &early.body["min_responses"]),
            (&json!(2), &json!(3))
        );
        assert!(app.get("/api/v1/personas/me", &me).await.body["job"].is_null());
        let third = respond(app, &survey, 2).await.is(201);
        assert_eq!(third.body["status"], "success");
        let waiting = app.get("/api/v1/personas/me", &me).await.is(200);
        assert_eq!(
            (&waiting.body["status"], &waiting.body["responses"]),
            (&json!("pending"), &json!(3))
        );
        let job: Uuid = waiting
            .text("job")
            .rsplit_once('/')
            .unwrap()
            .1
            .parse()
            .unwrap();
        app.get(&format!("/api/v1/jobs/{job}"), &me).await.is(200);
        respond(app, &survey, 3).await.is(201);
        app.post("/api/v1/personas/me/forge", &me, &json!({}))
            .await
            .is_problem(409, "state_conflict");

        app.work();
        let mut stages = vec![];
        let ready = app
            .until("/api/v1/personas/me", &me, |answer| {
                answer.body["status"] == "ready"
            })
            .await;
        for event in app
            .get(&format!("/api/v1/jobs/{job}/events?limit=100"), &me)
            .await
            .body["items"]
            .as_array()
            .unwrap()
        {
            stages.extend(event["data"]["phase"].as_str().map(str::to_owned));
        }
        assert_eq!(
            stages,
            ["aggregate", "write", "paint", "derive", "activate"]
        );
        for member in [
            "name",
            "title",
            "archetype",
            "rarity",
            "persona_prompt",
            "greeting",
            "illustration_url",
            "card_url",
        ] {
            ready.text(member);
        }
        assert_eq!(
            (&ready.body["degraded"], &ready.body["provider"]),
            (&json!(false), &json!("local"))
        );
        assert_eq!(ready.body["stats"].as_object().unwrap().len(), 4);
        let jobs = app
            .get("/api/v1/jobs?kind=persona.forge", &me)
            .await
            .is(200);
        assert_eq!(
            jobs.body["items"].as_array().unwrap().len(),
            1,
            "the fourth started nothing"
        );
        assert_eq!(
            jobs.body["items"][0]["links"]["subject"],
            "/api/v1/personas/me"
        );
        assert_eq!(
            jobs.body["items"][0]["usage"],
            json!({"input_tokens": 0, "output_tokens": 0, "images": 1, "cost_usd": "0.00"})
        );

        let tag = ready.header("etag").to_owned();
        let known = app
            .request(Method::GET, "/api/v1/personas/me", Some(&me))
            .header("if-none-match", tag);
        app.send(known).await.is(304);
        let id = ready.text("persona_id");
        assert_eq!(
            app.get(&format!("/api/v1/personas/{id}"), &me)
                .await
                .is(200)
                .text("name"),
            ready.text("name")
        );
        app.get(&format!("/api/v1/personas/{id}"), &app.person(&["member"]))
            .await
            .is_problem(404, "not_found");
        pictures(app, &me, &ready).await;
        reforge(app, &me, &survey).await;
    })
    .await;
}

#[tokio::test]
async fn a_parked_forge_is_in_the_way_of_another_until_it_is_cancelled() {
    on_each(async |app| {
        let me = app.person(&["member"]);
        app.work_with(Unwilling::start().await.writer());
        let survey = crate::mirror::survey(app, &me).await;
        for friend in 0..3 {
            respond(app, &survey, friend).await.is(201);
        }
        let failed = app
            .until("/api/v1/personas/me", &me, |answer| {
                answer.body["status"] == "failed"
            })
            .await;
        let job = failed.text("job");
        assert_eq!(failed.body["retryable"], false);
        let status = format!("/api/v1/surveys/{survey}/status");
        assert_eq!(app.get(&status, &me).await.body["can_forge"], false);
        let forge = "/api/v1/personas/me/forge";
        let refused = app.post(forge, &me, &json!({})).await;
        let refused = refused.is_problem(409, "state_conflict");
        assert_eq!(refused.text("job"), job);
        let cancel = refused.text("cancel");
        assert_eq!(cancel, format!("{job}/cancel"));

        app.post(&cancel, &me, &json!({})).await;
        app.until(&job, &me, |answer| answer.body["done"] == true)
            .await;
        assert_eq!(app.get(&status, &me).await.body["can_forge"], true);
        app.post(forge, &me, &json!({})).await.is(202);
    })
    .await;
}

async fn pictures(app: &App, me: &Person, ready: &Answer) {
    let link = ready.text("illustration_url").replace(&app.base, "");
    let picture = app
        .send(app.request(Method::GET, &link, None))
        .await
        .is(200);
    assert_eq!(picture.header("content-type"), "image/png");
    assert_eq!(
        picture.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let tag = picture.header("etag").to_owned();
    app.send(
        app.request(Method::GET, &link, None)
            .header("if-none-match", &tag),
    )
    .await
    .is(304);
    let (bare, _) = link.split_once('?').unwrap();
    let own = app.get(&format!("{bare}?variant=512"), me).await.is(200);
    assert_eq!(
        own.header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    assert_eq!(
        app.get(bare, me).await.is(200).header("cache-control"),
        "private, no-cache"
    );
    app.get(&format!("{bare}?variant=../../secret"), me)
        .await
        .is_problem(404, "not_found");
    app.get(bare, &app.person(&["member"]))
        .await
        .is_problem(404, "not_found");
    app.send(app.request(
        Method::GET,
        &format!("{bare}?token=AAAAAAAAAAAAAAAAAAAAAA"),
        None,
    ))
    .await
    .is(401);
    app.send(app.request(Method::GET, bare, None))
        .await
        .is_problem(401, "missing_credentials");
    let card = ready.text("card_url").replace(&app.base, "");
    app.send(app.request(Method::GET, &card, None))
        .await
        .is(200);
}

async fn reforge(app: &App, me: &Person, survey: &str) {
    let path = "/api/v1/personas/me/forge";
    app.post(path, me, &json!({"mode": "alchemic"}))
        .await
        .is_problem(422, "validation_failed");
    app.post(path, me, &json!({"archetype": "sage"}))
        .await
        .is_problem(422, "validation_failed");
    app.post(path, me, &json!({"mode": "practice"}))
        .await
        .is_problem(422, "validation_failed");
    let wish = json!({"survey_id": survey, "mode": "alchemic", "archetype": "sage"});
    let send = || {
        app.request(Method::POST, path, Some(me))
            .header("idempotency-key", "again")
            .json(&wish)
    };
    let accepted = app.send(send()).await.is(202);
    assert_eq!(
        (&accepted.body["status"], &accepted.body["done"]),
        (&json!("generating"), &json!(false))
    );
    assert_eq!(
        accepted.header("location"),
        format!("/api/v1/jobs/{}", accepted.id())
    );
    // What was sent is not what the job's own address sends, so the tag must not say that it is.
    let job = app
        .request(Method::GET, accepted.header("location"), Some(me))
        .header("if-none-match", accepted.header("etag"));
    app.send(job).await.is(200);
    let done = app.send(send().header("prefer", "wait=30")).await.is(200);
    assert_eq!(
        (done.id(), done.header("idempotency-replayed")),
        (accepted.id(), "true")
    );
    assert_eq!(done.body["status"], "succeeded");
    let now = app.get("/api/v1/personas/me", me).await.is(200);
    assert_eq!(
        (&now.body["version"], &now.body["archetype"]),
        (&json!(2), &json!("sage"))
    );
    let versions = app.get("/api/v1/personas?limit=1", me).await.is(200);
    assert_eq!(versions.body["items"][0]["version"], 2);
    let next = versions.text("next_cursor");
    let older = app
        .get(&format!("/api/v1/personas?limit=1&cursor={next}"), me)
        .await
        .is(200);
    assert_eq!(older.body["items"][0]["version"], 1);
}
