//! PostgreSQL dies for good and a standby takes its place: with the last transactions, or without.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::{Course, Plan, Trip};
use crate::proxy::{Line, Proxy};
use crate::services::Services;
use crate::until;
use anyhow::ensure;
use saga_core::db::{Db, Location};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Sagas of which the standby knows the beginning, and of these such as are cancelled later.
const KNOWN: usize = 6;
const CANCELLED: usize = 2;
/// Sagas that are sent last of all.
const LAST: usize = 4;
/// How long each step takes.
const WORK_MS: u64 = 250;
const PART_MAX: Duration = Duration::from_secs(20);
const DONE: &str = "SELECT count(*) FROM steps WHERE state = 'done'";

/// What came of it.
#[derive(Debug)]
pub struct FailedOver {
    /// The promises, of what the standby knows.
    pub verdict: Verdict,
    /// Sagas that were accepted, and that the standby does not know.
    pub forgotten: usize,
    /// Steps that were done, and that the standby does not know to be.
    pub rolled_back: usize,
    /// How long everything took after the standby was there.
    pub back: Duration,
}

/// Fails over in the middle of the work. Not `synchronous`: nothing of the last moments reaches the standby.
pub async fn fail_over(services: &Services, synchronous: bool) -> anyhow::Result<FailedOver> {
    let (database, amqp) = services.fresh().await?;
    let (store, stream) = (
        Proxy::before(&database).await?,
        Proxy::before(&database).await?,
    );
    let ground = Ground::at((store.url.clone(), amqp)).await?;
    services.standby(stream.port()?).await?;
    services.commits_wait_for_standby(true).await?;
    let mut fleet = ground.fleet(unarmed());
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let mut known = BTreeMap::new();
    for n in 0..KNOWN {
        let course = [Course::Succeed, Course::Cancel][usize::from(n < CANCELLED)];
        let plan = sent(course);
        known.insert(door.submit(&format!("known {n}"), &plan).await?, plan);
    }
    done(&ground, KNOWN).await?;
    if !synchronous {
        services.commits_wait_for_standby(false).await?;
        stream.set(Line::Silent);
    }
    let before = ground.count(DONE).await?;
    let cancelled = (known.iter()).filter(|(_, plan)| plan.course == Course::Cancel);
    for (id, _) in cancelled {
        door.cancel(*id).await?;
    }
    let (name, mut last) = (|n: usize| format!("last {n}"), BTreeSet::<Uuid>::new());
    for n in 0..LAST {
        last.insert(door.submit(&name(n), &sent(Course::Succeed)).await?);
    }
    done(&ground, before + LAST).await?;
    let was_done = ground.count(DONE).await?;
    services.fail_over().await?;
    drop(stream);
    let standby = services.at_standby(&database)?;
    let rolled_back = was_done.saturating_sub(done_at(&standby).await?);
    let over = Instant::now();
    store.lead_to(&standby)?;
    // Whoever was answered and finds nothing asks again, under the same key.
    let mut plans = known;
    for n in 0..LAST {
        let plan = sent(Course::Succeed);
        plans.insert(door.submit(&name(n), &plan).await?, plan);
    }
    let ids: Vec<Uuid> = plans.keys().copied().collect();
    ensure!(ground.all_end(&ids, PART_MAX).await, "not every saga ended");
    let forgotten = last.iter().filter(|id| !plans.contains_key(id)).count();
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    fleet.end().await;
    Ok(FailedOver {
        verdict,
        forgotten,
        rolled_back,
        back: over.elapsed(),
    })
}

/// How many steps are done as far as another server knows.
async fn done_at(url: &str) -> anyhow::Result<usize> {
    let url = url.to_owned();
    let connections_max = 1;
    let db = Db::open(&Location::Postgres {
        url,
        connections_max,
    })
    .await?;
    let done = db.query(DONE).scalar::<i64>().await?;
    db.close().await;
    Ok(usize::try_from(done)?)
}

/// Nothing here has a point of no return, so that it can be taken back to the end.
fn sent(course: Course) -> Plan {
    let trip = Trip {
        work_ms: WORK_MS,
        ..Trip::default()
    };
    Plan { course, trip }
}

async fn done(ground: &Ground, steps: usize) -> anyhow::Result<()> {
    until("steps are done", PART_MAX, async || {
        ground.count(DONE).await.is_ok_and(|done| done >= steps)
    })
    .await
}
