//! What each code of a problem means, and how whoever gets it goes on.

use crate::code::Code;
use axum::http::StatusCode;

/// Every code, by status. The document and the page of errors are made from it, and a problem
/// whose code is missing here stops every test that meets it.
pub(crate) const ALL: [Code; 33] = [
    Code::MalformedJson,
    Code::UnknownField,
    Code::BadParameter,
    Code::MissingCredentials,
    Code::InvalidToken,
    Code::TokenExpired,
    Code::InvalidApiKey,
    Code::InvalidCredentials,
    Code::Forbidden,
    Code::AccountDisabled,
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::SlowRequest,
    Code::DuplicateResponse,
    Code::LiveSubmissionExists,
    Code::RoundInProgress,
    Code::StateConflict,
    Code::IdempotencyInProgress,
    Code::AlreadyResolved,
    Code::JobFinished,
    Code::SurveyClosed,
    Code::Expired,
    Code::TooLarge,
    Code::UnsupportedMediaType,
    Code::ValidationFailed,
    Code::InsufficientResponses,
    Code::IdempotencyKeyReused,
    Code::AccountLocked,
    Code::RateLimited,
    Code::Internal,
    Code::Unavailable,
    Code::Timeout,
    Code::Other(StatusCode::BAD_REQUEST),
];

/// What a code means, and what to do about it.
#[expect(clippy::too_many_lines, reason = "a table: a row for each code")]
pub(super) fn of(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::MalformedJson => (
            "The body is not JSON, was cut off, or nests more than 32 arrays and objects.",
            "Send one JSON value; the detail says where reading stopped.",
        ),
        Code::UnknownField => (
            "The body has a field that this operation does not know.",
            "Check its spelling, or leave it out; the pointer in errors names it.",
        ),
        Code::BadParameter => (
            "Something in the query or in a header cannot be read.",
            "The detail names the parameter and what it takes. Cursors are passed on as they came.",
        ),
        Code::MissingCredentials => (
            "The request says nothing about who sends it.",
            "Send Authorization: Bearer and a token, or X-API-Key and a key.",
        ),
        Code::InvalidToken => (
            "The token was not made here, was changed, or names an account that does not exist.",
            "Get a new one; send exactly one Authorization header.",
        ),
        Code::TokenExpired => (
            "The token's time is over.",
            "Get a new one; tokens live for 24 hours.",
        ),
        Code::InvalidApiKey => (
            "The key in X-API-Key was not made here, has expired, or was revoked.",
            "Have an admin make a new one; it is shown once.",
        ),
        Code::InvalidCredentials => (
            "There is no account with this address and this password.",
            "Check both; after five failures the address is locked for five minutes.",
        ),
        Code::AccountDisabled => (
            "The account exists, and an admin has disabled it.",
            "Ask an admin to enable it.",
        ),
        Code::RateLimited => (
            "You, or your network, ask more often than is allowed.",
            "Wait as long as Retry-After says; the header RateLimit tells what is left.",
        ),
        Code::AccountLocked => (
            "Too many attempts to sign in to this address failed, one after the other.",
            "Wait as long as Retry-After says.",
        ),
        Code::Forbidden => (
            "You are known, and may not do this.",
            "Ask an admin for a role with the permission that the detail names.",
        ),
        Code::NotFound => (
            "There is nothing by this name, or it is not yours: the answer is the same, so that nobody learns which.",
            "Check the address and the id. What ended long ago is forgotten.",
        ),
        Code::MethodNotAllowed => (
            "There is something at this address, and it cannot be done with this method.",
            "Use one of the methods that the header Allow lists.",
        ),
        Code::SlowRequest => (
            "The body did not arrive within 30 seconds.",
            "Send it again, on a better line or in smaller parts.",
        ),
        Code::DuplicateResponse => (
            "This friend has answered this survey already.",
            "Nothing needs to be done: the first answers count.",
        ),
        Code::LiveSubmissionExists => (
            "You have an idea in the pool already, and there is one of each member.",
            "Change it, or take it back; once a topic is made of it, or no longer, you are free to hand in another.",
        ),
        Code::RoundInProgress => (
            "A round is open, and there is one of a pool at a time.",
            "Follow the job that the problem names; start another once that is over.",
        ),
        Code::StateConflict => (
            "What it is about is in a state that does not allow this.",
            "Look at it again: the detail says where it is, and often who decided that.",
        ),
        Code::IdempotencyInProgress => (
            "The first request with this Idempotency-Key is not answered yet.",
            "Wait as long as Retry-After says, then send the same request again.",
        ),
        Code::AlreadyResolved => (
            "Somebody has judged this letter before you.",
            "The members state, resolved_by and resolved_at say how, who and when.",
        ),
        Code::JobFinished => (
            "The job or saga has ended.",
            "There is nothing left to steer; read its result.",
        ),
        Code::SurveyClosed => (
            "The survey takes no more answers.",
            "Ask its owner for the link of a new one.",
        ),
        Code::Expired => (
            "The time in which this could be done is over.",
            "The detail says what can be done instead.",
        ),
        Code::TooLarge => (
            "The body is larger than this operation takes.",
            "The member max_bytes says how much that is.",
        ),
        Code::UnsupportedMediaType => (
            "The body is of another type than JSON.",
            "Send Content-Type: application/json.",
        ),
        Code::ValidationFailed => (
            "The body is JSON, and some of its fields do not fit.",
            "Mend every field of errors: each has its pointer and says what it takes.",
        ),
        Code::InsufficientResponses => (
            "Too few friends have answered for a persona.",
            "Share the link with more of them; responses and min_responses say how many.",
        ),
        Code::IdempotencyKeyReused => (
            "This Idempotency-Key came with another body before.",
            "Use a new key for a new request, and the same body for the same key.",
        ),
        Code::Internal => (
            "Something went wrong on our side. What, is in our log, and told to nobody.",
            "Try again; if it stays, report the request_id.",
        ),
        Code::Unavailable => (
            "The store does not answer, this server is shutting down, or a queue is as full as it may be.",
            "Wait as long as Retry-After says; the detail says what for. With an Idempotency-Key nothing is done twice.",
        ),
        Code::Timeout => (
            "The answer took too long. What you asked for may have been done all the same.",
            "Look before you ask again, or send an Idempotency-Key.",
        ),
        Code::Other(_) => (
            "The server refused the request before any operation saw it.",
            "The status says why.",
        ),
    }
}
