//! Every refusal is a problem, and says how to mend it.

use crate::support::{App, on_each};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn the_router_refuses_in_our_words() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    app.get("/api/v1/nonsense", &me)
        .await
        .is_problem(404, "not_found");
    app.get("/nonsense?x=1", &me)
        .await
        .is_problem(404, "not_found");
    app.get("/api/v1/jobs/not-an-id", &me)
        .await
        .is_problem(404, "not_found");
    let wrong = app
        .send(app.request(Method::DELETE, "/api/v1/jobs", Some(&me)))
        .await;
    let wrong = wrong.is_problem(405, "method_not_allowed");
    assert!(wrong.header("allow").contains("POST"));
    assert_eq!(wrong.body["instance"], "/api/v1/jobs");
    app.get("/api/v1/jobs?limit=0", &me)
        .await
        .is_problem(400, "bad_parameter");
    app.get("/api/v1/jobs?status=odd", &me)
        .await
        .is_problem(400, "bad_parameter");
    app.get("/api/v1/jobs?unknown=1", &me)
        .await
        .is_problem(400, "bad_parameter");
    app.get("/api/v1/jobs?cursor=%7B", &me)
        .await
        .is_problem(400, "bad_parameter");
    app.end().await;
}

#[tokio::test]
async fn health_refuses_a_wrong_method_in_our_words() {
    let app = App::new(None, |_| {}).await;
    for path in ["/livez", "/readyz", "/health", "/api/v1/health"] {
        let wrong = app.send(app.request(Method::POST, path, None)).await;
        let wrong = wrong.is_problem(405, "method_not_allowed");
        assert!(wrong.header("allow").contains("GET"), "{wrong:#?}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_body_is_refused_by_size_then_syntax_then_shape() {
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let send = async |kind: &str, body: String| {
        let request = app
            .request(Method::POST, "/api/v1/jobs", Some(&me))
            .header("content-type", kind);
        app.send(request.body(body)).await
    };
    let json = "application/json";
    send(json, "{".repeat(300 * 1024))
        .await
        .is_problem(413, "too_large");
    let streamed = reqwest::Body::wrap_stream(futures_util::stream::iter(
        (0..40).map(|_| Ok::<_, std::io::Error>("x".repeat(10_000))),
    ));
    let chunked = app
        .request(Method::POST, "/api/v1/jobs", Some(&me))
        .header("content-type", json);
    app.send(chunked.body(streamed))
        .await
        .is_problem(413, "too_large");
    send("text/plain", "{}".to_owned())
        .await
        .is_problem(415, "unsupported_media_type");
    send(json, "{\"kind\":".to_owned())
        .await
        .is_problem(400, "malformed_json");
    send(json, "{\"kind\":\"demo.pair\"} {}".to_owned())
        .await
        .is_problem(400, "malformed_json");
    let deep = format!(
        "{{\"kind\":\"demo.pair\",\"input\":{}{}}}",
        "[".repeat(40),
        "]".repeat(40)
    );
    send(json, deep).await.is_problem(400, "malformed_json");
    let unknown = send(json, "{\"kind\":\"demo.pair\",\"owner_id\":1}".to_owned())
        .await
        .is_problem(400, "unknown_field");
    assert_eq!(unknown.body["errors"][0]["pointer"], "/owner_id");
    let wrong = send(json, "{\"kind\":7}".to_owned())
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(wrong.body["errors"][0]["pointer"], "/kind");
    let missing = send(json, String::new())
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(missing.body["errors"][0]["pointer"], "/kind");
    let odd = send(json, "{\"kind\":\"persona.forge\"}".to_owned())
        .await
        .is_problem(422, "validation_failed");
    assert_eq!(odd.body["errors"][0]["code"], "unknown_kind");
    let input = send(
        json,
        "{\"kind\":\"demo.pair\",\"input\":{\"x\":1}}".to_owned(),
    )
    .await;
    assert_eq!(
        input.is_problem(422, "validation_failed").body["errors"][0]["pointer"],
        "/input"
    );
    let long = json!({"kind": "demo.patient", "input": "x".repeat(70_000)}).to_string();
    send(json, long).await.is_problem(422, "validation_failed");
    app.end().await;
}

#[tokio::test]
async fn a_text_with_nul_is_refused_where_it_stands() {
    on_each(async |app| {
        let admin = app.person(&["admin"]);
        let letter = format!("/api/v1/admin/dead-letters/{}/replay", Uuid::now_v7());
        let survey = crate::mirror::survey(app, &admin).await;
        let mut told = crate::support::answers();
        told["m1"] = json!("a\0b");
        for (path, body, pointer) in [
            (letter.as_str(), json!({"reason": "a\0b"}), "/reason"),
            (
                &format!("/api/v1/surveys/{survey}/responses"),
                json!({"answers": told}),
                "/answers/m1",
            ),
            (
                "/api/v1/jobs",
                json!({"kind": "demo.patient", "input": [{"x": "\0"}]}),
                "/input/0/x",
            ),
            ("/api/v1/jobs", json!({"kind": "demo.\0"}), "/kind"),
            ("/api/v1/surveys", json!({"title": "\0"}), "/title"),
        ] {
            let refused = app.post(path, &admin, &body).await;
            let refused = refused.is_problem(422, "validation_failed");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer);
        }
        let fine = json!({"kind": "demo.patient", "input": "a\\u0000"});
        app.post("/api/v1/jobs", &admin, &fine).await.is(202);
        app.get("/api/v1/jobs?kind=%00", &admin)
            .await
            .is_problem(400, "bad_parameter");
        app.get("/api/v1/surveys/%00", &admin)
            .await
            .is_problem(404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn a_public_body_is_smaller() {
    let app = App::new(None, |_| {}).await;
    let path = format!("/api/v1/surveys/{}/responses", Uuid::now_v7());
    let request = app
        .request(Method::POST, &path, None)
        .header("content-type", "application/json");
    app.send(request.body(" ".repeat(33 * 1024)))
        .await
        .is_problem(413, "too_large");
    app.end().await;
}

#[tokio::test]
async fn a_request_id_comes_back_on_everything() {
    let app = App::new(None, |_| {}).await;
    for path in ["/", "/nonsense", "/livez", "/api/v1/jobs"] {
        let given = app
            .send(
                app.request(Method::GET, path, None)
                    .header("x-request-id", "mine-7"),
            )
            .await;
        assert_eq!(given.header("x-request-id"), "mine-7");
        let odd = app
            .send(
                app.request(Method::GET, path, None)
                    .header("x-request-id", "no spaces"),
            )
            .await;
        assert!(Uuid::try_parse(odd.header("x-request-id")).is_ok());
    }
    let me = app.person(&["member"]);
    let request = app
        .request(Method::POST, "/api/v1/jobs", Some(&me))
        .header("x-request-id", "mine-8");
    let job = app
        .send(request.json(&json!({"kind": "demo.patient"})))
        .await
        .is(202)
        .id();
    let run = app.store.view(&[job]).await.unwrap().remove(&job).unwrap();
    assert_eq!(run.saga.request_id, "mine-8");
    app.end().await;
}
