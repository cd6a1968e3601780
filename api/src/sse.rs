//! What streams of events have in common: how one is resumed, kept open, and ended.

use crate::problem::{Code, Problem};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::Stream;
use std::convert::Infallible;
use std::time::Duration;

/// Proxies cut what is silent for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// When to come again after the server has stopped, or could not read.
const RETRY: Duration = Duration::from_secs(1);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const UNBUFFERED: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-accel-buffering"),
    HeaderValue::from_static("no"),
);

/// The id of the last event that somebody who comes again has.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(given) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let id = given
        .to_str()
        .ok()
        .and_then(|id| id.trim().parse().ok())
        .filter(|id| *id >= 0);
    id.map(Some).ok_or_else(|| {
        Problem::new(
            Code::BadParameter,
            "Last-Event-ID: send back the id of the last event.",
        )
    })
}

/// A response that tells these events, and is kept open in between.
pub(crate) fn telling(
    events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
) -> Response {
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let mut response = sse.into_response();
    let (name, value) = UNBUFFERED;
    response.headers_mut().insert(name, value);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Says why a stream ends before its story does, and when to come again.
pub(crate) fn parting(why: &str) -> Event {
    Event::default().comment(why).retry(RETRY)
}
