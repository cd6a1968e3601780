//! `/docs` and `/api/v1/openapi.json`: this API, for people and for programs.

use crate::etag;
use crate::reference::Fixed;
use crate::state::State;
use axum::extract::State as In;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

/// A new build may answer otherwise at any time.
const CACHE: &str = "public, max-age=60";

/// Sends the OpenAPI document.
pub(crate) async fn document(In(state): In<State>, headers: HeaderMap) -> Response {
    let Fixed { body, tag } = &state.reference().document;
    etag::json(&headers, body.clone(), tag.clone(), CACHE)
}

/// Shows every operation.
pub(crate) async fn operations(In(state): In<State>, headers: HeaderMap) -> Response {
    page(&state, &headers, &state.reference().operations)
}

/// Shows what every code of a problem means.
pub(crate) async fn errors(In(state): In<State>, headers: HeaderMap) -> Response {
    page(&state, &headers, &state.reference().errors)
}

fn page(state: &State, headers: &HeaderMap, page: &Fixed) -> Response {
    let mut response = etag::json(headers, page.body.clone(), page.tag.clone(), CACHE);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    let policy = state.reference().policy.clone();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
