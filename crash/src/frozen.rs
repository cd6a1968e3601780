//! The broker hangs: its connections stay open and it answers nothing, as a machine that swaps.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::services::Services;
use crate::sight::{said, well};
use anyhow::ensure;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Sagas that are under way when it stops, and sagas that are sent meanwhile.
const SAGAS: usize = 4;
/// How long the steps of the former take.
const WORK_MS: u64 = 700;
/// How long it hangs: until heartbeats have ended every connection.
const LASTS: Duration = Duration::from_secs(14);
/// How soon every saga has ended, once it goes on.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// What came of it.
#[derive(Debug)]
pub struct Frozen {
    /// The promises.
    pub verdict: Verdict,
    /// How long it took until the fleet said what was wrong.
    pub said: Duration,
    /// The longest that the API took to accept a saga meanwhile.
    pub slowest: Duration,
    /// Consumers' sessions that ended.
    pub ended: usize,
    /// How long the last saga took once the broker went on.
    pub back: Duration,
}

/// Sends sagas before the broker hangs and while it does, and has it go on.
pub async fn freeze(services: &Services) -> anyhow::Result<Frozen> {
    let ground = Ground::on(services).await?;
    let mut fleet = ground.fleet(unarmed());
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let mut plans = BTreeMap::new();
    for n in 0..SAGAS {
        let plan = Plan::succeed(WORK_MS);
        plans.insert(door.submit(&format!("before {n}"), &plan).await?, plan);
    }
    well(&door).await?;
    services.freeze_broker(true)?;
    let began = Instant::now();
    let said = said(&ground, &door, "broker").await?;
    let mut slowest = Duration::ZERO;
    for n in 0..SAGAS {
        let (plan, sent) = (Plan::succeed(0), Instant::now());
        let (id, refused) = door.submit_bare(&format!("frozen {n}"), &plan).await?;
        ensure!(refused == 0, "a saga was refused while the broker hung");
        slowest = slowest.max(sent.elapsed());
        plans.insert(id, plan);
    }
    tokio::time::sleep(LASTS.saturating_sub(began.elapsed())).await;
    services.freeze_broker(false)?;
    let over = Instant::now();
    let ids: Vec<Uuid> = plans.keys().copied().collect();
    ensure!(
        ground.all_end(&ids, BACK_WITHIN).await,
        "not every saga ended {BACK_WITHIN:?} after the broker went on"
    );
    let back = over.elapsed();
    well(&door).await?;
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    let ended = ground.logged("The broker session ended")?;
    fleet.end().await;
    Ok(Frozen {
        verdict,
        said,
        slowest,
        ended,
        back,
    })
}
