//! How a job is answered: to the command that made it, and to whoever asks after it.

use super::Seen;
use crate::etag;
use crate::prefer::{PREFERENCE_APPLIED, Wait};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::Utc;

/// SPEC 3.4: polls are cheap, and a second old at most.
const CACHE: HeaderValue = HeaderValue::from_static("private, max-age=1");

/// The answer to a command: 200 if and only if the job is done, else 202.
pub(crate) fn to_command(seen: &Seen, wait: Option<Wait>) -> Response {
    to_command_with(seen, seen.body.clone(), wait)
}

/// As [`to_command`], with a body of the route's own.
pub(crate) fn to_command_with(seen: &Seen, body: Bytes, wait: Option<Wait>) -> Response {
    let status = if seen.done {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let tag = if body == seen.body {
        seen.etag.clone()
    } else {
        etag::tag(&body)
    };
    let mut response = with_body(status, body);
    let headers = response.headers_mut();
    describe(headers, seen, tag, wait);
    if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/jobs/{}", seen.id)) {
        headers.insert(header::LOCATION, location);
    }
    response
}

/// The answer to a question: 200, or 304 to whoever has it already.
pub(crate) fn to_question(seen: &Seen, asked: &HeaderMap, wait: Option<Wait>) -> Response {
    let mut response = if etag::is_known(asked, &seen.etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        with_body(StatusCode::OK, seen.body.clone())
    };
    describe(response.headers_mut(), seen, seen.etag.clone(), wait);
    response
}

fn with_body(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

fn describe(headers: &mut HeaderMap, seen: &Seen, tag: HeaderValue, wait: Option<Wait>) {
    headers.insert(header::ETAG, tag);
    headers.insert(header::CACHE_CONTROL, CACHE);
    if !seen.done {
        headers.insert(
            header::RETRY_AFTER,
            pause(
                Utc::now()
                    .signed_duration_since(seen.created_at)
                    .num_seconds(),
            ),
        );
    }
    if let Some(wait) = wait {
        headers.insert(PREFERENCE_APPLIED, wait.applied());
    }
}

/// How long to wait before asking again after a job of this age.
fn pause(age_s: i64) -> HeaderValue {
    HeaderValue::from_static(match age_s {
        ..10 => "1",
        10..60 => "2",
        60.. => "5",
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn older_jobs_are_asked_after_less_often() {
        let pauses: Vec<_> = [-1, 0, 9, 10, 59, 60]
            .into_iter()
            .map(super::pause)
            .collect();
        assert_eq!(pauses, ["1", "1", "1", "2", "2", "5"]);
    }
}
