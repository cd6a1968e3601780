//! What every Chorus process does: settings, logs, connections, signals, health, metrics.

pub mod fleet;
pub mod folder;
pub mod health;
pub mod metrics;
pub mod name;
pub mod notify;
pub mod probe;
pub mod settings;
pub mod stop;
pub mod telemetry;
pub mod threads;
pub mod worker;

pub use fleet::Fleet;
pub use probe::Probe;
pub use settings::{Role, Secret, Settings};

/// The queues of the fleet, one a worker pool.
pub const QUEUES: [&str; 3] = ["synthesis", "image", "delivery"];
/// The version in banners, logs and `/health`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
