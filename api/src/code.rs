//! The stable codes of error answers, each with its status and title.

use axum::http::StatusCode;

/// What a program switches on, with its status and title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    MalformedJson,
    UnknownField,
    BadParameter,
    MissingCredentials,
    InvalidToken,
    TokenExpired,
    InvalidApiKey,
    InvalidCredentials,
    Forbidden,
    AccountDisabled,
    AccountLocked,
    NotFound,
    MethodNotAllowed,
    SlowRequest,
    DuplicateResponse,
    LiveSubmissionExists,
    RoundInProgress,
    StateConflict,
    IdempotencyInProgress,
    AlreadyResolved,
    JobFinished,
    SurveyClosed,
    Expired,
    TooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    InsufficientResponses,
    IdempotencyKeyReused,
    RateLimited,
    Internal,
    Unavailable,
    Timeout,
    Other(StatusCode),
}

impl Code {
    #[expect(clippy::too_many_lines, reason = "a table: a row for each code")]
    pub(crate) fn facts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::MalformedJson => (S::BAD_REQUEST, "malformed_json", "The body is not JSON"),
            Self::UnknownField => (
                S::BAD_REQUEST,
                "unknown_field",
                "The body has a field that is not known",
            ),
            Self::BadParameter => (
                S::BAD_REQUEST,
                "bad_parameter",
                "A parameter cannot be read",
            ),
            Self::MissingCredentials => (S::UNAUTHORIZED, "missing_credentials", "Who are you?"),
            Self::InvalidToken => (S::UNAUTHORIZED, "invalid_token", "The token is not valid"),
            Self::TokenExpired => (S::UNAUTHORIZED, "token_expired", "The token has expired"),
            Self::InvalidApiKey => (
                S::UNAUTHORIZED,
                "invalid_api_key",
                "The API key is not valid",
            ),
            Self::InvalidCredentials => (
                S::UNAUTHORIZED,
                "invalid_credentials",
                "Address and password do not belong together",
            ),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "You may not do this"),
            Self::AccountDisabled => (S::FORBIDDEN, "account_disabled", "The account is disabled"),
            Self::AccountLocked => (S::LOCKED, "account_locked", "Too many attempts failed"),
            Self::NotFound => (S::NOT_FOUND, "not_found", "There is no such thing"),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This cannot be done here",
            ),
            Self::SlowRequest => (
                S::REQUEST_TIMEOUT,
                "slow_request",
                "The request took too long to arrive",
            ),
            Self::DuplicateResponse => (
                S::CONFLICT,
                "duplicate_response",
                "This responder has already answered",
            ),
            Self::LiveSubmissionExists => (
                S::CONFLICT,
                "live_submission_exists",
                "You have an idea in the pool",
            ),
            Self::RoundInProgress => (S::CONFLICT, "round_in_progress", "A round is open"),
            Self::StateConflict => (
                S::CONFLICT,
                "state_conflict",
                "Its state does not allow this",
            ),
            Self::IdempotencyInProgress => (
                S::CONFLICT,
                "idempotency_in_progress",
                "The same request is under way",
            ),
            Self::AlreadyResolved => (
                S::CONFLICT,
                "already_resolved",
                "Somebody has decided already",
            ),
            Self::JobFinished => (S::CONFLICT, "job_finished", "The job has ended"),
            Self::SurveyClosed => (S::GONE, "survey_closed", "The survey takes no more answers"),
            Self::Expired => (S::GONE, "expired", "Its time is over"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too_large", "The body is too large"),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body is of another type than JSON",
            ),
            Self::ValidationFailed => (
                S::UNPROCESSABLE_ENTITY,
                "validation_failed",
                "The body does not fit",
            ),
            Self::InsufficientResponses => (
                S::UNPROCESSABLE_ENTITY,
                "insufficient_responses",
                "Too few have answered",
            ),
            Self::IdempotencyKeyReused => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The key was used for another request",
            ),
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests"),
            Self::Internal => (
                S::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong on our side",
            ),
            Self::Unavailable => (
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not available right now",
            ),
            Self::Timeout => (S::GATEWAY_TIMEOUT, "timeout", "It took too long"),
            Self::Other(status) => (
                status,
                "http_error",
                status.canonical_reason().unwrap_or("The request failed"),
            ),
        }
    }

    pub(crate) fn retryable(self) -> bool {
        matches!(
            self,
            Self::IdempotencyInProgress
                | Self::RateLimited
                | Self::SlowRequest
                | Self::Unavailable
                | Self::Timeout
        )
    }
}
