//! The shifts of one queue: its steps are taken as long as it is not paused.
//!
//! A pause ends a shift as a shutdown does: no more tickets are taken, those that nobody has begun go
//! back, steps under way go on to their end, and no attempt is counted.

use super::pool::Pool;
use crate::store::Store;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The queues that are paused; none as long as that is not known.
type Paused = Option<BTreeSet<String>>;

/// Looks which queues are paused, and what holds for kinds of sagas.
pub(super) struct Switches {
    store: Store,
    every: Duration,
    paused: watch::Sender<Paused>,
}

impl Switches {
    pub(super) fn new(store: Store, every: Duration) -> (Self, watch::Receiver<Paused>) {
        let (paused, seen) = watch::channel(None);
        let switches = Self {
            store,
            every,
            paused,
        };
        (switches, seen)
    }

    /// Looks until shutdown. While the store is away, what was known last goes on.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        loop {
            let look = async {
                match self.both().await {
                    Ok(found) => self.tell(found),
                    Err(error) => {
                        tracing::debug!(%error, "It could not be read which queues and kinds are paused");
                    }
                }
                tokio::time::sleep(self.every).await;
            };
            tokio::select! {
                () = look => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Nobody begins to work before the rules of kinds are known, too.
    async fn both(&self) -> sqlx::Result<BTreeSet<String>> {
        let (rules, paused) = (self.store.look_at_rules(), self.store.paused_queues());
        tokio::try_join!(rules, paused).map(|((), paused)| paused)
    }

    fn tell(&self, found: BTreeSet<String>) {
        self.paused.send_if_modified(|paused| {
            let changed = paused.as_ref() != Some(&found);
            *paused = Some(found);
            changed
        });
    }
}

/// The shifts of one queue.
pub(super) struct Shifts {
    /// What each shift is made after; its signal to stop is the worker's.
    pub(super) pool: Pool,
    pub(super) paused: watch::Receiver<Paused>,
    /// Where connections are looked after.
    pub(super) tracker: TaskTracker,
    /// Where shifts work; one may still finish its steps when the next begins.
    pub(super) pools: TaskTracker,
}

impl Shifts {
    /// Works, shift by shift, until shutdown.
    pub(super) async fn run(mut self) {
        let _slots = self.pool.meters.open(self.pool.concurrency);
        loop {
            self.until(|paused, _| paused.is_some()).await;
            self.pool.tally.paused(self.is_paused());
            self.until(|paused, queue| !among(paused, queue)).await;
            if self.pool.shutdown.is_cancelled() {
                return;
            }
            self.pool.tally.paused(false);
            let mut pool = self.pool.clone();
            pool.shutdown = self.pool.shutdown.child_token();
            let shift = pool.shutdown.clone();
            let (deliveries, consuming) = pool.transport.clone().consume(
                pool.queue.clone(),
                pool.concurrency,
                pool.store.clone(),
                shift.clone(),
            );
            self.tracker.spawn(consuming);
            self.pools.spawn(pool.run(deliveries));
            self.until(among).await;
            shift.cancel();
            if !self.pool.shutdown.is_cancelled() {
                tracing::info!(
                    queue = self.pool.queue,
                    "The queue is paused: no more of its steps are taken"
                );
            }
        }
    }

    fn is_paused(&self) -> bool {
        among(&self.paused.borrow(), &self.pool.queue)
    }

    /// Waits until it is so, or until shutdown.
    async fn until(&mut self, so: impl Fn(&Paused, &str) -> bool) {
        let queue = &self.pool.queue;
        let unseen = async {
            self.paused
                .wait_for(|paused| so(paused, queue))
                .await
                .is_err()
        };
        tokio::select! {
            unseen = unseen => if unseen {
                self.pool.shutdown.cancelled().await; // nobody looks any more: that is the end
            },
            () = self.pool.shutdown.cancelled() => {}
        }
    }
}

fn among(paused: &Paused, queue: &str) -> bool {
    paused.as_ref().is_some_and(|paused| paused.contains(queue))
}
