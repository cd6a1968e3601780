//! One queue's share of a worker: claims in batches, runs handlers side by side.

use super::leases::Leases;
use super::meters::{Meters, Open};
use super::settler::Settler;
use super::tally::Tally;
use super::{Busy, BusyGuard};
use crate::handler::{Handlers, Reach};
use crate::retry::Reconnect;
use crate::run::Lease;
use crate::store::{Claimed, SettleOutcome, Store};
use crate::ticket::Ticket;
use crate::trace;
use crate::transport::{Delivery, Transport};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One queue's share of a worker.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) queue: String,
    pub(super) store: Store,
    pub(super) handlers: Arc<Handlers>,
    pub(super) settler: Settler,
    pub(super) leases: Leases,
    pub(super) lease: Lease,
    pub(super) transport: Transport,
    pub(super) concurrency: u16,
    /// Shared by all shifts: one may still be busy when the next begins.
    pub(super) slots: Arc<Semaphore>,
    pub(super) busy: Busy,
    pub(super) tally: Tally,
    pub(super) meters: Meters,
    pub(super) shutdown: CancellationToken,
    pub(super) stop_now: CancellationToken,
}

impl Pool {
    pub(super) async fn run(self, mut deliveries: mpsc::Receiver<Delivery>) {
        let running = TaskTracker::new();
        let (mut pauses, mut untaken) = (Reconnect::default(), vec![]);
        while let Some((batch, permits)) = self.next_batch(&mut deliveries, &self.slots).await {
            let tickets: Vec<Ticket> = batch.iter().map(|one| one.ticket.clone()).collect();
            let unleased = |at: usize, claimed: &Claimed| {
                !batch[at].is_again() && self.reaches_only_the_store(&claimed.step)
            };
            let Some(claimed) = self.claim(&tickets, &mut pauses, unleased).await else {
                untaken = batch;
                break;
            };
            self.start(batch, claimed, permits, &running).await;
        }
        running.close();
        self.transport
            .hand_back(untaken, deliveries, running.wait())
            .await;
    }

    /// Tickets for as many free slots as there are; none at shutdown.
    async fn next_batch(
        &self,
        deliveries: &mut mpsc::Receiver<Delivery>,
        slots: &Arc<Semaphore>,
    ) -> Option<(Vec<Delivery>, Vec<OwnedSemaphorePermit>)> {
        let first = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return None,
            permit = Arc::clone(slots).acquire_owned() => permit.ok()?,
        };
        let delivery = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return None,
            delivery = deliveries.recv() => delivery?,
        };
        let (mut batch, mut permits) = (vec![delivery], vec![first]);
        while let Ok(permit) = Arc::clone(slots).try_acquire_owned() {
            let Ok(delivery) = deliveries.try_recv() else {
                break;
            };
            batch.push(delivery);
            permits.push(permit);
        }
        Some((batch, permits))
    }

    /// Claims a batch, however long the store is away; none at shutdown.
    async fn claim(
        &self,
        tickets: &[Ticket],
        pauses: &mut Reconnect,
        unleased: impl Fn(usize, &Claimed) -> bool,
    ) -> Option<Vec<Option<Claimed>>> {
        loop {
            match self.store.take(tickets, &self.lease, &unleased).await {
                Ok(claimed) => {
                    pauses.reset();
                    return Some(claimed);
                }
                Err(error) => {
                    tracing::warn!(%error, queue = self.queue, "Steps could not be claimed; trying again");
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pauses.pause()) => {}
                () = self.shutdown.cancelled() => return None,
            }
        }
    }

    fn reaches_only_the_store(&self, step: &str) -> bool {
        let able = self.handlers.get(step);
        able.is_some_and(|able| able.reach == Reach::Store)
    }

    async fn start(
        &self,
        batch: Vec<Delivery>,
        claimed: Vec<Option<Claimed>>,
        permits: Vec<OwnedSemaphorePermit>,
        running: &TaskTracker,
    ) {
        for ((delivery, claimed), permit) in batch.into_iter().zip(claimed).zip(permits) {
            self.meters.arrived(&delivery);
            let Some(claimed) = claimed else {
                delivery.ack().await; // void: forgotten, never requeued
                continue;
            };
            crate::fault::point("step.claimed", claimed.key.as_str());
            let (pool, counted) = (self.clone(), self.meters.taken(&claimed));
            let slot = (permit, (self.busy.enter(), self.tally.enter()), counted);
            running.spawn(async move { pool.work(claimed, delivery, slot).await });
        }
    }

    /// Does a step, and goes straight on with what follows from it on the same queue.
    async fn work(
        self,
        first: Claimed,
        delivery: Delivery,
        _slot: (OwnedSemaphorePermit, (BusyGuard, BusyGuard), Open),
    ) {
        let (mut claimed, mut delivery, mut settled) = (first, Some(delivery), None);
        loop {
            let span = tracing::info_span!("step", saga.id = %claimed.saga, step = %claimed.key, attempt = claimed.attempt,
                kind = claimed.kind, queue = claimed.queue, request_id = claimed.request_id, trace_id = tracing::field::Empty);
            let trace = claimed.trace.clone();
            // The next step does not wait for the broker to hear that the last one is settled.
            let ((), outcome) = tokio::join!(
                ack(settled.take()),
                trace::follow(span, trace, self.attempt(&claimed))
            );
            // Not settled: the ticket stays with the broker, the lease, if there is one, runs out.
            let Some(outcome) = outcome else { return };
            if let (SettleOutcome::Overtaken, Some(held)) = (&outcome, &delivery) {
                let (ticket, mut pauses) = (held.ticket.clone(), Reconnect::default());
                let again = self.claim(&[ticket], &mut pauses, |_, _| false).await;
                match again.map(|mut claimed| claimed.remove(0)) {
                    Some(Some(leased)) => claimed = leased,
                    Some(None) => return ack(delivery).await, // somebody else has done it
                    None => return,
                }
                continue;
            }
            crate::fault::point("step.settled", claimed.key.as_str());
            settled = delivery.take();
            match outcome {
                SettleOutcome::Committed(Some(next)) => {
                    claimed = *next;
                    crate::fault::point("step.claimed", claimed.key.as_str());
                }
                SettleOutcome::Committed(None)
                | SettleOutcome::Fenced
                | SettleOutcome::Overtaken => {
                    return ack(settled).await;
                }
            }
        }
    }
}

async fn ack(delivery: Option<Delivery>) {
    if let Some(delivery) = delivery {
        delivery.ack().await;
    }
}
