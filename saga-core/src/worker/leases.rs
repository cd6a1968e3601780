//! The leases that this process holds, and the heartbeat that keeps them.

use crate::journal::Key;
use crate::store::{Claimed, Store};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

type Held = BTreeMap<(Uuid, Key), (i64, CancellationToken)>;

/// The leases that this process holds.
#[derive(Clone, Default)]
pub(super) struct Leases(Arc<Mutex<Held>>);

/// One lease; dropping it ends its heartbeats.
pub(super) struct HeldLease {
    leases: Leases,
    step: (Uuid, Key),
    epoch: i64,
    /// Cancelled when the lease turns out to be lost: the work is in vain.
    pub(super) lost: CancellationToken,
}

impl Leases {
    pub(super) fn hold(&self, claimed: &Claimed) -> HeldLease {
        let (step, lost) = (
            (claimed.saga, claimed.key.clone()),
            CancellationToken::new(),
        );
        self.with(|held| held.insert(step.clone(), (claimed.epoch, lost.clone())));
        HeldLease {
            leases: self.clone(),
            step,
            epoch: claimed.epoch,
            lost,
        }
    }

    /// Renews every lease three times in its length.
    pub(super) async fn run(self, store: Store, length: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(length / 3) => {}
                () = stop.cancelled() => return,
            }
            let held: Vec<(Uuid, Key, i64)> = self.with(|held| {
                held.iter()
                    .map(|((saga, key), (epoch, _))| (*saga, key.clone(), *epoch))
                    .collect()
            });
            if held.is_empty() {
                continue;
            }
            match store.heartbeat(&held, length).await {
                Ok(renewed) => self.with(|current| {
                    for (saga, key, epoch) in &held {
                        let of = (*saga, key.clone());
                        if let (false, Some((mine, lost))) =
                            (renewed.contains(&of), current.get(&of))
                            && mine == epoch
                        {
                            lost.cancel();
                        }
                    }
                }),
                Err(error) => {
                    tracing::warn!(%error, held = held.len(), "Leases could not be renewed");
                }
            }
        }
    }

    fn with<R>(&self, work: impl FnOnce(&mut Held) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.leases.with(|held| {
            if held
                .get(&self.step)
                .is_some_and(|(epoch, _)| *epoch == self.epoch)
            {
                held.remove(&self.step);
            }
        });
    }
}
