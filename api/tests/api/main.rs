//! The API over real HTTP, on every database there is.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]
#![expect(
    clippy::wrong_self_convention,
    clippy::unused_self,
    clippy::large_stack_arrays,
    clippy::too_many_lines,
    reason = "support reads as sentences"
)]

mod attacks;
mod audit;
mod costs;
mod errors;
mod events;
mod fleet;
mod gates;
mod idempotency;
mod idle;
mod jobs;
mod journey;
mod letter_verbs;
mod letters;
mod log;
mod mirror;
mod order;
mod privacy;
mod provider;
mod rates;
mod replays;
mod request_id;
mod retired;
mod saga_admin;
mod saga_verbs;
mod sagas;
mod server;
mod share;
mod slow;
mod support;
mod surveys;
mod tokens;
