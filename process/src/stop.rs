//! Signals to stop: the first asks, the second insists.

use crate::notify;
use std::{io, process};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit codes of a process that a signal ended: 128 and its number.
const INTERRUPTED: i32 = 130;
const TERMINATED: i32 = 143;

/// A token that SIGTERM and SIGINT cancel alike. The second signal ends the process at once.
pub fn on_signal() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let asked = stop.clone();
    // Nothing waits for this task: it lives as long as the process.
    tokio::spawn(async move {
        next(&mut terminate, &mut interrupt).await;
        tracing::info!("Stopping; a second signal stops at once");
        asked.cancel();
        notify::stopping();
        process::exit(next(&mut terminate, &mut interrupt).await);
    });
    Ok(stop)
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> i32 {
    tokio::select! {
        _ = terminate.recv() => TERMINATED,
        _ = interrupt.recv() => INTERRUPTED,
    }
}
