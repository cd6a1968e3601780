//! What every process does, through the public door.
#![expect(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "a test stops at the first surprise"
)]

mod edge;
mod example;
mod folder;
mod health;
mod masks;
mod metrics;
mod migrations;
mod money;
mod settings;
mod sign_in;
mod timetable;
