//! Spans reach a collector, in the trace that the caller began: from the API, and from the worker after it.

use crate::ground::Ground;
use crate::support::{Place, until};
use axum::body::Bytes;
use axum::{Router, routing::post};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A span, as far as this test reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    service: String,
    name: String,
    trace: String,
    id: String,
    parent: String,
}

/// A field of a protobuf message that is bytes, a text or another message; numbers are passed by.
fn fields(mut message: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = vec![];
    while !message.is_empty() {
        let tag = varint(&mut message);
        let length = match tag & 7 {
            0 => {
                varint(&mut message);
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)).unwrap(),
            5 => 4,
            other => panic!("no wire type of protobuf 3: {other}"),
        };
        let (value, rest) = message.split_at(length);
        message = rest;
        if tag & 7 == 2 {
            found.push((tag >> 3, value));
        }
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, rest) = message.split_first().unwrap();
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

fn inner(message: &[u8], number: u64) -> Vec<&[u8]> {
    let fields = fields(message).into_iter();
    let found = fields.filter(|(found, _)| *found == number);
    found.map(|(_, value)| value).collect()
}

fn text(message: &[u8], number: u64) -> String {
    let found = inner(message, number);
    let found = found.first().copied().unwrap_or_default();
    String::from_utf8_lossy(found).into_owned()
}

fn hex(message: &[u8], number: u64) -> String {
    let mut digits = String::new();
    for byte in inner(message, number).concat() {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}

/// `ExportTraceServiceRequest`: resource spans 1, their resource 1 and scope spans 2, their spans 2.
fn spans(request: &[u8]) -> Vec<Span> {
    let mut spans = vec![];
    for of_resource in inner(request, 1) {
        let mut attributes = inner(of_resource, 1)
            .into_iter()
            .flat_map(|one| inner(one, 1));
        let named = |one: &&[u8]| text(one, 1) == "service.name";
        let service = attributes.find(named).unwrap();
        let service = text(inner(service, 2)[0], 1);
        let scopes = inner(of_resource, 2).into_iter();
        for span in scopes.flat_map(|scope| inner(scope, 2)) {
            spans.push(Span {
                service: service.clone(),
                trace: hex(span, 1),
                id: hex(span, 2),
                parent: hex(span, 4),
                name: text(span, 5),
            });
        }
    }
    spans
}

/// A collector, and what it has been sent.
async fn collector() -> (String, Arc<Mutex<Vec<Span>>>) {
    let collected = Arc::<Mutex<Vec<Span>>>::default();
    let keep = Arc::clone(&collected);
    let take = post(move |body: Bytes| async move {
        keep.lock().unwrap().extend(spans(&body));
    });
    let routes = Router::new().route("/v1/traces", take);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, collected)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callers_trace_goes_on_in_the_api_and_in_the_worker() {
    let Some(ground) = Ground::made("traces of an API and a worker").await else {
        return;
    };
    let (url, collected) = collector().await;
    let place = Place::new();
    place.chorus_with(&["migrate"], &ground.settings()).is(0);
    let sent = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let api = ground.serve(&place, &["api"], "PORT", &sent);
    let worker = ["worker", "synthesis"];
    let _worker = ground.serve(&place, &worker, "WORKER_PORT", &sent);
    let image = ["worker", "image"];
    let _image = ground.serve(&place, &image, "WORKER_PORT", &sent);
    let token = ground.token(&place);
    let submit = async |traceparent: &str| -> Value {
        let request = reqwest::Client::new().post(format!("{}/api/v1/jobs", api.url));
        let request = request
            .bearer_auth(&token)
            .json(&json!({"kind": "demo.relay"}));
        let request = request.header("prefer", "wait=20");
        let answer = request.header("traceparent", traceparent).send().await;
        answer
            .unwrap()
            .error_for_status()
            .unwrap()
            .json()
            .await
            .unwrap()
    };
    let done = submit(&format!("00-{TRACE}-{CALLER}-01")).await;
    assert_eq!(done["status"], "succeeded", "{done}");
    let of_trace = || -> Vec<Span> {
        let collected = collected.lock().unwrap();
        let ours = collected.iter().filter(|span| span.trace == TRACE);
        ours.cloned().collect()
    };
    let found = until("a span of the API and two of workers", || {
        let found = of_trace();
        (found.len() >= 3).then_some(found)
    });
    let of = |service: &str| found.iter().find(|span| span.service == service).unwrap();
    let request = of("chorus-api");
    assert_eq!((&*request.name, &*request.parent), ("request", CALLER));
    for service in ["synthesis-worker", "image-worker"] {
        let step = of(service);
        assert_eq!((&*step.name, &step.parent), ("step", &request.id));
    }

    let done = submit("00-this-is-none-01").await;
    assert_eq!(done["status"], "succeeded", "{done}");
    let other = until("a trace of its own", || {
        let collected = collected.lock().unwrap();
        let other = |span: &&Span| span.name == "step" && span.trace != TRACE;
        collected.iter().find(other).cloned()
    });
    assert!(
        !other.parent.is_empty(),
        "it goes on in the request's: {other:?}"
    );
    ground.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_a_model_is_a_span_of_its_step() {
    let (url, collected) = collector().await;
    let place = Place::new();
    let house = place.house_with(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ]);
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let (base, token) = (read("chorus-data/url"), read("chorus-data/token"));
    let post = async |path: &str, body: &Value| -> Value {
        let request = reqwest::Client::new().post(format!("{}{path}", base.trim()));
        let answer = request.bearer_auth(token.trim()).json(body).send().await;
        let answer = answer.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap()
    };
    let sample: Value = serde_json::from_str(include_str!("../../samples/friends.json")).unwrap();
    let friends = sample["friends"].as_array().unwrap();
    let survey = json!({"title": sample["title"], "min_responses": friends.len()});
    let survey = post("/api/v1/surveys", &survey).await;
    let path = format!(
        "/api/v1/surveys/{}/responses",
        survey["slug"].as_str().unwrap()
    );
    for (at, friend) in friends.iter().enumerate() {
        let answer =
            json!({"answers": friend["answers"], "fingerprint": format!("friend {}", at + 1)});
        post(&path, &answer).await;
    }
    let named = |name: &str| -> Vec<Span> {
        let collected = collected.lock().unwrap();
        let named = collected.iter().filter(|span| span.name == name);
        named.cloned().collect()
    };
    let calls = until("words and a portrait are asked for", || {
        let calls = named("model.call");
        (calls.len() >= 2).then_some(calls)
    });
    for call in calls {
        let step = until("the step around it has ended", || {
            let mut steps = named("step").into_iter();
            steps.find(|step| step.id == call.parent)
        });
        assert_eq!(step.trace, call.trace);
    }
    house.interrupt().is(0);
}
