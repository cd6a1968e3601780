//! The crash suite: real processes, killed at every place and at any time, and the proof that
//! nothing is lost, doubled, paid for again, or undone out of order.

pub mod aftermath;
pub mod alarm;
pub mod away;
pub mod binary;
pub mod dice;
pub mod door;
pub mod doubt;
pub mod failover;
pub mod fleet;
pub mod forge;
pub mod frozen;
pub mod full;
pub mod ground;
pub mod hungry;
pub mod models;
pub mod narrow;
pub mod operator;
pub mod oracle;
pub mod outage;
pub mod pace;
pub mod partition;
pub mod plan;
pub mod provider;
pub mod proxy;
pub mod rolling;
pub mod rounds;
pub mod seeds;
pub mod services;
pub mod sight;
pub mod skew;
pub mod storm;
pub mod tardy;
pub mod walk;

use anyhow::bail;
use std::time::{Duration, Instant};

/// A number from the environment, for soaks; else the default.
pub fn scaled(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Waits until it is so; an error that says what is not, when it takes too long.
pub async fn until(
    what: &str,
    within: Duration,
    met: impl AsyncFn() -> bool,
) -> anyhow::Result<()> {
    let began = Instant::now();
    while !met().await {
        if began.elapsed() > within {
            bail!("not within {} s: {what}", within.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
