//! Workers whose clocks are an hour off, one before and one behind: leases and timers go by the store's.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::plan::Plan;
use crate::services::Services;
use anyhow::ensure;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::process::Command;
use uuid::Uuid;

const SAGAS: usize = 6;
/// How long each step takes: longer than a lease that nobody renews.
const WORK_MS: u64 = 1_800;
/// How long all of them may take, and those that lose a worker besides.
const END_MAX: Duration = Duration::from_secs(25);

/// What came of it.
#[derive(Debug)]
pub struct Skewed {
    /// Steps that were taken twice, or counted as crashed, though nobody died.
    pub lost: usize,
    /// How long sagas took of which every worker was killed once.
    pub recovered: Duration,
}

/// Where the library is that lies about the time, if the machine has it.
pub fn library() -> Option<PathBuf> {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
    ];
    let at = |folder: &str| Path::new(folder).join("faketime/libfaketime.so.1");
    folders.into_iter().map(at).find(|path| path.exists())
}

/// Works with clocks that are off, then kills every worker once.
pub async fn skew(services: &Services, library: &Path) -> anyhow::Result<Skewed> {
    let library = library.display().to_string();
    let ground = Ground::on(services).await?;
    let mut api = ground.fleet(unarmed());
    api.add(Role::Api);
    let mut fleets = vec![];
    for hours in ["+1h", "-1h"] {
        let told = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME", hours),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
        ];
        ensure!(is_off(&told).await?, "the library does not change the time");
        let mut fleet = ground.fleet_told(hours, &told);
        for role in [Role::Synthesis, Role::Image] {
            fleet.add(role);
        }
        fleets.push(fleet);
    }
    let door = Door::new(api.ports(), ground.token.clone());
    let slow = send(&door, "slow", WORK_MS).await?;
    ensure!(ground.all_end(&slow, END_MAX).await, "not every saga ended");
    let lost = ground.count("SELECT count(*) FROM steps WHERE epoch > 1 OR crashes > 0");
    let lost = lost.await?;
    let began = Instant::now();
    let killed = send(&door, "killed", WORK_MS / 2).await?;
    crate::until("a step is leased", END_MAX, async || {
        let leased = ground.count("SELECT count(*) FROM steps WHERE state = 'leased'");
        leased.await.is_ok_and(|leased| leased > 0)
    })
    .await?;
    for fleet in &fleets {
        for member in 0..fleet.members.len() {
            fleet.kill(member).await;
        }
    }
    ensure!(
        ground.all_end(&killed, END_MAX).await,
        "a lease lasts for hours"
    );
    for fleet in fleets {
        fleet.end().await;
    }
    api.end().await;
    Ok(Skewed {
        lost,
        recovered: began.elapsed(),
    })
}

/// Whether a program that is told so sees another time.
async fn is_off(told: &[(&str, &str)]) -> anyhow::Result<bool> {
    let time = async |told: &[(&str, &str)]| -> anyhow::Result<i64> {
        let mut date = Command::new("date");
        let ran = date.arg("+%s").envs(told.iter().copied()).output().await?;
        Ok(String::from_utf8(ran.stdout)?.trim().parse()?)
    };
    Ok((time(told).await? - time(&[]).await?).abs() > 3_000)
}

async fn send(door: &Door, name: &str, work_ms: u64) -> anyhow::Result<Vec<Uuid>> {
    let mut ids = vec![];
    for n in 0..SAGAS {
        let plan = Plan::succeed(work_ms);
        ids.push(door.submit(&format!("{name} {n}"), &plan).await?);
    }
    Ok(ids)
}
