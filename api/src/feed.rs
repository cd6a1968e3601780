//! How far the log of events has come, for every stream of this process: one look at a time, for all of them.

use domain::events;
use saga_core::db::Db;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// How long an event may wait to be seen.
const LOOK: Duration = Duration::from_millis(150);

/// How far the log has come, as of the last look. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Feed {
    head: Arc<watch::Sender<i64>>,
    wanted: Arc<Notify>,
}

impl Feed {
    /// A feed, and the loop that looks while anybody follows, until shutdown.
    pub(crate) fn start(
        db: Db,
        shutdown: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let feed = Self {
            head: Arc::new(watch::Sender::new(0)),
            wanted: Arc::new(Notify::new()),
        };
        let looking = feed.clone();
        let looks = async move {
            shutdown.run_until_cancelled(looking.look(&db)).await;
        };
        (feed, looks)
    }

    /// The number of the last event there is, from the next look on.
    pub(crate) fn follow(&self) -> watch::Receiver<i64> {
        let following = self.head.subscribe();
        self.wanted.notify_one();
        following
    }

    async fn look(&self, db: &Db) {
        loop {
            if self.head.receiver_count() == 0 {
                self.wanted.notified().await;
            }
            match events::last(db).await {
                Ok(last) => {
                    self.head.send_if_modified(|head| {
                        let moved = last > *head;
                        *head = last.max(*head);
                        moved
                    });
                }
                Err(error) => tracing::debug!(%error, "The log of events could not be read"),
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}
