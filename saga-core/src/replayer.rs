//! Gives the open replays their turns. Every API process runs one; many are safe.

use crate::client::Client;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked for a new replay.
const IDLE: Duration = Duration::from_secs(1);

/// Works replays off until shutdown. What is under way then goes on with the next process.
pub async fn run(client: Client, shutdown: CancellationToken) {
    let mut silent = false;
    while !shutdown.is_cancelled() {
        let idle = match client.store().replay_turn().await {
            Ok(turn) => {
                silent = false;
                client.publish(turn.tickets);
                turn.idle.unwrap_or(IDLE).min(IDLE)
            }
            Err(error) => {
                if !silent {
                    tracing::warn!(%error, "Replays cannot go on; trying again");
                }
                silent = true;
                IDLE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(idle) => {}
            () = shutdown.cancelled() => {}
        }
    }
}
