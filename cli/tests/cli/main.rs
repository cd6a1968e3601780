//! The real binary, as people and scripts use it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod accounts;
mod config;
mod costs;
mod demo;
mod deploy;
mod doctor;
mod drain;
mod exposition;
mod fleet;
mod ground;
mod house;
mod jobs;
mod letters;
mod limits;
mod metrics;
mod replays;
mod sagas;
mod schedules;
mod support;
mod token;
mod topics;
mod traces;
mod typescript;
