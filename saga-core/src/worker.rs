//! The loop that every worker is: ticket, claim, run, settle, and the ticket for what comes next.

mod attempt;
mod leases;
mod meters;
mod pool;
mod presence;
mod settler;
mod shifts;
mod tally;

use crate::db::Db;
use crate::handler::Handlers;
use crate::relay::Relay;
use crate::run::Lease;
use crate::store::Store;
use crate::sweeper::Sweeper;
use crate::transport::Transport;
use leases::Leases;
use meters::Meters;
use pool::Pool;
use presence::Presence;
use settler::Settler;
use shifts::{Shifts, Switches};
use std::{sync::Arc, sync::atomic::AtomicUsize, sync::atomic::Ordering, time::Duration};
use tally::Tally;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Its name in leases, letters and logs, which no other process has.
    pub name: String,
    /// The machine or container, for whoever looks for it.
    pub host: String,
    /// The program, for whoever looks.
    pub version: String,
    /// The queues it reads.
    pub queues: Vec<String>,
    /// Steps of one queue that it does at once.
    pub concurrency: u16,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// How long steps under way may go on after the signal to stop.
    pub drain: Duration,
    /// How often it looks for what is due.
    pub sweep: Duration,
    /// How often it shows that it is there, and hears whether it is to leave.
    pub beat: Duration,
    /// Whether this process has the store for itself: then every lease at start is a dead one.
    pub alone: bool,
}

impl WorkerSettings {
    /// The defaults, for a worker of this name and these queues.
    pub fn new(name: impl Into<String>, queues: Vec<String>) -> Self {
        Self {
            name: name.into(),
            host: "here".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            queues,
            concurrency: 10,
            lease: Duration::from_secs(30),
            drain: Duration::from_secs(25),
            sweep: Duration::from_secs(1),
            beat: Duration::from_secs(5),
            alone: false,
        }
    }
}

/// Steps that are under way in this process.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<AtomicUsize>);

impl Busy {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
    fn enter(&self) -> BusyGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        BusyGuard(self.clone())
    }
}

struct BusyGuard(Busy);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A worker: its pools, its sweeper, its heartbeat.
pub struct Worker {
    /// The store.
    pub store: Store,
    /// What it can do.
    pub handlers: Arc<Handlers>,
    /// How tickets reach it.
    pub transport: Transport,
    /// Where it hands tickets in.
    pub relay: Relay,
    /// How it works.
    pub settings: WorkerSettings,
    /// What it is doing.
    pub busy: Busy,
}

impl Worker {
    /// Works until shutdown, then lets what is under way finish, hands back what does not, and
    /// returns. No attempt is counted for a shutdown. Somebody who asks it from afar to leave cancels
    /// `shutdown`, too.
    pub async fn run(self, shutdown: CancellationToken) {
        if let (true, Db::Sqlite { .. }) = (self.settings.alone, self.store.db()) {
            self.scan().await;
        }
        let (tracker, stop_now, pools) = (
            TaskTracker::new(),
            CancellationToken::new(),
            TaskTracker::new(),
        );
        let lease = Lease {
            worker: self.settings.name.clone(),
            length: self.settings.lease,
        };
        let leases = Leases::default();
        let (settler, settling) = Settler::new(self.store.clone(), self.relay.clone());
        tracker.spawn(settling);
        tracker.spawn(leases.clone().run(
            self.store.clone(),
            self.settings.lease,
            stop_now.clone(),
        ));
        self.sweep(&tracker, &shutdown);
        let tally = |queue: &String| Tally::new(queue, self.settings.concurrency);
        let tallies: Vec<Tally> = self.settings.queues.iter().map(tally).collect();
        let presence = Presence {
            store: self.store.clone(),
            settings: self.settings.clone(),
            tallies: tallies.clone(),
        };
        let ended = CancellationToken::new();
        tracker.spawn(presence.run(shutdown.clone(), ended.clone()));
        let (switches, paused) = Switches::new(self.store.clone(), self.settings.sweep);
        tracker.spawn(switches.run(shutdown.clone()));
        for (queue, tally) in self.settings.queues.iter().zip(tallies) {
            let pool = Pool {
                queue: queue.clone(),
                store: self.store.clone(),
                handlers: Arc::clone(&self.handlers),
                settler: settler.clone(),
                leases: leases.clone(),
                lease: lease.clone(),
                transport: self.transport.clone(),
                concurrency: self.settings.concurrency,
                slots: Arc::new(Semaphore::new(usize::from(self.settings.concurrency))),
                busy: self.busy.clone(),
                tally,
                meters: Meters::of(queue),
                shutdown: shutdown.clone(),
                stop_now: stop_now.clone(),
            };
            let shifts = Shifts {
                pool,
                paused: paused.clone(),
                tracker: tracker.clone(),
                pools: pools.clone(),
            };
            pools.spawn(shifts.run());
        }
        drop(settler);
        pools.close();
        shutdown.cancelled().await;
        self.drain(&pools, &stop_now).await;
        ended.cancel();
        tracker.close();
        tracker.wait().await;
    }

    /// Looks for what is due, and for tickets that the broker gave up on, until shutdown.
    fn sweep(&self, tracker: &TaskTracker, shutdown: &CancellationToken) {
        tracker.spawn(
            Sweeper::new(
                self.store.clone(),
                self.relay.clone(),
                self.transport.clone(),
                self.settings.sweep,
            )
            .run(shutdown.clone()),
        );
        tracker.spawn(
            self.transport
                .clone()
                .drain_dead(self.store.clone(), shutdown.clone()),
        );
    }

    async fn drain(&self, pools: &TaskTracker, stop_now: &CancellationToken) {
        tracing::info!(busy = self.busy.count(), "Draining: no new steps are taken");
        let finished = tokio::time::timeout(self.settings.drain, pools.wait()).await;
        stop_now.cancel();
        if finished.is_err() {
            tracing::warn!(
                busy = self.busy.count(),
                "Steps did not finish in time and are handed back"
            );
            pools.wait().await;
        }
    }

    /// After a start, everything that was ready or under way in the process before is due.
    async fn scan(&self) {
        if crate::fault::seeded("no-scan") {
            return;
        }
        let scanned = async {
            self.store.forget_all_workers().await?;
            self.store.expire_leases().await?;
            for queue in &self.settings.queues {
                self.store.renew_tickets(queue).await?;
            }
            Ok::<(), sqlx::Error>(())
        };
        if let Err(error) = scanned.await {
            tracing::warn!(%error, "The store could not be scanned at start; the sweeper will find what is due");
        }
    }
}
