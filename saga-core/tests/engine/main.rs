//! The engine's promises, on every store and every transport.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod acts;
mod away;
mod broken;
mod budgets;
mod cache;
mod children;
mod costs;
mod doer;
mod families;
mod fleet;
mod gates;
mod inspect;
mod joins;
mod kinds;
mod late;
mod leases;
mod lines;
mod lives;
mod numbers;
mod orphans;
mod patience;
mod pauses;
mod pivoted;
mod random;
mod replays;
mod retention;
mod reviews;
mod rolling;
mod rows;
mod sagas;
mod schedules;
mod scripted;
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
