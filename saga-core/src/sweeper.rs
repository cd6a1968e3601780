//! Finds what nobody came for, and sends tickets after it. Every worker runs one; many are safe.

use crate::relay::Relay;
use crate::store::Store;
use crate::transport::{Health, Transport};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the invariant is checked that every live saga has something to wait for.
const AUDIT: Duration = Duration::from_mins(1);

/// Finds what nobody came for.
pub struct Sweeper {
    store: Store,
    relay: Relay,
    transport: Transport,
    every: Duration,
}

impl Sweeper {
    /// A sweeper that looks `every` so often.
    pub fn new(store: Store, relay: Relay, transport: Transport, every: Duration) -> Self {
        Self {
            store,
            relay,
            transport,
            every,
        }
    }

    /// Sweeps until shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        if crate::fault::seeded("no-sweeper") {
            return;
        }
        let (mut audited, mut silent, mut more) = (Instant::now(), false, false);
        let mut scheduled = false;
        while !shutdown.is_cancelled() {
            if !more {
                self.move_lines().await;
                scheduled = self.begin_scheduled(scheduled).await;
            }
            more = match self.store.sweep().await {
                Ok(swept) => {
                    silent = false;
                    self.relay.publish(swept.tickets);
                    swept.more
                }
                Err(error) => {
                    if !silent {
                        tracing::warn!(%error, "The store could not be swept; trying again");
                    }
                    silent = true;
                    false
                }
            };
            if audited.elapsed() > AUDIT {
                audited = Instant::now();
                self.audit().await;
                self.settle_stale().await;
            }
            // While nothing can be sent, looking faster would only wear the store out.
            if !more || self.transport.health() != Health::Up {
                tokio::select! {
                    () = tokio::time::sleep(self.every) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        }
    }

    /// Once a round, so that a kind that is switched on again comes bit by bit.
    async fn move_lines(&self) {
        if let Err(error) = self.store.move_lines().await {
            tracing::debug!(%error, "The lines of kinds could not be looked at");
        }
    }

    /// Begins what the clock says; the schedules are written down before the first look. Says whether they are.
    async fn begin_scheduled(&self, kept: bool) -> bool {
        let begun = async {
            if !kept {
                self.store.keep_schedules().await?;
            }
            self.store.begin_scheduled().await
        };
        match begun.await {
            Ok(tickets) => {
                self.relay.publish(tickets);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "What is scheduled could not be looked at; trying again");
                kept
            }
        }
    }

    async fn settle_stale(&self) {
        if let Err(error) = self.store.forget_answers().await {
            tracing::debug!(%error, "Answers of long ago could not be forgotten");
        }
        match self.store.settle_stale().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(
                count,
                "Calls that nobody is at any more count as paid, at the most they can have cost"
            ),
            Err(error) => tracing::debug!(%error, "Stale holds could not be looked for"),
        }
    }

    async fn audit(&self) {
        match self.store.abandoned().await {
            Ok(sagas) if sagas.is_empty() => {}
            Ok(sagas) => tracing::error!(count = sagas.len(), first = ?sagas.first(),
                "Live sagas have nothing to wait for: this is a fault of the engine, please report it"),
            Err(error) => tracing::debug!(%error, "The audit could not read the store"),
        }
    }
}
