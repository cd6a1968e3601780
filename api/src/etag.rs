//! Answers that a client may keep: their tag, and 304 when it has them already.

use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// The tag of a body: the same bytes, the same tag.
pub(crate) fn tag(body: &[u8]) -> HeaderValue {
    let text = format!("\"{}\"", &domain::hash::name(body)[..24]);
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether the client has this body already.
pub(crate) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|known| {
        known == tag
            || known
                .to_str()
                .is_ok_and(|known| known.split(',').any(|one| matches(one.trim(), tag)))
    })
}

fn matches(one: &str, tag: &HeaderValue) -> bool {
    one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag.as_bytes()
}

/// 200 with a JSON body, or 304 if the client has it.
pub(crate) fn json(
    headers: &HeaderMap,
    body: Bytes,
    tag: HeaderValue,
    cache: &'static str,
) -> Response {
    let cache = (header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if is_known(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [cache, (header::ETAG, tag)]).into_response();
    }
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    ([kind, cache, (header::ETAG, tag)], Body::from(body)).into_response()
}

/// 200 with this as JSON, or 304 if the client has it.
pub(crate) fn telling(
    headers: &HeaderMap,
    told: &impl Serialize,
    cache: &'static str,
) -> Result<Response, Problem> {
    let body = serde_json::to_vec(told).map_err(|error| Problem::internal(&error))?;
    let tag = tag(&body);
    Ok(json(headers, body.into(), tag, cache))
}

#[cfg(test)]
mod tests {
    use super::{is_known, tag};
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn a_tag_is_found_in_any_list() {
        let mine = tag(b"x");
        let text = mine.to_str().unwrap();
        let known = |value: String| {
            let headers = HeaderMap::from_iter([(
                header::IF_NONE_MATCH,
                HeaderValue::from_str(&value).unwrap(),
            )]);
            is_known(&headers, &mine)
        };
        assert!(
            known(text.to_owned()) && known(format!("\"a\", W/{text}")) && known("*".to_owned())
        );
        assert!(!known("\"a\"".to_owned()));
    }
}
