//! Settles answers in batches, and stays with each until the store has taken it.

use crate::group::Group;
use crate::relay::Relay;
use crate::retry::Reconnect;
use crate::store::{SettleOutcome, Settlement, Store};
use tokio_util::sync::CancellationToken;

/// Answers settled in one transaction.
const BATCH_MAX: usize = 128;

/// Settles answers in batches.
#[derive(Clone)]
pub(super) struct Settler {
    group: Group<Settlement, Option<SettleOutcome>>,
}

impl Settler {
    pub(super) fn new(store: Store, relay: Relay) -> (Self, impl Future<Output = ()> + Send) {
        let (group, run) = Group::start(BATCH_MAX, 1, move |settlements: Vec<Settlement>| {
            let (store, relay) = (store.clone(), relay.clone());
            Box::pin(async move { settle(&store, &relay, settlements).await })
        });
        (Self { group }, run)
    }

    /// Settles one answer. While the store is away it is tried again, until `stop` or until the lease
    /// is gone; then the step is another worker's.
    pub(super) async fn settle(
        &self,
        settlement: Settlement,
        stop: &CancellationToken,
    ) -> Option<SettleOutcome> {
        let mut pauses = Reconnect::default();
        loop {
            match self.group.ask(settlement.clone()).await {
                Ok(Some(outcome)) => return Some(outcome),
                Ok(None) => {}
                Err(_) => return None,
            }
            tokio::select! {
                () = tokio::time::sleep(pauses.pause()) => {}
                () = stop.cancelled() => return None,
            }
        }
    }
}

async fn settle(
    store: &Store,
    relay: &Relay,
    settlements: Vec<Settlement>,
) -> Vec<Option<SettleOutcome>> {
    match store.settle(&settlements).await {
        Ok((outcomes, tickets)) => {
            relay.publish(tickets);
            outcomes
        }
        Err(error) => {
            tracing::warn!(%error, steps = settlements.len(), "Answers could not be settled; trying again");
            settlements.iter().map(|_| None).collect()
        }
    }
}
