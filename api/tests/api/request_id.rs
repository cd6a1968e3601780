//! One id, and one trace, lead from a client's request to the call of a model, and to every line between.

use crate::log;
use crate::mirror::survey;
use crate::provider::Unwilling;
use crate::support::{App, answers, on_each};
use reqwest::Method;
use saga_core::db::Sql;
use saga_core::ticket::Ticket;
use serde_json::json;

#[tokio::test]
async fn one_id_is_followed_from_the_client_to_the_provider() {
    log::keep();
    on_each(async |app| {
        let trace = uuid::Uuid::now_v7().simple().to_string();
        let id = format!("client-{}", &trace[16..]);
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        let mut provider = Unwilling::start().await;
        let me = app.person(&["member"]);
        let path = format!("/api/v1/surveys/{}/responses", survey(app, &me).await);
        for friend in ["a", "b", "c"] {
            let request = app.request(Method::POST, &path, None);
            let body = json!({"answers": answers(), "fingerprint": friend});
            let request = request.header("traceparent", &parent);
            let answer = app.send(request.header("x-request-id", &id).json(&body));
            assert_eq!(answer.await.is(201).header("x-request-id"), id);
        }
        let job = app.get("/api/v1/personas/me", &me).await.text("job");
        let job: uuid::Uuid = job.rsplit('/').next().unwrap().parse().unwrap();
        let run = app.store.view(&[job]).await.unwrap().remove(&job).unwrap();
        assert_eq!(run.saga.request_id, id, "the saga has it");
        let mut tickets = run
            .steps
            .iter()
            .filter_map(|step| Ticket::of(&run.saga, step));
        assert_eq!(tickets.next().unwrap().request, id, "so have its tickets");

        app.work_with(provider.writer());
        assert_eq!(provider.calls.recv().await.as_deref(), Some(id.as_str()));
        app.until_status(job, &me, "parked").await;
        let log = log::kept();
        let line = |with: &str| {
            log.lines()
                .any(|line| line.contains(with) && line.contains(&id) && line.contains(&trace))
        };
        assert!(
            line("/api/v1/surveys/{name}/responses"),
            "the API's line has it"
        );
        assert!(
            line("step{") && line("The provider answered 400"),
            "the worker's has it"
        );
    })
    .await;
}

#[tokio::test]
async fn an_error_is_logged_with_the_id_of_its_request() {
    log::keep();
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let drop_table = Sql {
        postgres: "DROP TABLE surveys",
        sqlite: "DROP TABLE surveys",
    };
    app.store.db().query(drop_table).execute().await.unwrap();
    let request = app.request(Method::GET, "/api/v1/surveys", Some(&me));
    let answer = app.send(request.header("x-request-id", "lost-table")).await;
    answer.is_problem(500, "internal");
    let log = log::kept();
    assert!(
        log.lines().any(
            |line| line.contains("A request failed on our side") && line.contains("lost-table")
        ),
        "{log}"
    );
    app.end().await;
}
