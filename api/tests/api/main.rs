//! The API over real HTTP, on every database there is.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]
#![expect(
    clippy::wrong_self_convention,
    clippy::large_stack_arrays,
    clippy::too_many_lines,
    reason = "support reads as sentences"
)]

mod attacks;
mod audit;
mod browsed;
mod browser;
mod canaries;
mod costs;
mod crowd;
mod curated;
mod depth;
mod document;
mod errors;
mod events;
mod examples;
mod fleet;
mod frames;
mod gates;
mod idempotency;
mod idle;
mod issuer;
mod issuers;
mod jobs;
mod journey;
mod keys;
mod kinds;
mod letter_verbs;
mod letters;
mod log;
mod matrix;
mod mirror;
mod news;
mod numbers;
mod once;
mod order;
mod passwords;
mod people;
mod pool;
mod privacy;
mod provider;
mod rates;
mod reference;
mod replays;
mod request_id;
mod retired;
mod reviews;
mod rounds;
mod saga_admin;
mod saga_verbs;
mod sagas;
mod server;
mod sessions;
mod share;
mod sign_in;
mod slow;
mod submissions;
mod support;
mod surveys;
mod tokens;
mod topics;
mod walks;
