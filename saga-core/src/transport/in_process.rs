//! Tickets within one process. Nothing is kept: they are rebuilt from the store at start.

use super::Delivery;
use crate::ticket::Ticket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// Tickets that a queue holds; more are refused, and the sweeper brings them later.
const QUEUE_MAX: usize = 100_000;

struct Pipe {
    into: mpsc::Sender<Ticket>,
    out: Mutex<mpsc::Receiver<Ticket>>,
    consumers: AtomicU64,
}

/// Counts as a consumer until it is dropped.
struct Consuming<'a>(&'a AtomicU64);

impl<'a> Consuming<'a> {
    fn on(pipe: &'a Pipe) -> Self {
        pipe.consumers.fetch_add(1, Ordering::Relaxed);
        Self(&pipe.consumers)
    }
}

impl Drop for Consuming<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tickets within one process.
#[derive(Clone)]
pub struct InProcess(Arc<BTreeMap<String, Pipe>>);

impl InProcess {
    /// A transport with these queues.
    pub fn new<'a>(queues: impl IntoIterator<Item = &'a str>) -> Self {
        let pipe = |queue: &str| {
            let (into, out) = mpsc::channel(QUEUE_MAX);
            (
                queue.to_owned(),
                Pipe {
                    into,
                    out: Mutex::new(out),
                    consumers: AtomicU64::new(0),
                },
            )
        };
        Self(Arc::new(queues.into_iter().map(pipe).collect()))
    }

    pub(super) fn publish(&self, tickets: Vec<Ticket>) -> Vec<Ticket> {
        let taken = |ticket: &Ticket| {
            self.0
                .get(&ticket.queue)
                .is_some_and(|pipe| pipe.into.try_send(ticket.clone()).is_ok())
        };
        tickets.into_iter().filter(taken).collect()
    }

    pub(super) fn consumers(&self, queue: &str) -> Option<u64> {
        let pipe = self.0.get(queue)?;
        Some(pipe.consumers.load(Ordering::Relaxed))
    }

    pub(super) async fn consume(
        &self,
        queue: &str,
        deliver: mpsc::Sender<Delivery>,
        shutdown: CancellationToken,
    ) {
        let Some(pipe) = self.0.get(queue) else {
            tracing::error!(queue, "There is no such queue in this process");
            return;
        };
        let _consuming = Consuming::on(pipe);
        loop {
            // Whoever is free takes the next: consumers of one queue take turns.
            let ticket = tokio::select! {
                biased; // once told to stop it takes no more
                () = shutdown.cancelled() => None,
                ticket = async { pipe.out.lock().await.recv().await } => ticket,
            };
            let Some(ticket) = ticket else { return };
            if deliver.send(Delivery { ticket, ack: None }).await.is_err() {
                return;
            }
        }
    }
}
