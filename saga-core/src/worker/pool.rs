//! One queue's share of a worker: claims in batches, runs handlers side by side.

use super::leases::Leases;
use super::meters::{Meters, Open};
use super::settler::Settler;
use super::tally::Tally;
use super::{Busy, BusyGuard};
use crate::handler::{Handlers, StepContext, StepError};
use crate::retry::Reconnect;
use crate::run::{Answer, Lease};
use crate::saga::Retry;
use crate::store::{Claimed, SettleOutcome, Settlement, Store};
use crate::ticket::Ticket;
use crate::transport::{Delivery, Transport};
use futures_util::FutureExt as _;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

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
            let Some(claimed) = self.claim(&batch, &mut pauses).await else {
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
        batch: &[Delivery],
        pauses: &mut Reconnect,
    ) -> Option<Vec<Option<Claimed>>> {
        let tickets: Vec<Ticket> = batch.iter().map(|one| one.ticket.clone()).collect();
        loop {
            match self.store.claim(&tickets, &self.lease).await {
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
                kind = claimed.kind, queue = claimed.queue, request_id = claimed.request_id);
            // The next step does not wait for the broker to hear that the last one is settled.
            let ((), outcome) =
                tokio::join!(ack(settled.take()), self.one(&claimed).instrument(span));
            crate::fault::point("step.settled", claimed.key.as_str());
            // Not settled: the ticket stays with the broker, the lease runs out.
            let Some(outcome) = outcome else { return };
            settled = delivery.take();
            match outcome {
                SettleOutcome::Committed(Some(next)) => {
                    claimed = *next;
                    crate::fault::point("step.claimed", claimed.key.as_str());
                }
                SettleOutcome::Committed(None) | SettleOutcome::Fenced => {
                    return ack(settled).await;
                }
            }
        }
    }

    async fn one(&self, claimed: &Claimed) -> Option<SettleOutcome> {
        let (lease, began) = (self.leases.hold(claimed), Instant::now());
        let able = self.handlers.get(&claimed.step);
        let cx = StepContext::of(claimed, self.store.clone());
        let run = async {
            let Some(able) = able.cloned() else {
                let why = format!("this worker has no handler for the step {}", claimed.step);
                return StepError::fail(why).into_answer(Retry::NEVER);
            };
            let (retry, input) = (able.retry, claimed.input.clone());
            // A panic is an answer, too.
            let work = AssertUnwindSafe(able.run(input, &cx)).catch_unwind();
            work.await.unwrap_or_else(|panic| {
                let why = format!("the handler panicked: {}", said(panic.as_ref()));
                StepError::retry(why).into_answer(retry)
            })
        };
        let answer = tokio::select! {
            answer = run => answer,
            () = self.stop_now.cancelled() => Answer::Released,
            () = lease.lost.cancelled() => {
                tracing::warn!("The lease was lost; the step is another worker's");
                return Some(SettleOutcome::Fenced);
            }
        };
        if let Answer::Failed { class, message, .. } = &answer {
            tracing::warn!(class = class.as_str(), message, "A step failed");
        }
        crate::fault::point("step.answered", claimed.key.as_str());
        let handed_back = matches!(answer, Answer::Released);
        let go_on = !self.shutdown.is_cancelled();
        let settlement = Settlement {
            saga: claimed.saga,
            key: claimed.key.clone(),
            epoch: claimed.epoch,
            step: claimed.step.clone(),
            recorder: able.map(crate::handler::Able::recorder),
            retry: able.map_or(Retry::NEVER, |able| able.retry),
            answer,
            run_on: go_on.then(|| (self.queue.clone(), self.lease.clone())),
            seen: claimed.seen.clone(),
        };
        let outcome = self.settler.settle(settlement, &self.stop_now).await;
        match &outcome {
            Some(SettleOutcome::Committed(_)) if !handed_back => self.tally.settled(began),
            Some(SettleOutcome::Fenced) => {
                tracing::warn!("The answer came too late and changed nothing");
            }
            Some(SettleOutcome::Committed(_)) | None => {}
        }
        outcome
    }
}

async fn ack(delivery: Option<Delivery>) {
    if let Some(delivery) = delivery {
        delivery.ack().await;
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it did not say why")
}
