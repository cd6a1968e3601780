//! Surveys and their answers, over HTTP.

use crate::support::{Answer, App, Person, answers};
use reqwest::Method;
use serde_json::json;

pub(crate) async fn survey(app: &App, by: &Person) -> String {
    app.post("/api/v1/surveys", by, &json!({"title": "Who am I?"}))
        .await
        .is(201)
        .text("survey_id")
}

pub(crate) fn respond(
    app: &App,
    survey: &str,
    friend: usize,
) -> impl Future<Output = Answer> + Send + use<> {
    let path = format!("/api/v1/surveys/{survey}/responses");
    let body = json!({"answers": answers(), "fingerprint": format!("friend {friend}")});
    app.send(app.request(Method::POST, &path, None).json(&body))
}
