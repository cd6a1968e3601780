//! The engine's promises, on every store and every transport.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod acts;
mod broken;
mod budgets;
mod cache;
mod costs;
mod doer;
mod fleet;
mod gates;
mod inspect;
mod kinds;
mod late;
mod leases;
mod lives;
mod numbers;
mod pauses;
mod random;
mod replays;
mod retention;
mod rows;
mod sagas;
mod search;
mod seen;
mod singleton;
mod starts;
mod steer;
mod stories;
mod support;
mod tables;
mod traces;
mod undo;
mod unleased;
mod why;
