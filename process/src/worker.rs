//! The whole of a worker process.

use crate::fleet::CLOSE_MAX;
use crate::metrics::{self, Scrape};
use crate::settings::{Given, Role, Settings};
use crate::{Fleet, Probe, health, notify, stop, telemetry, threads};
use anyhow::Context as _;
use clap::Parser;
use saga_core::schedule::Schedule;
use saga_core::{Handlers, Kinds};
use std::{io, net::SocketAddr, process::ExitCode, time::Duration};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Exit code of wrong settings and wrong usage.
const USAGE: u8 = 2;
/// How long answers about the process's health may take once it has stopped working.
const SERVED_MAX: Duration = Duration::from_secs(2);
/// How long a worker may go on after `DRAIN_TIMEOUT_S`: whoever kills it waits longer than both.
pub const AFTER_DRAIN_MAX: Duration =
    Duration::from_secs(CLOSE_MAX.as_secs() + SERVED_MAX.as_secs());

/// What a worker can do: which sagas there are, and who does their steps.
pub struct Parts {
    /// The sagas.
    pub kinds: Kinds,
    /// Who does their steps.
    pub handlers: Handlers,
    /// Which of them begin by the clock.
    pub schedules: Vec<Schedule>,
}

#[derive(Parser)]
#[command(
    version,
    about = "Does the steps of one queue. The same as `chorus worker <queue>`."
)]
struct Arguments {
    #[command(flatten)]
    given: Given,
}

/// The `main` of a worker binary.
pub fn main(queue: &str, parts: impl FnOnce(&Settings) -> anyhow::Result<Parts>) -> ExitCode {
    match Arguments::parse()
        .given
        .with_environment()
        .check(Role::Worker)
    {
        Ok(settings) => block_on(threads::of_worker(), run(settings, queue, parts)),
        Err(problems) => {
            complain(&problems);
            ExitCode::from(USAGE)
        }
    }
}

/// Runs a process to its end on these threads: exit code 0, or 1 and the reason on standard error.
pub fn block_on(
    threads: io::Result<Runtime>,
    run: impl Future<Output = anyhow::Result<()>>,
) -> ExitCode {
    let ended = threads.map(|threads| threads.block_on(run));
    match ended.map_err(anyhow::Error::from).flatten() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Works a queue off until a signal says stop.
pub async fn run(
    settings: Settings,
    queue: &str,
    parts: impl FnOnce(&Settings) -> anyhow::Result<Parts>,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        !settings.embedded(),
        "a worker of its own needs DATABASE_URL and AMQP_URL\ntry: chorus, which runs everything in one process"
    );
    let label = format!("{queue}-worker");
    let traces = telemetry::start_traced(&settings, &label);
    settings
        .warnings
        .iter()
        .for_each(|warning| tracing::warn!("{warning}"));
    let stop = stop::on_signal()?;
    let (probe, served) = (Probe::new(stop.clone()), CancellationToken::new());
    let serving = serve_health(&settings, probe.clone(), served.clone()).await?;
    let Parts {
        kinds,
        handlers,
        schedules,
    } = parts(&settings)?;
    let opened = tokio::select! {
        opened = Fleet::open(&settings, kinds, &label, probe, stop.clone()) => Some(opened?),
        () = stop.cancelled() => None, // while it waited for the database
    };
    if let Some(fleet) = opened {
        // Whoever asks the worker to leave asks the process: there is nothing else in it.
        fleet.work(
            &settings,
            (&label, &[queue]),
            (handlers, schedules),
            stop.clone(),
        );
        tracing::info!(
            queue,
            concurrency = settings.work.concurrency,
            "The {label} works"
        );
        notify::ready();
        fleet.close().await;
    }
    served.cancel();
    end_of(serving).await?;
    tracing::info!("Stopped");
    traces.stop().await;
    Ok(())
}

/// Waits for the health routes to end; whoever keeps a connection open does not keep the process.
async fn end_of(mut serving: tokio::task::JoinHandle<()>) -> anyhow::Result<()> {
    if let Ok(ended) = tokio::time::timeout(SERVED_MAX, &mut serving).await {
        return Ok(ended?);
    }
    serving.abort();
    Ok(())
}

/// Serves the health routes and the metrics on the worker's port, if it has one, until `served`.
async fn serve_health(
    settings: &Settings,
    probe: Probe,
    served: CancellationToken,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let Some(port) = settings.work.port else {
        return Ok(tokio::spawn(async {}));
    };
    let address = SocketAddr::new(settings.host, port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on WORKER_PORT, {address}"))?;
    let scrape = Scrape::own().for_token(settings.metrics_token.clone());
    let routes = health::routes(probe).merge(metrics::routes(scrape));
    Ok(tokio::spawn(async move {
        let serve = axum::serve(listener, routes).with_graceful_shutdown(served.cancelled_owned());
        if let Err(error) = serve.await {
            tracing::error!(%error, "Health and metrics are not served any more");
        }
    }))
}

#[expect(
    clippy::print_stderr,
    reason = "a process that cannot start says so where logs go, before there are logs"
)]
fn complain(words: &impl std::fmt::Display) {
    eprintln!("{words}");
}
