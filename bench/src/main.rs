//! Measures Chorus over real HTTP, and in the same run what the machine itself can do.
//!
//! `cargo run --release -p bench` builds the `chorus` binary, starts it as its users do, embedded and
//! as separate processes on PostgreSQL and RabbitMQ, and prints a table. Figures are ratios within
//! one run wherever they are compared: machines differ, and are shared.
//!
//! `-- --only=embedded` and `--only=fleet` leave the other out; `--only=archive` fills a store with a million
//! sagas first, and takes some minutes; `--only=rounds` makes topics of ten thousand ideas, and of those of two hundred
//! pools at once; `--strict` exits 1 if a bar does not hold.

mod archive;
mod fleet;
mod limits;
mod load;
mod measure;
mod report;
mod rounds;
mod services;

use anyhow::{Context as _, Result, bail};
use fleet::{Fleet, MANY, Shape, USUAL};
use report::Report;
use std::process::ExitCode;

/// What `--only=` may name.
const PARTS: [&str; 4] = ["embedded", "fleet", "archive", "rounds"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("bare") {
        return limits::serve_bare().await;
    }
    match run(&arguments).await {
        Ok(report) => {
            report.print();
            if report.holds() || !arguments.iter().any(|word| word == "--strict") {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            report::say(&format!(
                "error: {error:#}\ntry: scripts/services up, or set CHORUS_TEST_POSTGRES and CHORUS_TEST_AMQP"
            ));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<Report> {
    let only = |shape: &str| {
        !arguments.iter().any(|word| word.starts_with("--only"))
            || arguments
                .iter()
                .any(|word| *word == format!("--only={shape}"))
    };
    let known = |word: &&String| PARTS.iter().any(|part| **word == format!("--only={part}"));
    let strict = |word: &&String| *word == "--strict";
    if let Some(unknown) = arguments.iter().find(|word| !known(word) && !strict(word)) {
        bail!(
            "there is no {unknown}: say --strict, or --only= with one of {}",
            PARTS.join(", ")
        );
    }
    let binary = fleet::build()?;
    let mut report = Report::default();
    let bare = limits::bare().await.context("starting bare axum")?;
    report.limits.get = bare.get().await.context("measuring bare axum")?;
    if only("embedded") {
        let mut fleet = Fleet::start(&binary, Shape::Embedded, MANY)
            .await
            .context("starting the embedded fleet")?;
        report.add(
            "embedded (SQLite, one process)",
            measure::all(&mut fleet, &bare).await?,
        );
        fleet.stop().await;
    }
    if only("fleet") {
        let services = services::Services::prepare()
            .await
            .context("preparing PostgreSQL and RabbitMQ")?;
        limits::services(&services, &mut report.limits)
            .await
            .context("measuring PostgreSQL and RabbitMQ")?;
        let mut fleet = Fleet::start(&binary, Shape::Split(&services), MANY)
            .await
            .context("starting the fleet")?;
        report.add(
            "fleet (PostgreSQL, RabbitMQ, 3 processes)",
            measure::all(&mut fleet, &bare).await?,
        );
        fleet.stop().await;
        services.remove().await?;
    }
    if arguments.iter().any(|word| word == "--only=archive") {
        let services = services::Services::prepare()
            .await
            .context("preparing PostgreSQL and RabbitMQ")?;
        let mut fleet = Fleet::start(&binary, Shape::Split(&services), MANY)
            .await
            .context("starting the fleet")?;
        report.archive = Some(archive::all(&mut fleet, &services).await?);
        fleet.stop().await;
        services.remove().await?;
    }
    if arguments.iter().any(|word| word == "--only=rounds") {
        let services = services::Services::prepare()
            .await
            .context("preparing PostgreSQL and RabbitMQ")?;
        let mut fleet = Fleet::start(&binary, Shape::Split(&services), USUAL)
            .await
            .context("starting the fleet")?;
        report.rounds = Some(rounds::all(&mut fleet).await?);
        fleet.stop().await;
        services.remove().await?;
    }
    Ok(report)
}
