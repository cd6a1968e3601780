//! What the providers make of a server's behaviour, over real HTTP. Every call asserts that it was
//! made once, and that neither its error nor any log line holds the key or the prompt.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests"
)]

mod answers;
mod broken;
mod inside;
mod metered;
mod pictures;
mod refusals;
mod scripted;
mod secrets;
mod support;
mod throttled;
mod vectors;
