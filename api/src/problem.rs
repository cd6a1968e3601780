//! The one maker of error answers: RFC 9457 problems, for ours and for the router's own.

pub(crate) use crate::code::Code;
use crate::reference;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use process::metrics;
use saga_core::client::Refused;
use saga_core::store::StartError;
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// One field that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FieldProblem {
    /// Where it is, as a JSON pointer into the request body.
    pub(crate) pointer: String,
    /// What a program switches on.
    pub(crate) code: Cow<'static, str>,
    /// What a person reads, with the way to mend it.
    pub(crate) detail: String,
}

/// Why a request was not done. The request's own facts are added when it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Told>);

#[derive(Debug, Clone)]
struct Told {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldProblem>,
    retry_after_s: Option<u64>,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem, told with the way to mend it.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let (errors, members) = (vec![], Map::new());
        Self(Box::new(Told {
            code,
            detail: detail.into(),
            errors,
            retry_after_s: None,
            members,
        }))
    }

    /// Nothing by that name, or nothing that the caller may know of.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is no such {what}, or it is not yours; check its id."),
        )
    }

    /// No job or saga of this id, or not the caller's: the answer is the same, so that nobody learns which.
    pub(crate) fn no_job(what: &str) -> Self {
        let how = format!(
            "There is no such {what}, or it is not yours; check its id. One that ended is kept for a month \
             or as long as RETENTION_DAYS says, and what it made stays."
        );
        Self::new(Code::NotFound, how)
    }

    /// Fields that do not fit, all of them at once.
    pub(crate) fn invalid(errors: Vec<FieldProblem>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            more => format!("{} fields do not fit; see `errors`.", more.len()),
        };
        Self::new(Code::ValidationFailed, detail).errors(errors)
    }

    /// One field that does not fit.
    pub(crate) fn field(
        pointer: impl Into<String>,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::invalid(vec![FieldProblem {
            pointer: pointer.into(),
            code: code.into(),
            detail: detail.into(),
        }])
    }

    /// Our fault. The cause is logged here and told to nobody.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "A request failed on our side");
        Self::new(
            Code::Internal,
            "Try again; if it stays, report the request_id.",
        )
    }

    /// Adds the fields it is about.
    pub(crate) fn errors(mut self, errors: Vec<FieldProblem>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Says when to come again.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Adds a member of this code's own.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name.to_owned(), value.into());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.code.facts().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// When whoever was turned away since a queue is full may ask again, in seconds.
const FULL_RETRY: u64 = 30;

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        let away = matches!(
            error,
            sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::WorkerCrashed
        );
        if !away {
            return Self::internal(&error);
        }
        tracing::warn!(%error, "The store does not answer");
        let how = "The store does not answer; try again in a moment.";
        Self::new(Code::Unavailable, how).retry_after(1)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Closing => Self::new(
                Code::Unavailable,
                "This server is shutting down; try again.",
            )
            .retry_after(1),
            Refused::Start(error) => Self::start(&error),
        }
    }
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            StartError::UnknownKind(_)
            | StartError::Input { .. }
            | StartError::TooLarge(_)
            | StartError::Full { .. } => Self::start(&error),
        }
    }
}

impl Problem {
    fn start(error: &StartError) -> Self {
        match error {
            StartError::UnknownKind(kind) => Self::field(
                "/kind",
                "unknown_kind",
                format!("There is no job of kind {kind}."),
            ),
            StartError::Input { why, .. } => Self::field(
                "/input",
                "invalid",
                format!("The input does not fit: {why}."),
            ),
            StartError::TooLarge(_) => Self::field("/input", "too_long", error.to_string()),
            StartError::Full { queue, .. } => {
                let how =
                    format!("Too much waits in the queue {queue} already; ask again in a while.");
                Self::new(Code::Unavailable, how).retry_after(FULL_RETRY)
            }
            StartError::Store(cause) => {
                tracing::warn!(%cause, "The store did not take a saga");
                Self::new(
                    Code::Unavailable,
                    "The store did not take the job; try again in a moment.",
                )
                .retry_after(1)
            }
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'static str,
    request_id: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldProblem],
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

/// Gives a failed answer its body. What the router refused by itself becomes a problem here.
pub(crate) fn finish(mut response: Response, instance: &str, request_id: &str) -> Response {
    let problem = response
        .extensions_mut()
        .remove()
        .unwrap_or_else(|| of_router(response.status(), response.headers()));
    let Problem(told) = &problem;
    let (status, code, title) = told.code.facts();
    debug_assert!(reference::knows(told.code), "{code} has no meaning yet");
    let document = Document {
        kind: format!("/docs/errors#{code}"),
        title,
        status: status.as_u16(),
        detail: &told.detail,
        instance,
        code,
        request_id,
        retryable: told.code.retryable(),
        errors: &told.errors,
        members: &told.members,
    };
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ETAG);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = told.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        let first = told.code == Code::MissingCredentials;
        let challenge = if first {
            "Bearer realm=\"chorus\""
        } else {
            "Bearer realm=\"chorus\", error=\"invalid_token\""
        };
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        );
    }
    *response.status_mut() = status;
    *response.body_mut() = Body::from(body);
    response
}

fn of_router(status: StatusCode, headers: &HeaderMap) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::new(
            Code::NotFound,
            "There is nothing at this address; check the path.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            Code::MethodNotAllowed,
            "Use one of the methods that the Allow header lists.",
        ),
        // Of what every process serves only /metrics asks who reads it.
        StatusCode::UNAUTHORIZED => {
            let wrong = (headers.get(header::WWW_AUTHENTICATE))
                .is_some_and(|challenge| challenge == metrics::WRONG_TOKEN);
            let code = if wrong {
                Code::InvalidToken
            } else {
                Code::MissingCredentials
            };
            Problem::new(code, "Show the server's METRICS_TOKEN as a bearer token.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, "Send a smaller body."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            Code::UnsupportedMediaType,
            "Send JSON, with Content-Type: application/json.",
        ),
        StatusCode::INTERNAL_SERVER_ERROR => Problem::internal(&"an answer without a problem"),
        other => Problem::new(Code::Other(other), "The request could not be done."),
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, HeaderMap, Problem, finish};
    use axum::response::IntoResponse as _;

    #[tokio::test]
    async fn a_problem_is_told_in_full() {
        let problem = Problem::field("/a", "out_of_range", "Send 1.")
            .with("who", "ana")
            .retry_after(3);
        let response = finish(problem.into_response(), "/x", "r1");
        assert_eq!(response.headers()["retry-after"], "3");
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(told["type"], "/docs/errors#validation_failed");
        assert_eq!(
            (&told["status"], &told["instance"], &told["request_id"]),
            (&422.into(), &"/x".into(), &"r1".into())
        );
        assert_eq!(
            (&told["errors"][0]["pointer"], &told["who"]),
            (&"/a".into(), &"ana".into())
        );
    }

    #[test]
    fn what_the_router_refuses_is_a_problem_too() {
        let response = finish(
            axum::http::StatusCode::METHOD_NOT_ALLOWED.into_response(),
            "/x",
            "r1",
        );
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        assert_eq!(
            super::of_router(axum::http::StatusCode::IM_A_TEAPOT, &HeaderMap::new())
                .0
                .code
                .facts()
                .0,
            418
        );
        assert!(Code::Unavailable.retryable());
    }
}
