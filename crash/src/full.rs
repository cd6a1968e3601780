//! The disk under a store is full: commands are refused, nothing is half written, and once there is room all of it
//! goes on.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::services::{Services, folder};
use anyhow::{Context as _, bail, ensure};
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;
use testing::Disk;
use uuid::Uuid;

/// Megabytes: an empty database of PostgreSQL has eight.
const SMALL: usize = 24;
const TINY: usize = 12;
/// Most commands until one is refused: what the store has set aside is used up first.
const COMMANDS_MAX: usize = 400;
const END_MAX: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Debug)]
pub struct Filled {
    /// The promises.
    pub verdict: Verdict,
    /// Commands that were accepted before one was not.
    pub accepted: usize,
    /// What the first one that was not was answered.
    pub refused: StatusCode,
    /// Whether the process lived on.
    pub alive: bool,
    /// Sagas of commands that were refused, and not sent again.
    pub ghosts: usize,
}

/// Fills the disk of a fleet's store, or of an embedded one. None: this machine mounts no disk.
pub async fn full(services: Option<&Services>) -> anyhow::Result<Option<Filled>> {
    let path = folder("crash-disk")?;
    let size = if services.is_some() { SMALL } else { TINY };
    let Some(disk) = Disk::mount(&path, size, "a full disk under a store")? else {
        return Ok(None);
    };
    let filled = filled(services, &disk).await;
    drop(disk);
    drop(std::fs::remove_dir(&path));
    filled.map(Some)
}

async fn filled(services: Option<&Services>, disk: &Disk) -> anyhow::Result<Filled> {
    let (ground, roles) = if let Some(services) = services {
        disk.give_to_owner_of(&services.postgres_data())?;
        let ground = Ground::on_small(services, &disk.path).await?;
        (ground, &[Role::Api, Role::Synthesis, Role::Image][..])
    } else {
        let data = disk.path.join("data");
        std::fs::create_dir(&data)?;
        (Ground::embedded_in(data).await?, &[Role::Whole][..])
    };
    let mut fleet = ground.fleet(unarmed());
    for role in roles {
        fleet.add(*role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let mut plans = BTreeMap::new();
    let plan = Plan::succeed(0);
    plans.insert(door.submit("before", &plan).await?, plan);
    ensure!(
        ground.all_end(&ids(&plans), END_MAX).await,
        "not even before it was full"
    );
    disk.fill()?;
    let refused = until_refused(&door, &mut plans).await?;
    let accepted = plans.len();
    let alive = door.ask(Method::GET, "/livez", "", None).await?.0 == StatusCode::OK;
    disk.free()?;
    let plan = Plan::succeed(0);
    plans.insert(door.submit("after", &plan).await?, plan);
    ensure!(
        ground.all_end(&ids(&plans), END_MAX).await,
        "not every saga ended"
    );
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    let there = ground.count("SELECT count(*) FROM sagas").await?;
    let ended = fleet.tally.deaths() + fleet.tally.refused.load(Ordering::Relaxed);
    fleet.end().await;
    Ok(Filled {
        verdict,
        accepted,
        refused,
        alive: alive && ended == 0,
        ghosts: there.saturating_sub(plans.len()),
    })
}

/// Sends commands, each under a key of its own, until one is refused; that one is not sent again.
async fn until_refused(
    door: &Door,
    plans: &mut BTreeMap<Uuid, Plan>,
) -> anyhow::Result<StatusCode> {
    for n in 0..COMMANDS_MAX {
        let plan = Plan::succeed(0);
        let body = json!({"kind": "demo.drill", "input": plan.trip});
        let key = format!("full {n}");
        let (status, said) = door
            .ask(Method::POST, "/api/v1/jobs", &key, Some(&body))
            .await?;
        if !status.is_success() {
            return Ok(status);
        }
        let id = said["id"].as_str().context("no id")?.parse()?;
        plans.insert(id, plan);
    }
    bail!("the disk is full, and {COMMANDS_MAX} commands were accepted")
}

fn ids(plans: &BTreeMap<Uuid, Plan>) -> Vec<Uuid> {
    plans.keys().copied().collect()
}
