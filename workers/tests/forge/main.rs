//! `persona.forge` for real: real rows, real files, real workers, on every database there is.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod blobs;
mod curated;
mod demos;
mod erase;
mod friends;
mod happy;
mod journals;
mod local;
mod models;
mod money;
mod processes;
mod rounds;
mod scheduled;
mod support;
mod triad;
mod unhappy;
mod wrapped;
