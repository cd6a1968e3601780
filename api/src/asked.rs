//! What a command brings besides its body.

use crate::context::Context;
use crate::prefer::Wait;
use crate::problem::{Code, Problem};
use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, Method, Uri, header, request::Parts};

/// What a command brings besides its body.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// Follows the command through saga, tickets and provider calls.
    pub(crate) request_id: String,
    /// How long the caller would wait.
    pub(crate) wait: Option<Wait>,
    /// What makes a repeated command the same command.
    pub(crate) key: Option<String>,
    /// Which program calls, by its own word.
    pub(crate) user_agent: String,
}

const KEY_CHARS_MAX: usize = 255;

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        Ok(Self {
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            request_id: parts
                .extensions
                .get::<Context>()
                .map_or("-", Context::id_str)
                .to_owned(),
            wait: Wait::of(&parts.headers),
            key: key(&parts.headers)?,
            user_agent: agent.unwrap_or_default().to_owned(),
        })
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let text = first.to_str().unwrap_or("").trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text);
    let printable = bare.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if bare.is_empty() || bare.len() > KEY_CHARS_MAX || !printable || given.next().is_some() {
        let how = format!(
            "Idempotency-Key: send one key of 1 to {KEY_CHARS_MAX} printable ASCII characters."
        );
        return Err(Problem::new(Code::BadParameter, how));
    }
    Ok(Some(bare.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::key;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn a_key_is_quoted_or_bare() {
        let of = |text: &str| {
            let name = HeaderName::from_static("idempotency-key");
            key(&HeaderMap::from_iter([(
                name,
                HeaderValue::from_str(text).unwrap(),
            )]))
        };
        assert_eq!(of("\"a-1\"").unwrap(), of("a-1").unwrap());
        assert!(
            of("\"\"").is_err() && of(&"x".repeat(256)).is_err() && of(&"x".repeat(255)).is_ok()
        );
    }
}
