//! The connections of a process, and the loops that keep them.

use crate::folder::{self, FolderLock};
use crate::name;
use crate::probe::Probe;
use crate::settings::{Mode, Settings};
use crate::{QUEUES, metrics};
use anyhow::Context as _;
use saga_core::db::{Db, Location, OpenError};
use saga_core::relay::Relay;
use saga_core::retirement::Retirement;
use saga_core::retry::Reconnect;
use saga_core::schedule::Schedule;
use saga_core::transport::{InProcess, Names, RabbitMq, Transport};
use saga_core::worker::{Busy, Worker, WorkerSettings};
use saga_core::{Client, Handlers, Kinds, Store};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a start waits for a database that does not answer yet.
const START_MAX: Duration = Duration::from_mins(1);
/// How often the API looks what operators have decided about kinds of sagas.
const RULES_EVERY: Duration = Duration::from_secs(1);
/// How long the work may take to end once it has drained.
pub(crate) const CLOSE_MAX: Duration = Duration::from_secs(10);

/// Where the store is.
pub fn location(settings: &Settings) -> Location {
    match &settings.mode {
        Mode::Embedded => Location::Sqlite {
            path: settings.store_file(),
        },
        Mode::Fleet { database_url, .. } => Location::Postgres {
            url: database_url.reveal().to_owned(),
            connections_max: settings.db_pool_max,
        },
    }
}

/// Opens the database and leaves its tables as they are. One that is still starting is waited for.
pub async fn open_db(settings: &Settings) -> anyhow::Result<Db> {
    if settings.embedded() {
        folder::make(&settings.data_dir)
            .with_context(|| format!("making the data folder {}", settings.data_dir.display()))?;
    }
    let (location, started, mut pauses) =
        (location(settings), Instant::now(), Reconnect::default());
    loop {
        match Db::open(&location).await {
            Ok(db) => return Ok(db),
            Err(OpenError::Unreachable(error))
                if !settings.embedded() && starting(&error) && started.elapsed() < START_MAX =>
            {
                tracing::warn!(%error, "The database does not answer yet; trying again");
                tokio::time::sleep(pauses.pause()).await;
            }
            Err(OpenError::Unreachable(error)) => {
                return Err(error).context("connecting to the store");
            }
            Err(error @ OpenError::Migrate(_)) => return Err(error.into()),
        }
    }
}

/// Whether a database may answer yet: nobody listens, or it says itself that it is starting (57P03).
/// A wrong password stays wrong.
fn starting(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut)
        || code.is_some_and(|code| code == "57P03")
}

/// Opens the store. Tables that are not up to date are refused, unless this process may migrate.
pub async fn open_store(settings: &Settings, kinds: Kinds) -> anyhow::Result<Store> {
    let db = open_db(settings).await?;
    if settings.embedded() || settings.migrate_on_start {
        db.migrate().await?;
    } else {
        let pending = db
            .pending()
            .await
            .context("reading which migrations are done")?
            .0;
        anyhow::ensure!(
            pending.is_empty(),
            "the database lacks {} migration(s): {}\ntry: chorus migrate, or start with MIGRATE_ON_START=true",
            pending.len(),
            pending.join(", ")
        );
    }
    let store = Store::new(db, Arc::new(kinds));
    Ok(store
        .with_prices(settings.prices.clone())
        .with_caps(settings.caps)
        .with_depth_max(settings.queue_depth_max))
}

/// How tickets travel from and to this process; `label` names it at the broker.
pub fn transport(settings: &Settings, label: &str) -> Transport {
    match &settings.mode {
        Mode::Embedded => Transport::InProcess(InProcess::new(QUEUES)),
        Mode::Fleet { amqp_url, .. } => {
            let (names, queues) = (
                Names::under(&settings.queue_prefix),
                QUEUES.map(str::to_owned).to_vec(),
            );
            Transport::RabbitMq(RabbitMq::new(amqp_url.reveal(), names, label, queues))
        }
    }
}

/// The connections of a process, and the loops that keep them. They outlive the signal to stop,
/// since what is under way still needs them; [`Fleet::close`] ends them, in order.
pub struct Fleet {
    /// The store.
    pub store: Store,
    /// How tickets travel.
    pub transport: Transport,
    /// Where tickets are handed in.
    pub relay: Relay,
    /// What is known about all of them.
    pub probe: Probe,
    /// The signal to stop.
    pub stop: CancellationToken,
    work: TaskTracker,
    patience: Duration,
    _folder: Option<FolderLock>,
    relaying: (CancellationToken, TaskTracker),
    carrying: (CancellationToken, TaskTracker),
}

impl Fleet {
    /// Opens the store and the transport, and starts their loops. `probe` may be served already.
    pub async fn open(
        settings: &Settings,
        kinds: Kinds,
        label: &str,
        probe: Probe,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let folder = settings
            .embedded()
            .then(|| folder::lock(settings))
            .transpose()?;
        metrics::start();
        saga_core::tally::announce(&kinds);
        let store = open_store(settings, kinds).await?;
        let transport = transport(settings, label);
        let (relay, loops) = Relay::new(store.clone(), transport.clone());
        let (relaying, carrying) = <(
            (CancellationToken, TaskTracker),
            (CancellationToken, TaskTracker),
        )>::default();
        relaying.1.spawn(loops.run(relaying.0.clone()));
        carrying
            .1
            .spawn(transport.clone().run(store.clone(), carrying.0.clone()));
        carrying.1.spawn(
            probe
                .clone()
                .run(store.clone(), transport.clone(), carrying.0.clone()),
        );
        carrying.1.spawn(metrics::upkeep(carrying.0.clone()));
        Ok(Self {
            store,
            transport,
            relay,
            probe,
            stop,
            work: TaskTracker::new(),
            patience: settings.work.drain + CLOSE_MAX,
            _folder: folder,
            relaying,
            carrying,
        })
    }

    /// What the API calls. It works until every clone is dropped, which must be before [`Fleet::close`].
    pub fn client(&self) -> Client {
        let (client, accepting) = Client::new(self.store.clone(), self.relay.clone());
        self.work.spawn(accepting);
        let rules = (self.store.clone()).follow_rules(RULES_EVERY, self.carrying.0.clone());
        self.carrying.1.spawn(rules);
        client
    }

    /// Starts a worker for these queues; it drains when the signal to stop comes, and cancels `leave` when somebody
    /// asks it from afar to leave. It sweeps, too, and so begins what these schedules say.
    pub fn work(
        &self,
        settings: &Settings,
        (label, queues): (&str, &[&str]),
        (handlers, schedules): (Handlers, Vec<Schedule>),
        leave: CancellationToken,
    ) -> Busy {
        let busy = Busy::default();
        let host = name::host();
        let worker = Worker {
            store: self.store.clone().with_schedules(schedules),
            handlers: Arc::new(handlers),
            transport: self.transport.clone(),
            relay: self.relay.clone(),
            settings: WorkerSettings {
                concurrency: settings.work.concurrency,
                lease: settings.work.lease,
                drain: settings.work.drain,
                sweep: settings.work.sweep,
                alone: settings.embedded(),
                version: crate::VERSION.to_owned(),
                host: host.clone(),
                ..WorkerSettings::new(
                    name::unique(label, &host),
                    queues.iter().map(|queue| (*queue).to_owned()).collect(),
                )
            },
            busy: busy.clone(),
        };
        self.work.spawn(worker.run(leave));
        let retirement = Retirement::new(self.store.clone(), settings.keep);
        self.work.spawn(retirement.run(self.stop.clone()));
        busy
    }

    /// Where other work of the process is spawned that [`Fleet::close`] is to wait for.
    pub fn tracker(&self) -> &TaskTracker {
        &self.work
    }

    /// Waits for the signal to stop, for the work, for its tickets, and closes the connections. Whatever hangs on
    /// beyond the time to drain is left behind: the store knows what was not finished.
    pub async fn close(self) {
        self.stop.cancelled().await;
        self.work.close();
        if tokio::time::timeout(self.patience, self.work.wait())
            .await
            .is_err()
        {
            tracing::warn!("Some work did not end in time and is left behind");
        }
        for (stop, tracker) in [self.relaying, self.carrying] {
            stop.cancel();
            tracker.close();
            tracker.wait().await;
        }
        self.store.db().close().await;
    }
}
