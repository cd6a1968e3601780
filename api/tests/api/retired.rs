//! A job that ended long ago is not there any more; what it made is.

use crate::mirror::respond;
use crate::support::on_each;
use chrono::DateTime;
use saga_core::store::Keep;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test]
async fn a_job_that_was_taken_away_is_told_so_and_its_persona_stays() {
    on_each(async |app| {
        let (me, ana) = (app.person(&["member"]), app.person(&["operator"]));
        let asked = json!({"title": "Who am I?"});
        let survey = app.post("/api/v1/surveys", &me, &asked);
        let slug = survey.await.is(201).text("slug");
        for friend in 0..3 {
            respond(app, &slug, friend).await.is(201);
        }
        let waiting = app.get("/api/v1/personas/me", &me).await.is(200);
        let job = waiting.text("job");
        app.work();
        let ready = app
            .until("/api/v1/personas/me", &me, |answer| {
                answer.body["status"] == "ready"
            })
            .await;
        let keep = Keep {
            sagas: Some(Duration::ZERO),
            ..Keep::default()
        };
        let beginning = (DateTime::UNIX_EPOCH, Uuid::nil());
        let retired = app.store.retire_sagas(&keep, beginning, 10).await.unwrap();
        assert_eq!((retired.rows, retired.next), (1, None));

        for path in [job.clone(), format!("{job}/events")] {
            let told = app.get(&path, &me).await.is_problem(404, "not_found");
            assert!(told.text("detail").contains("RETENTION_DAYS"), "{told:?}");
        }
        let cancel = app.post(&format!("{job}/cancel"), &me, &json!({})).await;
        cancel.is_problem(404, "not_found");
        let id = job.rsplit_once('/').unwrap().1;
        let told = app.get(&format!("/api/v1/admin/sagas/{id}"), &ana).await;
        let told = told.is_problem(404, "not_found");
        assert!(told.text("detail").contains("RETENTION_DAYS"), "{told:?}");
        let jobs = app.get("/api/v1/jobs", &me).await.is(200);
        assert_eq!(jobs.body["items"], json!([]));
        let stays = app.get("/api/v1/personas/me", &me).await.is(200);
        for member in ["name", "status", "card_url", "illustration_url"] {
            assert_eq!(stays.body[member], ready.body[member], "{member}");
        }
    })
    .await;
}
