//! A worker's heartbeat: shows that it is there and what it is at, and hears whether it is to leave.

use super::WorkerSettings;
use super::tally::Tally;
use crate::store::{Beat, Store};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a worker that ends tries to say so: the store may be away.
const LEAVE_MAX: Duration = Duration::from_secs(2);
/// How often workers that are long gone are forgotten.
const TIDY: Duration = Duration::from_mins(10);

/// A worker's heartbeat.
pub(super) struct Presence {
    pub(super) store: Store,
    pub(super) settings: WorkerSettings,
    pub(super) tallies: Vec<Tally>,
}

impl Presence {
    /// Shows the worker until it has `ended`, and then takes it off the list. When somebody asks it to
    /// leave, it cancels `shutdown`, as a signal does.
    pub(super) async fn run(self, shutdown: CancellationToken, ended: CancellationToken) {
        let (mut silent, mut tidied) = (false, None);
        while !ended.is_cancelled() {
            let due = tidied.is_none_or(|at: Instant| at.elapsed() > TIDY);
            let beaten = tokio::select! {
                beaten = self.beat(&shutdown, due) => beaten,
                () = ended.cancelled() => break,
            };
            match beaten {
                Ok(()) if due => (silent, tidied) = (false, Some(Instant::now())),
                Ok(()) => silent = false,
                Err(error) if !silent => {
                    tracing::warn!(%error, "The heartbeat did not reach the store; trying again");
                    silent = true;
                }
                Err(_) => {}
            }
            let leaving = shutdown.is_cancelled();
            tokio::select! {
                () = tokio::time::sleep(self.settings.beat) => {}
                () = shutdown.cancelled(), if !leaving => {} // told at once
                () = ended.cancelled() => {}
            }
        }
        let left = tokio::time::timeout(LEAVE_MAX, self.store.leave(&self.settings.name)).await;
        if !matches!(left, Ok(Ok(()))) {
            tracing::warn!("The worker could not be taken off the list; it will be shown as lost");
        }
    }

    async fn beat(&self, shutdown: &CancellationToken, due: bool) -> sqlx::Result<()> {
        let beat = Beat {
            id: self.settings.name.clone(),
            host: self.settings.host.clone(),
            version: self.settings.version.clone(),
            shares: self.tallies.iter().map(Tally::share).collect(),
            draining: shutdown.is_cancelled(),
        };
        let asked = self.store.beat(&beat).await?;
        if let (Some(by), false) = (asked, shutdown.is_cancelled()) {
            tracing::info!(by, "Asked from afar to leave");
            shutdown.cancel();
        }
        if due {
            self.store.forget_workers().await?;
        }
        Ok(())
    }
}
