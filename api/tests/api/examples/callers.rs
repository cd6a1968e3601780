//! The examples of those who call for themselves: jobs, surveys, personas.

use crate::document::Document;
use crate::mirror::respond;
use crate::support::{App, Person};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

pub(super) async fn jobs(app: &App, document: &mut Document, person: &Person) {
    let me = Some(person);
    let made = document.play(app, "createJob", &[], me).await.is(202);
    let id = made.id().to_string();
    document.play(app, "getJob", &[("id", &id)], me).await;
    app.until_status(made.id(), person, "succeeded").await;
    document.play(app, "listJobs", &[], me).await;
    document
        .play(app, "listJobEvents", &[("id", &id)], me)
        .await;
    let path = format!("/api/v1/jobs/{id}/events");
    let request = app
        .request(Method::GET, &path, me)
        .header("accept", "text/event-stream");
    document.check("listJobEvents", &app.send(request).await);
    let other = app.start("demo.patient", person).await;
    app.until_status(other, person, "waiting").await;
    document
        .play(app, "cancelJob", &[("id", &other.to_string())], me)
        .await;
    let late = document
        .send(app, "cancelJob", &[("id", &id)], me, Some(&json!({})))
        .await;
    late.is_problem(409, "job_finished");
}

pub(super) async fn personas(app: &App, document: &mut Document, person: &Person) {
    let (me, nobody) = (Some(person), None);
    document.play(app, "getMyPersona", &[], me).await;
    let made = document.play(app, "createSurvey", &[], me).await.is(201);
    let (survey, slug) = (made.text("survey_id"), made.text("slug"));
    document.play(app, "listSurveys", &[], me).await;
    document
        .play(app, "getSurvey", &[("name", &slug)], nobody)
        .await;
    document
        .play(app, "respond", &[("name", &slug)], nobody)
        .await
        .is(201);
    let twice = document.example("respond");
    let twice = document
        .send(app, "respond", &[("name", &slug)], nobody, twice.as_ref())
        .await;
    twice.is_problem(409, "duplicate_response");
    document
        .send(app, "forgePersona", &[], me, None)
        .await
        .is(422);
    for friend in 1..3 {
        respond(app, &survey, friend).await.is(201);
    }
    document
        .play(app, "getSurveyStatus", &[("name", &survey)], me)
        .await;
    let ready = |answer: &crate::support::Answer| answer.body["status"] == "ready";
    app.until("/api/v1/personas/me", person, ready).await;
    document.answers.remove("getMyPersona");
    let mine = document.play(app, "getMyPersona", &[], me).await;
    let persona = mine.text("persona_id");
    document.play(app, "listPersonas", &[], me).await;
    document
        .play(app, "getPersona", &[("id", &persona)], me)
        .await;
    document
        .play(app, "getCardPage", &[("id", &persona)], nobody)
        .await;
    let nobodys = Uuid::now_v7().to_string();
    let gone = app
        .request(Method::GET, &format!("/p/{nobodys}"), nobody)
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 404);
    let picture = mine.text("illustration_url");
    let picture = picture.split('/').nth(6).unwrap();
    document
        .play(app, "getPicture", &[("id", picture)], me)
        .await;
    document.play(app, "forgePersona", &[], me).await;
    app.until("/api/v1/personas/me", person, ready).await;
    document
        .play(app, "closeSurvey", &[("name", &survey)], me)
        .await;
    let closed = document
        .send(app, "getSurvey", &[("name", &slug)], nobody, None)
        .await;
    closed.is_problem(410, "survey_closed");
}

/// Everybody does it with an account of their own, which is gone then.
pub(super) async fn themselves(app: &App, document: &mut Document, admin: &Person) {
    let (leaving, going) = (app.person(&["member"]), app.person(&["member"]));
    let told = document.play(app, "getMe", &[], Some(&leaving)).await;
    let session = told.text("session_id");
    let listed = document
        .play(app, "listMySessions", &[], Some(&leaving))
        .await;
    assert_eq!(listed.body["items"][0]["id"], session);
    let names = [("id", session.as_str())];
    document
        .send(app, "endMySession", &names, Some(&going), None)
        .await
        .is_problem(404, "not_found");
    document
        .play(app, "endMySession", &names, Some(&leaving))
        .await
        .is(204);
    document
        .send(app, "getMe", &[], Some(&leaving), None)
        .await
        .is_problem(401, "invalid_token");
    let out = app.person(&["member"]);
    document.play(app, "signOut", &[], Some(&out)).await.is(204);
    let job = document.play(app, "eraseMe", &[], Some(&going)).await;
    app.until_status(job.is(202).id(), admin, "succeeded").await;
}
