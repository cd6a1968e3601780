//! The three questions about a process: does it live, may it work, how is it.

use crate::probe::{Check, Probe};
use axum::extract::Query;
use axum::http::{HeaderValue, StatusCode, header::CACHE_CONTROL};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use serde::Serialize;
use std::collections::BTreeMap;

/// `/livez`, `/readyz` and `/health`, to be served alone or merged into the API. None waits for anything.
pub fn routes<S: Clone + Send + Sync + 'static>(probe: Probe) -> Router<S> {
    let (ready, whole) = (probe.clone(), probe);
    Router::new()
        .route("/livez", get(|| async { fresh("ok\n") }))
        .route(
            "/readyz",
            get(
                move |query: Query<BTreeMap<String, String>>| async move { readyz(&ready, &query) },
            ),
        )
        .route("/health", get(move || async move { health(&whole) }))
}

fn readyz(probe: &Probe, query: &BTreeMap<String, String>) -> Response {
    let status = if probe.ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let text = list(probe, query.contains_key("verbose"));
    let verdict = match (probe.ready(), probe.draining()) {
        (true, _) => "ready",
        (false, true) => "draining",
        (false, false) => "not ready",
    };
    (status, fresh(format!("{text}{verdict}\n"))).into_response()
}

/// What was looked at: whatever is down, or all of it.
fn list(probe: &Probe, all: bool) -> String {
    let report = probe.report();
    let checks = report.checks().into_iter();
    let told = checks.filter(|(_, check)| all || matches!(check, Check::Down(_)));
    let words = told.map(|(name, check)| (name, check.word()));
    let draining = if probe.draining() { "yes" } else { "no" };
    let lines = words.chain(all.then_some(("draining", draining)));
    lines
        .map(|(name, word)| [name, ": ", word, "\n"].concat())
        .collect()
}

/// How a process is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok` or `degraded`.
    status: &'static str,
    /// `chorus`.
    service: &'static str,
    /// Which build.
    version: &'static str,
    uptime_seconds: u64,
    /// `ok`, `down` or `unknown`, by name.
    dependencies: BTreeMap<&'static str, &'static str>,
}

/// The JSON of `/health`, also served as `/api/v1/health`.
pub fn health(probe: &Probe) -> Response {
    let report = probe.report();
    let (status, word) = if report.ok() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "degraded")
    };
    let dependencies = report
        .checks()
        .into_iter()
        .map(|(name, check)| (name, check.word()))
        .collect();
    let body = Health {
        status: word,
        service: "chorus",
        version: crate::VERSION,
        uptime_seconds: probe.uptime().as_secs(),
        dependencies,
    };
    (status, fresh(Json(body))).into_response()
}

fn fresh(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
