//! The whole of an API process.

use crate::{ApiSettings, State, serve};
use anyhow::Context as _;
use process::{Fleet, Probe, Settings, notify, stop, telemetry};
use std::net::SocketAddr;

/// Serves the API until a signal says stop.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    anyhow::ensure!(
        !settings.embedded(),
        "an API of its own needs DATABASE_URL and AMQP_URL\ntry: chorus, which runs everything in one process"
    );
    let traces = telemetry::start_traced(&settings, "chorus-api");
    settings
        .warnings
        .iter()
        .for_each(|warning| tracing::warn!("{warning}"));
    let stop = stop::on_signal()?;
    let own = ApiSettings::of(&settings).context("reading the API's secrets")?;
    let (kinds, probe) = (domain::catalog::kinds(), Probe::new(stop.clone()));
    let fleet = tokio::select! {
        fleet = Fleet::open(&settings, kinds, "api", probe.clone(), stop.clone()) => fleet?,
        () = stop.cancelled() => return Ok(()), // while it waited for the database
    };
    let address = SocketAddr::new(settings.host, settings.port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}"))?;
    tracing::info!(%address, "The API serves");
    let state = State::new(fleet.client(), own, probe)?;
    notify::ready();
    let closing = stop::later(stop, settings.drain_delay, fleet.tracker());
    serve(listener, state, closing).await.context("serving")?;
    fleet.close().await;
    tracing::info!("Stopped");
    traces.stop().await;
    Ok(())
}
