//! Worlds to test in: every store with every transport, each fresh for its test.

use crate::doer::Doer;
use crate::sagas::kinds;
use saga_core::client::Client;
use saga_core::db::Durability;
use saga_core::relay::Relay;
use saga_core::state::SagaState;
use saga_core::store::{NewSaga, Store};
use saga_core::transport::{Health, InProcess, Names, RabbitMq, Transport};
use saga_core::worker::{Busy, Worker, WorkerSettings};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testing::Fresh;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub(crate) const QUEUES: [&str; 2] = ["left", "right"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StoreKind {
    Sqlite,
    Postgres,
}
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TransportKind {
    InProcess,
    RabbitMq,
}

/// The combinations that this run can test; says which are left out.
pub(crate) fn combinations() -> Vec<(StoreKind, TransportKind)> {
    let (postgres, rabbit) = (
        std::env::var("CHORUS_TEST_POSTGRES").is_ok(),
        std::env::var("CHORUS_TEST_AMQP").is_ok(),
    );
    let mut all = vec![];
    for store in [StoreKind::Sqlite, StoreKind::Postgres] {
        for transport in [TransportKind::InProcess, TransportKind::RabbitMq] {
            let there = (store == StoreKind::Sqlite || postgres)
                && (transport == TransportKind::InProcess || rabbit);
            if there {
                all.push((store, transport));
            } else {
                testing::left_out(&format!("{store:?} with {transport:?}"));
            }
        }
    }
    all
}

/// Every store once: for what no ticket has a part in.
pub(crate) fn stores() -> impl Iterator<Item = (StoreKind, TransportKind)> {
    let all = combinations().into_iter();
    all.filter(|(_, transport)| *transport == TransportKind::InProcess)
}

/// A store and a transport with nothing in them, and who works on them.
pub(crate) struct World {
    pub(crate) label: String,
    pub(crate) store: Store,
    pub(crate) client: Client,
    pub(crate) relay: Relay,
    pub(crate) transport: Transport,
    pub(crate) doer: Doer,
    pub(crate) stop: CancellationToken,
    tracker: TaskTracker,
    names: Names,
    fresh: Fresh,
}

impl World {
    /// A fresh world; no worker is at work yet.
    pub(crate) async fn new((store, transport): (StoreKind, TransportKind), doer: Doer) -> Self {
        let server = match store {
            StoreKind::Sqlite => None,
            StoreKind::Postgres => Some(std::env::var("CHORUS_TEST_POSTGRES").unwrap()),
        };
        let fresh = Fresh::on(server, "engine", 6).await;
        let db = fresh.db.clone();
        let mut tx = db.begin(Durability::Full).await.unwrap();
        tx.query(saga_core::db::Sql {
            postgres: "CREATE TABLE test_effects (n BIGSERIAL PRIMARY KEY, saga_id UUID NOT NULL, name TEXT NOT NULL)",
            sqlite: "CREATE TABLE test_effects (n INTEGER PRIMARY KEY AUTOINCREMENT, saga_id BLOB NOT NULL, name TEXT NOT NULL)",
        })
        .execute()
        .await
        .unwrap();
        tx.commit().await.unwrap();
        let store_ = Store::new(db, Arc::new(kinds()));
        let names = Names::under(format!("t{}", Uuid::now_v7().simple()));
        let transport_ = match transport {
            TransportKind::InProcess => Transport::InProcess(InProcess::new(QUEUES)),
            TransportKind::RabbitMq => {
                let url = std::env::var("CHORUS_TEST_AMQP").unwrap();
                let queues = QUEUES.map(str::to_owned).to_vec();
                Transport::RabbitMq(RabbitMq::new(url, names.clone(), "test", queues))
            }
        };
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (relay, relaying) = Relay::new(store_.clone(), transport_.clone());
        let (client, accepting) = Client::new(store_.clone(), relay.clone());
        tracker.spawn(relaying.run(stop.clone()));
        tracker.spawn(accepting);
        tracker.spawn(transport_.clone().run(store_.clone(), stop.clone()));
        let label = format!("{store:?} with {transport:?}");
        Self {
            label,
            store: store_,
            client,
            relay,
            transport: transport_,
            doer,
            stop,
            tracker,
            names,
            fresh,
        }
    }

    /// Waits until tickets can be published: by then every queue is known to the broker.
    pub(crate) async fn connected(&self) {
        let began = Instant::now();
        while self.transport.health() != Health::Up {
            assert!(began.elapsed() < Duration::from_secs(20), "{}", self.label);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Adds a worker with quick leases; the token stops it alone.
    pub(crate) fn worker(&self, name: &str) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        self.worker_that_drains(name, Duration::from_secs(5))
    }

    /// As [`World::worker`]; when stopped it hands back what takes longer than `drain`.
    pub(crate) fn worker_that_drains(
        &self,
        name: &str,
        drain: Duration,
    ) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        let settings = WorkerSettings {
            lease: Duration::from_millis(900),
            sweep: Duration::from_millis(40),
            beat: Duration::from_millis(40),
            drain,
            ..WorkerSettings::new(name, QUEUES.map(str::to_owned).to_vec())
        };
        let worker = Worker {
            store: self.store.clone(),
            handlers: Arc::new(self.doer.handlers()),
            transport: self.transport.clone(),
            relay: self.relay.clone(),
            settings,
            busy: Busy::default(),
        };
        let stop = self.stop.child_token();
        (stop.clone(), self.tracker.spawn(worker.run(stop)))
    }

    pub(crate) async fn start(&self, kind: &str, input: Value) -> Uuid {
        let id = Uuid::now_v7();
        self.client
            .start(new_saga(id, kind, input))
            .await
            .unwrap()
            .id
    }

    pub(crate) async fn state(&self, saga: Uuid) -> SagaState {
        self.store.view(&[saga]).await.unwrap()[&saga].saga.state
    }

    /// Waits until a saga is in this state.
    pub(crate) async fn until(&self, saga: Uuid, state: SagaState) {
        self.wait(
            &format!("{saga} is {state:?}"),
            async || self.state(saga).await == state,
            saga,
        )
        .await;
    }

    pub(crate) async fn wait(&self, what: &str, done: impl AsyncFn() -> bool, saga: Uuid) {
        let began = Instant::now();
        while !done().await {
            if began.elapsed() > Duration::from_secs(20) {
                let run = self.store.view(&[saga]).await.unwrap();
                let events = self.store.events(saga, 0, 200).await.unwrap();
                panic!(
                    "{}: gave up waiting until {what}: {run:#?}\n{events:#?}",
                    self.label
                );
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What was done and undone, in order.
    pub(crate) async fn effects(&self, saga: Uuid) -> Vec<String> {
        let rows: Vec<(String,)> = self
            .store
            .db()
            .query("SELECT name FROM test_effects WHERE saga_id = $1 ORDER BY n")
            .bind(saga)
            .all()
            .await
            .unwrap();
        rows.into_iter().map(|(name,)| name).collect()
    }

    /// Ends the world.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        drop(self.client);
        drop(self.relay);
        self.tracker.close();
        tokio::time::timeout(Duration::from_secs(20), self.tracker.wait())
            .await
            .expect("everything stops");
        if let Transport::RabbitMq(_) = &self.transport {
            delete_queues(&self.names).await;
        }
        self.fresh.end().await;
    }
}

pub(crate) fn new_saga(id: Uuid, kind: &str, input: Value) -> NewSaga {
    NewSaga {
        id,
        kind: kind.to_owned(),
        input,
        owner_id: None,
        request_id: "test".to_owned(),
        trace: None,
        singleton: None,
        replay_of: None,
    }
}

/// A broker that others use, too, is left as it was found: too many quorum queues slow it down.
async fn delete_queues(names: &Names) {
    let url = std::env::var("CHORUS_TEST_AMQP").unwrap();
    let connection = lapin::Connection::connect(&url, lapin::ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    for queue in QUEUES
        .map(|queue| names.queue(queue))
        .into_iter()
        .chain([names.dead()])
    {
        channel
            .queue_delete(queue.into(), lapin::options::QueueDeleteOptions::default())
            .await
            .unwrap();
    }
    let exchange = names.exchange().into();
    channel
        .exchange_delete(exchange, lapin::options::ExchangeDeleteOptions::default())
        .await
        .unwrap();
    connection.close(200, "done".into()).await.unwrap();
}
