//! The broker loses patience with whoever acknowledges nothing, and closes their channels while they work.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::services::Services;
use anyhow::ensure;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// How long the broker waits, and how long each step takes.
const PATIENCE: Duration = Duration::from_millis(300);
const WORK_MS: u64 = 600;
const SAGAS: usize = 3;
const END_MAX: Duration = Duration::from_secs(30);

/// What came of it.
#[derive(Debug)]
pub struct Tardy {
    /// The promises.
    pub verdict: Verdict,
    /// Consumers whose channel the broker closed, each told once.
    pub closed: usize,
    /// Steps that were counted as crashed, though nobody died.
    pub blamed: usize,
}

/// Has workers take longer than the broker waits.
pub async fn dawdle(services: &Services) -> anyhow::Result<Tardy> {
    services.consumers_must_ack_within(PATIENCE).await?;
    let ground = Ground::on(services).await?;
    let mut fleet = ground.fleet(unarmed());
    for role in [
        Role::Api,
        Role::Synthesis,
        Role::Synthesis,
        Role::Image,
        Role::Image,
    ] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let mut plans = BTreeMap::new();
    for n in 0..SAGAS {
        let plan = Plan::succeed(WORK_MS);
        plans.insert(door.submit(&format!("tardy {n}"), &plan).await?, plan);
    }
    let ids: Vec<Uuid> = plans.keys().copied().collect();
    ensure!(ground.all_end(&ids, END_MAX).await, "not every saga ended");
    let blamed = ground.count("SELECT count(*) FROM steps WHERE crashes > 0");
    let blamed = blamed.await?;
    let closed = ground.logged("PRECONDITION_FAILED")?;
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    fleet.end().await;
    Ok(Tardy {
        verdict,
        closed,
        blamed,
    })
}
