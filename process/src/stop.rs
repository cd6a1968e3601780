//! Signals to stop: the first asks, the second insists.

use crate::notify;
use std::{io, process, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

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

/// A token that is cancelled so long after `stop`: for whatever goes on until others have seen that it is to end.
pub fn later(stop: CancellationToken, delay: Duration, tracker: &TaskTracker) -> CancellationToken {
    let later = CancellationToken::new();
    let cancelled = later.clone();
    tracker.spawn(async move {
        stop.cancelled().await;
        if !delay.is_zero() {
            let seconds = delay.as_secs_f64();
            tracing::info!(
                seconds,
                "Not ready any more; what still comes is accepted for a while"
            );
            tokio::time::sleep(delay).await;
        }
        cancelled.cancel();
    });
    later
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) -> i32 {
    tokio::select! {
        _ = terminate.recv() => TERMINATED,
        _ = interrupt.recv() => INTERRUPTED,
    }
}
