//! Publishes tickets after their transaction is committed, and notes which the transport confirmed.

use crate::store::Store;
use crate::ticket::Ticket;
use crate::transport::Transport;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Tickets that wait to be published; more are left to the sweeper.
const WAITING_MAX: usize = 10_000;
/// Tickets published at once.
const BATCH_MAX: usize = 256;
/// Batches under way at once.
const BATCHES_MAX: usize = 4;
/// Confirmed tickets are noted after this pause: by then most steps are claimed and need no note. With
/// the notes of the round before it must stay below the time after which the sweeper publishes another.
const MARK_LINGER: Duration = Duration::from_millis(500);
/// Tickets noted in one transaction, which locks their rows meanwhile.
const MARKS_MAX: usize = 500;

/// Where tickets are handed in after the commit.
#[derive(Clone)]
pub struct Relay(mpsc::Sender<Ticket>);

impl Relay {
    /// A relay, and the loop that has to run for it.
    pub fn new(store: Store, transport: Transport) -> (Self, RelayLoop) {
        let (send, waiting) = mpsc::channel(WAITING_MAX);
        (
            Self(send),
            RelayLoop {
                store,
                transport,
                waiting,
            },
        )
    }

    /// Hands tickets in. It never waits: what does not fit is left to the sweeper.
    pub fn publish(&self, tickets: Vec<Ticket>) {
        for ticket in tickets {
            crate::fault::point("ticket.due", ticket.step.as_str());
            if self.0.try_send(ticket).is_err() {
                return;
            }
        }
    }
}

/// See [`Relay`].
pub struct RelayLoop {
    store: Store,
    transport: Transport,
    waiting: mpsc::Receiver<Ticket>,
}

impl RelayLoop {
    /// Publishes until shutdown, and what is handed in by then.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let (confirm, confirmed) = mpsc::channel(BATCHES_MAX * 2);
        let (tracker, slots) = (TaskTracker::new(), Arc::new(Semaphore::new(BATCHES_MAX)));
        tracker.spawn(mark(self.store.clone(), confirmed));
        let mut batch = Vec::with_capacity(BATCH_MAX);
        loop {
            let taken = tokio::select! {
                biased;
                taken = self.waiting.recv_many(&mut batch, BATCH_MAX) => taken,
                () = shutdown.cancelled() => 0,
            };
            if taken == 0 {
                break;
            }
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                break;
            };
            let (tickets, transport, confirm) = (
                std::mem::take(&mut batch),
                self.transport.clone(),
                confirm.clone(),
            );
            let store = self.store.clone();
            tracker.spawn(async move {
                if crate::fault::seeded("mark-early") {
                    drop(store.mark_ticketed(&tickets).await);
                }
                for ticket in &tickets {
                    crate::fault::point("ticket.leaving", ticket.step.as_str());
                }
                let tickets = transport.publish(tickets).await;
                for ticket in &tickets {
                    crate::fault::point("ticket.confirmed", ticket.step.as_str());
                }
                if !tickets.is_empty() {
                    drop(confirm.send(tickets).await);
                }
                drop(slot);
            });
        }
        drop(confirm);
        tracker.close();
        tracker.wait().await;
    }
}

async fn mark(store: Store, mut confirmed: mpsc::Receiver<Vec<Ticket>>) {
    while let Some(mut tickets) = confirmed.recv().await {
        let until = Instant::now() + MARK_LINGER;
        while tickets.len() < WAITING_MAX
            && let Ok(Some(more)) = tokio::time::timeout_at(until, confirmed.recv()).await
        {
            tickets.extend(more);
        }
        for tickets in tickets.chunks(MARKS_MAX) {
            if let Err(error) = store.mark_ticketed(tickets).await {
                tracing::debug!(%error, "Tickets could not be marked; each may be published once more");
                break; // the store is away: the rest would only wait for it, and publishing with it
            }
        }
    }
}
