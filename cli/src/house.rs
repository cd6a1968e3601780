//! Everything under one roof: API and all workers in this process.

use crate::exit::Trouble;
use crate::{parts, port};
use process::{Fleet, Probe, QUEUES, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// API and all workers in this process.
pub(crate) struct House {
    /// Where the API is.
    pub(crate) url: String,
    fleet: Fleet,
    serving: JoinHandle<std::io::Result<()>>,
}

impl House {
    /// Opens the store and starts everything, on the port that was asked for or on the next free one.
    /// It stops when `stop` is cancelled.
    pub(crate) async fn open(
        mut settings: Settings,
        stop: CancellationToken,
    ) -> Result<Self, Trouble> {
        // The store first: a second process on its folder is to hear that, not to take the next port.
        let fleet = Fleet::open(
            &settings,
            domain::catalog::kinds(),
            "chorus",
            Probe::new(stop.clone()),
            stop.clone(),
        )
        .await?;
        let listener = port::listen_near(settings.host, settings.port).await?;
        let url = port::url(&listener)?;
        settings.listens_at(&url);
        let worker = parts::of_worker(&settings)?;
        // Asked from afar to leave, the worker takes no more steps, and the API stays.
        let leave = stop.child_token();
        let can = (worker.handlers, worker.schedules);
        fleet.work(&settings, ("chorus", &QUEUES), can, leave);
        let api = parts::of_api(&settings, &fleet)?;
        let serving = tokio::spawn(chorus_api::serve(listener, api, stop));
        Ok(Self {
            url,
            fleet,
            serving,
        })
    }

    /// The store, for what goes before the API: an account to mint a token for.
    pub(crate) fn store(&self) -> &saga_core::Store {
        &self.fleet.store
    }

    /// Other work that the house waits for.
    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Waits until everything has stopped, in order: answers, steps, tickets, connections.
    pub(crate) async fn close(self) -> Result<(), Trouble> {
        self.serving.await.map_err(anyhow::Error::from)??;
        self.fleet.close().await;
        Ok(())
    }
}
