//! Bad lines to both services: packets are lost, or few fit through; the fleet is slower, and that is all.

use crate::binary::Role;
use crate::door::Door;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::proxy::{Line, Proxy};
use crate::services::Services;
use crate::sight::well;
use anyhow::ensure;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A tenth of what a cheap line has: 256 kbit/s.
const NARROW: u32 = 32 * 1024;
/// How the lines are, in turn.
const LINES: [Line; 3] = [Line::Open, Line::Lossy(30), Line::Narrow(NARROW)];
/// Sagas that are sent under each.
const SAGAS: usize = 2;
const END_MAX: Duration = Duration::from_secs(30);

/// What came of it.
#[derive(Debug)]
pub struct Squeezed {
    /// The promises.
    pub verdict: Verdict,
    /// How long the sagas took on each line.
    pub took: Vec<(Line, Duration)>,
    /// Requests that clients had to make again.
    pub repeated: usize,
    /// Attempts that were counted beyond the first.
    pub again: usize,
    /// Warnings and errors in all logs.
    pub complaints: usize,
}

/// Has a whole fleet work over bad lines.
pub async fn squeeze(services: &Services) -> anyhow::Result<Squeezed> {
    let (database, amqp) = services.fresh().await?;
    let ground = Ground::at((database, amqp)).await?;
    let ground = ground.with("LEASE_SECONDS", "10");
    let store = Proxy::before(ground.told("DATABASE_URL")?).await?;
    let broker = Proxy::before(ground.told("AMQP_URL")?).await?;
    let urls = [
        ("DATABASE_URL", store.url.as_str()),
        ("AMQP_URL", broker.url.as_str()),
    ];
    let mut fleet = ground.fleet_told("squeezed", &urls);
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let (mut plans, mut took) = (BTreeMap::new(), vec![]);
    well(&door).await?;
    for line in LINES {
        store.set(line);
        broker.set(line);
        let began = Instant::now();
        for n in 0..SAGAS {
            let plan = Plan::succeed(0);
            plans.insert(door.submit(&format!("{line:?} {n}"), &plan).await?, plan);
        }
        let ids: Vec<Uuid> = plans.keys().copied().collect();
        ensure!(
            ground.all_end(&ids, END_MAX).await,
            "{line:?}: not every saga ended"
        );
        took.push((line, began.elapsed()));
    }
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    let again = ground.count("SELECT count(*) FROM steps WHERE attempt > 1 OR crashes > 0");
    let again = again.await?;
    let complaints = ground.logged("WARN")? + ground.logged("ERROR")?;
    fleet.end().await;
    Ok(Squeezed {
        verdict,
        took,
        repeated: door.repeated.load(Ordering::Relaxed),
        again,
        complaints,
    })
}
