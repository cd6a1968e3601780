//! What people send who mean no good: it changes nothing, and is found nowhere afterwards.

use crate::log;
use crate::support::{App, Person, answers, on_each};
use chorus_workers::providers::{
    Answered, Call, CallError, Completion, Prompt, TextModel, Unreadable, Usage,
};
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const INJECTIONS: &str = include_str!("../../../domain/tests/mirror/injections.txt");
const INJECTIONS_MIN: usize = 50;
const TOKENS: u64 = 10;

/// Says back whatever it is told, as a persona's words, and notes how often each asks.
#[derive(Default)]
struct Echo(Mutex<BTreeMap<String, u64>>);

impl TextModel for Echo {
    fn provider(&self) -> &'static str {
        "openai"
    }
    fn model(&self) -> &'static str {
        "priced"
    }
    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        *self
            .0
            .lock()
            .unwrap()
            .entry(call.request_id.clone())
            .or_default() += 1;
        let said = |at: usize| prompt.user.chars().skip(at).take(200).collect::<String>();
        let text = json!({
            "name": said(0), "title": said(1), "traits": [said(2), said(3), said(4)],
            "persona_prompt": prompt.user, "greeting": said(5),
        });
        Box::pin(async move { Ok(text.to_string().into_bytes().into()) })
    }
    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        Ok(Completion {
            text: String::from_utf8(raw.to_vec()).unwrap(),
            usage: Usage {
                input_tokens: TOKENS,
                output_tokens: TOKENS,
                images: 0,
            },
            model: self.model().to_owned(),
        })
    }
}

/// Somebody whose three friends all answer with these words.
async fn answered(app: &App, words: &str, request: &str) -> Person {
    let me = app.person(&["member"]);
    let survey = crate::mirror::survey(app, &me).await;
    let path = format!("/api/v1/surveys/{survey}/responses");
    for friend in 0..3 {
        let mut said = answers();
        (said["m1"], said["h1"]) = (json!(words), json!(words));
        let body = json!({"answers": said, "fingerprint": format!("friend {friend}")});
        let asked = app.request(Method::POST, &path, None);
        app.send(asked.header("x-request-id", request).json(&body))
            .await
            .is(201);
    }
    me
}

#[tokio::test]
async fn words_that_give_orders_change_no_state_and_cost_what_others_cost() {
    on_each(async |app| {
        let injections: Vec<&str> = INJECTIONS.lines().filter(|line| !line.is_empty()).collect();
        assert!(injections.len() >= INJECTIONS_MIN);
        let echo = Arc::new(Echo::default());
        let mut all = vec![];
        for (at, words) in ["Terrible puns."].iter().chain(&injections).enumerate() {
            all.push(answered(app, words, &format!("r-{at}")).await);
        }
        app.work_with(Arc::clone(&echo) as _);
        let mut cost = None;
        for me in &all {
            let mine = app.get("/api/v1/personas/me", me).await.is(200);
            let job = app
                .until(&mine.text("job"), me, |job| job.body["status"] == "parked")
                .await;
            let known = cost.get_or_insert_with(|| job.body["usage"].clone());
            assert_eq!(&job.body["usage"], known, "{job:#?}");
            assert_eq!(job.body["kind"], "persona.forge");
            // A member it was and a member it is, with one job, and without a persona.
            app.get("/api/v1/admin/audit", me)
                .await
                .is_problem(403, "forbidden");
            let jobs = app.get("/api/v1/jobs", me).await.is(200);
            assert_eq!(jobs.body["items"].as_array().unwrap().len(), 1);
            let personas = app.get("/api/v1/personas", me).await.is(200);
            assert_eq!(personas.body["items"], json!([]));
        }
        let calls = echo.0.lock().unwrap().clone();
        assert_eq!(calls.len(), all.len());
        let first = calls["r-0"];
        assert!(calls.values().all(|calls| *calls == first), "{calls:?}");
        let decided = app
            .get("/api/v1/admin/audit", &app.person(&["admin"]))
            .await
            .is(200);
        assert_eq!(decided.body["items"], json!([]));
    })
    .await;
}

/// Sends bytes as they are, and reads what comes back.
async fn raw(app: &App, request: &[u8]) -> String {
    let address = app.base.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut told = vec![];
    let read = stream.read_to_end(&mut told);
    tokio::time::timeout(Duration::from_secs(30), read)
        .await
        .unwrap()
        .unwrap();
    String::from_utf8_lossy(&told).into_owned()
}

#[tokio::test]
async fn nobody_writes_headers_or_log_lines_of_ours() {
    log::keep();
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let bearer = format!("Authorization: Bearer {}", me.token);
    let heads = [
        "X-Request-Id: a\rX-Forged: 1".to_owned(),
        "X-Request-Id: a\n X-Forged: 1".to_owned(),
        "X-Request-Id: a%0d%0aX-Forged:%201".to_owned(),
        "X-Request-Id: \u{1b}[31mforged-line".to_owned(),
        "X-Request-Id: forged-line\u{85}forged".to_owned(),
        "User-Agent: x\u{1b}]0;forged-line\u{7}".to_owned(),
        "Idempotency-Key: \u{1b}[2Jforged-line".to_owned(),
        "Idempotency-Key: a\tforged-line".to_owned(),
        "Origin: http://localhost:3000%0d%0aX-Forged: 1".to_owned(),
        "traceparent: 00-forged-line".to_owned(),
        "Prefer: wait=1\u{b}forged-line".to_owned(),
        "X-Forwarded-For: 1.1.1.1\u{c}forged-line".to_owned(),
        "Last-Event-ID: \u{8}forged-line".to_owned(),
    ];
    for head in &heads {
        for line in ["POST /api/v1/jobs", "GET /api/v1/surveys", "GET /nothing"] {
            let body = "{\"kind\":\"demo.patient\"}";
            let request = format!(
                "{line} HTTP/1.1\r\nHost: x\r\n{bearer}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n{head}\r\n\r\n{body}",
                body.len()
            );
            let told = raw(&app, request.as_bytes()).await.to_lowercase();
            assert!(!told.contains("\r\nx-forged"), "{head:?}: {told}");
            assert!(
                !told.contains('\u{1b}') && !told.contains("forged-line"),
                "{head:?}: {told}"
            );
        }
    }
    let paths = [
        "/api/v1/jobs/%0d%0aX-Forged:%201",
        "/api/v1/surveys/x%0aINFO%20forged-line",
        "/p/%1b[31mforged-line",
        "/api/v1/jobs?cursor=%0d%0aX-Forged:1",
        "/api/v1/jobs?limit=%0aforged-line",
        "//forged-line.example/%2e%2e",
    ];
    for path in paths {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: forged-line.example\r\n{bearer}\r\nConnection: close\r\n\r\n"
        );
        let told = raw(&app, request.as_bytes()).await.to_lowercase();
        assert!(told.starts_with("http/1.1 4"), "{path}: {told}");
        assert!(
            !told.contains("\r\nx-forged") && !told.contains('\u{1b}'),
            "{path}: {told}"
        );
    }
    app.end().await;
    let log = log::kept();
    assert!(log.contains("/api/v1/surveys"), "the log is kept");
    for line in log.lines() {
        assert!(!line.contains("forged"), "{line:?}");
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
}

/// Requests that are wrong in every way, each with a secret somewhere in it.
fn wrong(app: &App, me: &Person) -> Vec<reqwest::RequestBuilder> {
    let post = |path: &str, body: Value| app.request(Method::POST, path, Some(me)).json(&body);
    let get = |path: &str| app.request(Method::GET, path, None);
    let text = |path: &str, body: &'static str| {
        let request = app.request(Method::POST, path, Some(me));
        request
            .header("content-type", "application/json")
            .body(body)
    };
    vec![
        get("/api/v1/jobs").bearer_auth("canary.token.value"),
        get("/api/v1/jobs").bearer_auth(format!("{}canary", me.token)),
        get("/api/v1/jobs").basic_auth("canary", Some("canary-password")),
        get("/api/v1/jobs").header("authorization", "canary-scheme canary"),
        get("/api/v1/jobs").header("x-api-key", "canary-key"),
        get("/api/v1/jobs").header("cookie", "session=canary-session"),
        get("/api/v1/jobs?access_token=canary-query"),
        get("/nothing").header("x-api-key", "canary-key"),
        post("/api/v1/surveys", json!({"title": ["canary-answer"]})),
        post("/api/v1/surveys", json!({"min_responses": "canary-answer"})),
        post("/api/v1/surveys", json!({"question_set": "canary-answer"})),
        post(
            "/api/v1/surveys",
            json!({"title": "canary-answer".repeat(20)}),
        ),
        post("/api/v1/jobs", json!({"kind": {"canary-answer": 1}})),
        post("/api/v1/jobs", json!("canary-answer")),
        post(
            "/api/v1/personas/me/forge",
            json!({"mode": "canary-answer"}),
        ),
        post(
            "/api/v1/personas/me/forge",
            json!({"survey_id": "canary-answer"}),
        ),
        text("/api/v1/surveys", "{\"title\": \"canary-answer"),
        text("/api/v1/surveys", "canary-answer"),
        text("/api/v1/surveys", "{\"title\": \"\\u0000canary-answer\"}"),
        post("/api/v1/jobs", json!({"kind": "demo.pair"}))
            .header("idempotency-key", "canary-key\u{e9}"),
        app.request(Method::GET, "/api/v1/jobs?cursor=canary-query", Some(me)),
        app.request(Method::GET, "/api/v1/jobs?limit=canary-query", Some(me)),
        app.request(Method::GET, "/api/v1/jobs?status=canary-query", Some(me)),
    ]
}

#[tokio::test]
async fn what_was_wrong_is_told_without_what_was_sent() {
    log::keep();
    let app = App::new(None, |_| {}).await;
    let me = app.person(&["member"]);
    let began = Instant::now();
    for (at, request) in wrong(&app, &me).into_iter().enumerate() {
        let answer = app.send(request).await;
        assert!(answer.status.is_client_error(), "{at}: {answer:#?}");
        let told = format!("{} {:?}", answer.body, answer.headers);
        assert!(!told.contains("canary"), "{at}: {told}");
    }
    assert!(began.elapsed() < Duration::from_secs(30));
    app.end().await;
    let log = log::kept();
    assert!(log.contains("/api/v1/jobs"), "the log is kept");
    let line = log.lines().find(|line| line.contains("canary"));
    assert_eq!(line, None);
}
