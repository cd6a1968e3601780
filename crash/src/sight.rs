//! What a fleet tells of its dependencies: in `/readyz`, in its metrics, in its log.

use crate::door::Door;
use crate::ground::Ground;
use crate::until;
use anyhow::{Context as _, ensure};
use axum::http::StatusCode;
use reqwest::Method;
use std::time::{Duration, Instant};

/// How soon the fleet says what is wrong.
const SAID_WITHIN: Duration = Duration::from_secs(6);
/// How soon it says that all is well again.
const WELL_WITHIN: Duration = Duration::from_secs(10);

/// Waits until the API says in each way that this dependency is down; returns how long that took.
pub async fn said(ground: &Ground, door: &Door, dependency: &str) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let line = format!("{dependency}: down");
    until(
        "/readyz says what is down",
        SAID_WITHIN,
        async || matches!(door.text("/readyz").await, Ok((_, told)) if told.contains(&line)),
    )
    .await?;
    let took = began.elapsed();
    let gauge = format!("chorus_dependency_up{{dependency=\"{dependency}\"}} 0");
    let (_, metrics) = door.text("/metrics").await?;
    ensure!(metrics.contains(&gauge), "the metrics do not say {gauge}");
    let logged = format!("The {dependency} stopped answering");
    ensure!(
        ground.logged(&logged)? > 0,
        "the log does not say {logged:?}"
    );
    Ok(took)
}

/// Waits until the API says that everything is well.
pub async fn well(door: &Door) -> anyhow::Result<()> {
    until("the API is well", WELL_WITHIN, async || {
        matches!(
            door.ask(Method::GET, "/health", "", None).await,
            Ok((StatusCode::OK, _))
        )
    })
    .await
    .context("when everything was there again")
}
