//! The rows of the domain, on every database there is.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and makes its own ids"
)]

mod accounts;
mod answers;
mod forges;
mod idempotency;
mod journals;
mod schema;
mod stories;
mod support;
mod surveys;
mod topic_stories;
mod topics;
mod triad;
