//! What happens to every request and every answer, whatever the route.

use crate::client::{self, Threshold};
use crate::context::{Context, REQUEST_ID};
use crate::meter;
use crate::problem::{self, Code, Problem};
use crate::server::crowd::Presence;
use axum::body::HttpBody as _;
use axum::extract::{MatchedPath, Request, State as In};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use saga_core::trace::{self, Trace};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::error_span;

/// Where a caller says which trace its request belongs to.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest that an answer may take to begin: the slowest body, the longest `Prefer: wait`, and what
/// is done between them. Whoever is cut off here may have been heard all the same.
const ANSWER_MAX: Duration = Duration::from_secs(75);

const GUARDS: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    // A page that opened one of ours, or that one of ours leads to, gets no hold of its window.
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Marks a failed answer whose own body is what its reader wants: of a health check, or a page.
#[derive(Clone, Copy)]
pub(crate) struct OwnBody;

/// Gives the request its id and the answer its headers; turns refusals and panics into problems;
/// writes one line to the log.
pub(crate) async fn front(
    In(threshold): In<Arc<Threshold>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let (client, present) = threshold.pass(&mut request);
    let context = Context::of(request.headers());
    request.extensions_mut().insert(context.clone());
    // Of the highest level: where only errors are logged, they have the id, too.
    let span = error_span!(
        "request",
        request_id = context.id_str(),
        trace_id = tracing::field::Empty
    );
    let told = request.headers().get(TRACEPARENT);
    let told = told.and_then(|told| Trace::parse(told.to_str().ok()?).ok());
    let answering = answer(request, next, present, (began, &context));
    let mut response = trace::follow(span, told, answering).await;
    client::dress(response.headers_mut(), client);
    response
}

async fn answer(
    request: Request,
    next: Next,
    present: Result<Option<Presence>, Response>,
    (began, context): (Instant, &Context),
) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answering = async {
        match present {
            Ok(_held) => next.run(request).await,
            Err(refused) => refused,
        }
    };
    let answering = AssertUnwindSafe(answering).catch_unwind();
    let mut response = match tokio::time::timeout(ANSWER_MAX, answering).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::internal(&"a handler panicked").into_response(),
        Err(_) => Problem::new(Code::Timeout, "The answer took too long; ask again.")
            .retry_after(1)
            .into_response(),
    };
    let status = response.status();
    let own_body = response.extensions().get::<OwnBody>().is_some();
    if (status.is_client_error() || status.is_server_error()) && !own_body {
        response = problem::finish(response, uri.path(), context.id_str());
    }
    dress(response.headers_mut(), context);
    meter::answered(route.as_ref(), &method, response.status(), began);
    let bytes = response.body().size_hint().exact().unwrap_or_default();
    log(
        &Line {
            method,
            route: route.as_ref().map_or("-", MatchedPath::as_str),
            began,
            bytes,
        },
        &response,
        context,
    );
    response
}

fn dress(headers: &mut HeaderMap, context: &Context) {
    headers.insert(REQUEST_ID, context.id().clone());
    for (name, value) in GUARDS {
        headers.entry(name).or_insert(value);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

struct Line<'a> {
    method: Method,
    route: &'a str,
    began: Instant,
    bytes: u64,
}

/// One line, without addresses, tokens or bodies; the span around it has the request's id. Successful reads are told to those who listen closely.
fn log(line: &Line<'_>, response: &Response, context: &Context) {
    let status = response.status().as_u16();
    let Line {
        method,
        route,
        began,
        bytes,
    } = line;
    let is_read = matches!(*method, Method::GET | Method::HEAD) && status < 400;
    if is_read && !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let latency_ms = began.elapsed().as_secs_f64() * 1000.0;
    let account = context.account().map(tracing::field::display);
    if is_read {
        tracing::debug!(%method, route, status, latency_ms, account, bytes, "{method} {route} {status}");
    } else {
        tracing::info!(%method, route, status, latency_ms, account, bytes, "{method} {route} {status}");
    }
}

#[cfg(test)]
mod tests {
    use crate::client::Threshold;
    use crate::server::crowd::Crowd;
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::get;
    use process::settings::Proxies;
    use std::sync::Arc;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_panic_is_told_as_a_problem_and_not_in_its_own_words() {
        async fn fall() -> &'static str {
            panic!("canary: the innermost secret")
        }
        let router =
            Router::new()
                .route("/fall", get(fall))
                .layer(axum::middleware::from_fn_with_state(
                    Arc::new(Threshold {
                        proxies: Proxies::default(),
                        crowd: Crowd::new(None),
                    }),
                    super::front,
                ));
        let request = Request::get("/fall").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let body = axum::body::to_bytes(response.into_body(), 10_000).await;
        let told = String::from_utf8(body.unwrap().to_vec()).unwrap();
        assert!(
            told.contains("\"code\":\"internal\"") && !told.contains("canary"),
            "{told}"
        );
    }
}
