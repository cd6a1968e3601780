//! Steps that need more memory than there is: each ends its worker, whenever it is begun.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::{Course, Plan, Trip};
use crate::services::Services;
use crate::until;
use anyhow::ensure;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use uuid::Uuid;

/// More than a worker needs, and less than a hungry step takes.
const MEMORY_MAX: u64 = 6 << 30;
/// The deeds that are hungry: one that reaches no further than the store, and one that does.
const HUNGRY: [&str; 2] = ["a", "c"];
/// Sagas beside them.
const NEIGHBOURS: usize = 6;
/// How long any part may take.
const PART_MAX: Duration = Duration::from_secs(40);
const CRASHED: &str = "SELECT count(*) FROM steps t JOIN sagas s ON s.id = t.saga_id
     WHERE t.crashes > 0 AND s.request_id LIKE 'beside%'";

/// What came of it.
#[derive(Debug)]
pub struct Starved {
    /// The promises.
    pub verdict: Verdict,
    /// Workers that ended.
    pub deaths: usize,
    /// The class of each letter.
    pub letters: Vec<String>,
    /// Steps of other sagas that were counted as crashed.
    pub blamed: usize,
}

/// Sends hungry sagas among others, and gives them up when they have their letters.
pub async fn starve(services: &Services) -> anyhow::Result<Starved> {
    // One step at a time: whoever dies takes nothing else along.
    let ground = Ground::on(services).await?.with("WORKER_CONCURRENCY", "1");
    let mut fleet = ground.fleet(unarmed()).with_memory(MEMORY_MAX);
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let mut plans = BTreeMap::new();
    for deed in HUNGRY {
        let plan = Plan {
            course: Course::Discard,
            trip: Trip {
                hungry: vec![deed.to_owned()],
                ..Trip::default()
            },
        };
        plans.insert(door.submit(&format!("hungry {deed}"), &plan).await?, plan);
    }
    for n in 0..NEIGHBOURS {
        let plan = Plan::succeed(20);
        let (id, refused) = door.submit_bare(&format!("beside-{n}"), &plan).await?;
        ensure!(refused == 0, "a saga was refused");
        plans.insert(id, plan);
    }
    until(
        "every hungry step has its letter",
        PART_MAX,
        async || matches!(door.letters().await, Ok(letters) if letters.len() == HUNGRY.len()),
    )
    .await?;
    let deaths = fleet.tally.deaths();
    let mut letters = vec![];
    for letter in door.letters().await? {
        let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
        letters.push(text("class"));
        let status = door.decide(&text("id"), "discard").await?;
        ensure!(status.is_success(), "not discarded: {status}");
    }
    let ids: Vec<Uuid> = plans.keys().copied().collect();
    ensure!(ground.all_end(&ids, PART_MAX).await, "not every saga ended");
    let blamed = ground.count(CRASHED).await?;
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    fleet.end().await;
    Ok(Starved {
        verdict,
        deaths,
        letters,
        blamed,
    })
}
