//! The services of a fleet go away, alone and together, and it comes back by itself.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::services::{Server, Services};
use crate::sight::{said, well};
use anyhow::ensure;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What goes away, in turn.
const TURNS: [&[Server]; 2] = [&[Server::Store], &[Server::Broker, Server::Store]];
/// Sagas that are under way each time, and sent to those who are back.
const SAGAS: usize = 3;
const WORK_MS: u64 = 200;
/// How soon all is as before once the last service answers, and once a queue is gone.
pub const BACK_WITHIN: Duration = Duration::from_secs(10);

/// What came of it.
#[derive(Debug)]
pub struct Returned {
    /// The promises.
    pub verdict: Verdict,
    /// What was away, how long the fleet took to say so, and how long all its sagas took once it was back.
    pub turns: Vec<(String, Duration, Duration)>,
    /// How long they took once each queue had been deleted.
    pub queues: Duration,
    /// Processes that ended.
    pub ended: usize,
}

/// Takes services away and gives them back, under a fleet at work; in the end it deletes the queues.
pub async fn go_away(services: &Services) -> anyhow::Result<Returned> {
    let ground = Ground::on(services).await?;
    let mut fleet = ground.fleet(unarmed());
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let (mut plans, mut turns) = (BTreeMap::new(), vec![]);
    well(&door).await?;
    for away in TURNS {
        let name = format!("{away:?}");
        send(&door, &format!("under {name}"), &mut plans).await?;
        for server in away {
            services.end(*server).await?;
        }
        let mut heard = Duration::ZERO;
        for server in away {
            let dependency = match server {
                Server::Store => "database",
                Server::Broker => "broker",
            };
            heard = heard.max(said(&ground, &door, dependency).await?);
        }
        for server in away {
            services.begin(*server).await?;
        }
        turns.push((name, heard, back(&ground, &door, &mut plans).await?));
    }
    send(&door, "in queues", &mut plans).await?;
    for queue in 0..2 {
        ground.delete_queue(queue).await?;
    }
    let queues = back(&ground, &door, &mut plans).await?;
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    let ended = fleet.tally.deaths() + fleet.tally.refused.load(Ordering::Relaxed);
    fleet.end().await;
    Ok(Returned {
        verdict,
        turns,
        queues,
        ended,
    })
}

/// How long it takes until everything is done, and somebody who comes now is served.
async fn back(
    ground: &Ground,
    door: &Door,
    plans: &mut BTreeMap<Uuid, Plan>,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    send(door, &format!("after {}", plans.len()), plans).await?;
    let ids: Vec<Uuid> = plans.keys().copied().collect();
    ensure!(
        ground.all_end(&ids, BACK_WITHIN).await,
        "not every saga ended {BACK_WITHIN:?} after"
    );
    let took = began.elapsed();
    well(door).await?;
    Ok(took)
}

async fn send(door: &Door, name: &str, plans: &mut BTreeMap<Uuid, Plan>) -> anyhow::Result<()> {
    for n in 0..SAGAS {
        let plan = Plan::succeed(WORK_MS);
        plans.insert(door.submit(&format!("{name} {n}"), &plan).await?, plan);
    }
    Ok(())
}
