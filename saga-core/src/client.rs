//! What the API calls: accepts sagas in batches, and hands their tickets in after the commit.

use crate::db::Tx;
use crate::group::Group;
use crate::relay::Relay;
use crate::store::{NewSaga, StartError, Started, Store};
use crate::ticket::Ticket;
use std::sync::Arc;

/// Sagas accepted in one transaction.
const BATCH_MAX: usize = 128;
/// Such transactions at a time.
const AT_ONCE: usize = 2;

/// What the API calls.
#[derive(Clone)]
pub struct Client {
    store: Store,
    relay: Relay,
    group: Group<NewSaga, Result<Started, Arc<StartError>>>,
}

/// Why a saga was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The engine's reason; shared, since a whole batch may have it.
    #[error("{0}")]
    Start(#[source] Arc<StartError>),
    /// The process is shutting down.
    #[error("shutting down")]
    Closing,
}

impl Client {
    /// A client, and the loop that has to run for it. The loop ends when every client is dropped.
    pub fn new(store: Store, relay: Relay) -> (Self, impl Future<Output = ()> + Send) {
        let (work_store, work_relay) = (store.clone(), relay.clone());
        let (group, run) = Group::start(BATCH_MAX, AT_ONCE, move |batch: Vec<NewSaga>| {
            let (store, relay) = (work_store.clone(), work_relay.clone());
            Box::pin(async move { start(&store, &relay, batch).await })
        });
        (
            Self {
                store,
                relay,
                group,
            },
            run,
        )
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Accepts a saga, unless the queue in which it would begin is full: when this returns, it is on disk. Only the store is needed; a broker that is
    /// down delays the work.
    pub async fn start(&self, new: NewSaga) -> Result<Started, Refused> {
        self.store
            .check(&new)
            .and_then(|()| self.store.admit(&new))
            .map_err(|error| Refused::Start(Arc::new(error)))?;
        match self.group.ask(new).await {
            Ok(started) => started.map_err(Refused::Start),
            Err(_) => Err(Refused::Closing),
        }
    }

    /// Accepts a saga in the caller's transaction; after its commit, hand the tickets to
    /// [`Client::publish`].
    pub async fn start_in(
        &self,
        tx: &mut Tx,
        new: NewSaga,
    ) -> Result<(Started, Vec<Ticket>), StartError> {
        let (started, tickets) = self.store.start_in(tx, &[new]).await?;
        Ok((started[0], tickets))
    }

    /// Hands tickets in, after the transaction that made them due is committed.
    pub fn publish(&self, tickets: Vec<Ticket>) {
        if tickets.is_empty() {
            return; // whoever looks for replays has none most of the time: that is no start to die after
        }
        self.relay.publish(tickets);
        crate::fault::point("start.published", "");
    }
}

async fn start(
    store: &Store,
    relay: &Relay,
    batch: Vec<NewSaga>,
) -> Vec<Result<Started, Arc<StartError>>> {
    match store.start(&batch).await {
        Ok((started, tickets)) => {
            crate::fault::point("start.committed", "");
            relay.publish(tickets);
            crate::fault::point("start.published", "");
            started.into_iter().map(Ok).collect()
        }
        Err(error) => {
            let error = Arc::new(error);
            batch.iter().map(|_| Err(Arc::clone(&error))).collect()
        }
    }
}
