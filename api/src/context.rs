//! What is known of a request from its first line to its log line.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// The header that carries a request's id, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_BYTES_MAX: usize = 128;

/// What is known of a request. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context(Arc<Inner>);

struct Inner {
    id: HeaderValue,
    account: OnceLock<Uuid>,
}

impl Context {
    /// Takes the caller's id for the request, or makes one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers
            .get(&REQUEST_ID)
            .filter(|id| is_safe(id.as_bytes()))
            .cloned();
        let id = given.unwrap_or_else(|| {
            let mut text = Uuid::encode_buffer();
            let made: &str = Uuid::now_v7().hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(made).unwrap_or_else(|_| HeaderValue::from_static("-"))
        });
        Self(Arc::new(Inner {
            id,
            account: OnceLock::new(),
        }))
    }

    /// The request's id, as a header.
    pub(crate) fn id(&self) -> &HeaderValue {
        &self.0.id
    }

    /// The request's id.
    pub(crate) fn id_str(&self) -> &str {
        self.0.id.to_str().unwrap_or("-")
    }

    /// Notes who calls, for the log line.
    pub(crate) fn note_account(&self, account: Uuid) {
        let _ = self.0.account.set(account);
    }

    /// Who calls, if anybody was recognised.
    pub(crate) fn account(&self) -> Option<Uuid> {
        self.0.account.get().copied()
    }
}

/// Letters, digits and what joins them: nothing that a log or a header could stumble over.
fn is_safe(id: &[u8]) -> bool {
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.iter().all(safe)
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn a_request_id_is_short_and_plain() {
        assert!(is_safe(b"a") && is_safe(&[b'x'; 128]) && is_safe(b"run-7:a.b_c"));
        assert!(
            !is_safe(b"")
                && !is_safe(&[b'x'; 129])
                && !is_safe(b"a b")
                && !is_safe(b"a\"b")
                && !is_safe("ä".as_bytes())
        );
    }
}
