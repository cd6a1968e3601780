//! Which pages of other origins may call.

use crate::settings::Origins;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember the answer to a preflight.
const REMEMBERED: Duration = Duration::from_mins(10);

/// The layer that answers preflights; none when no other origin may call.
pub(crate) fn layer(origins: &Origins) -> Option<CorsLayer> {
    let allowed = match origins {
        Origins::None => return None,
        Origins::Exactly(list) if list.is_empty() => return None,
        Origins::Loopback => AllowOrigin::predicate(|origin, _| is_loopback(origin)),
        Origins::Exactly(list) => AllowOrigin::list(
            list.iter()
                .filter_map(|one| HeaderValue::from_str(one).ok()),
        ),
    };
    let own = HeaderName::from_static;
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_credentials(true)
            .allow_methods([
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
                Method::OPTIONS,
            ])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                header::IF_NONE_MATCH,
                own("x-api-key"),
                own("x-request-id"),
                own("idempotency-key"),
                own("prefer"),
                own("last-event-id"),
            ])
            .expose_headers([
                header::LOCATION,
                header::RETRY_AFTER,
                header::ETAG,
                header::LINK,
                own("x-request-id"),
                own("ratelimit"),
                own("ratelimit-policy"),
                own("preference-applied"),
                own("idempotency-replayed"),
            ])
            .max_age(REMEMBERED),
    )
}

fn is_loopback(origin: &HeaderValue) -> bool {
    let Some(rest) = origin
        .to_str()
        .ok()
        .and_then(|origin| origin.strip_prefix("http://"))
    else {
        return false;
    };
    let host = rest.split_once(':').map_or(rest, |(host, _)| host);
    let port = rest.split_once(':').map_or("80", |(_, port)| port);
    matches!(host, "localhost" | "127.0.0.1") && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;
    use axum::http::HeaderValue;

    #[test]
    fn only_loopback_itself_is_loopback() {
        let is = |origin| is_loopback(&HeaderValue::from_static(origin));
        assert!(is("http://localhost:3000") && is("http://127.0.0.1:1") && is("http://localhost"));
        assert!(
            !is("http://localhost.evil.example")
                && !is("https://localhost:1")
                && !is("http://127.0.0.1:x")
        );
        assert!(!is("http://localhost:3000.evil.example") && !is("null"));
    }
}
