//! How long answers take, by route: the template that matched, never an address with ids in it.

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use metrics::histogram;
use std::time::Instant;

/// Measures one answer, from the request's head to the answer's.
pub(crate) fn answered(
    route: Option<&MatchedPath>,
    method: &Method,
    status: StatusCode,
    began: Instant,
) {
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    histogram!(
        "chorus_http_request_duration_seconds",
        "route" => route,
        "method" => word(method),
        "status" => status.as_str().to_owned()
    )
    .record(began.elapsed());
}

/// The method's name; anybody may invent others.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
