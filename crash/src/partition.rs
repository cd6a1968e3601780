//! Workers cut off from the store and from the broker, in every way a network can do it, while others are not.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::proxy::{Line, Proxy, Way};
use crate::services::Services;
use anyhow::ensure;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Which line breaks how, in turn.
const FAULTS: [(&str, Line); 11] = [
    ("store", Line::Silent),
    ("store", Line::SilentOneWay(Way::There)),
    ("store", Line::SilentOneWay(Way::Back)),
    ("store", Line::Cut),
    ("store", Line::Lossy(30)),
    ("broker", Line::Silent),
    ("broker", Line::SilentOneWay(Way::There)),
    ("broker", Line::SilentOneWay(Way::Back)),
    ("broker", Line::Cut),
    ("broker", Line::HalfClosed),
    ("broker", Line::Slow(Duration::from_millis(100))),
];
/// How long each lasts: longer than a lease.
const LASTS: Duration = Duration::from_millis(1_700);
/// Sagas that are sent under each.
const SENT: usize = 4;
/// How soon those that were cut off work again, once the lines are open.
const BACK_WITHIN: Duration = Duration::from_secs(10);
/// How long the last saga may take.
const END_MAX: Duration = Duration::from_secs(30);

/// What came of it.
#[derive(Debug)]
pub struct Parted {
    /// The promises.
    pub verdict: Verdict,
    /// How long those that had been cut off took to do work alone.
    pub back: Duration,
    /// Calls that were paid for, and the steps that pay.
    pub paid: (usize, usize),
}

/// Cuts two workers off from either service, fault by fault; in the end they work alone.
pub async fn partition(services: &Services) -> anyhow::Result<Parted> {
    let ground = Ground::on(services).await?;
    let store = Proxy::before(ground.told("DATABASE_URL")?).await?;
    let broker = Proxy::before(ground.told("AMQP_URL")?).await?;
    let mut near = ground.fleet(unarmed());
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        near.add(role);
    }
    let urls = [
        ("DATABASE_URL", store.url.as_str()),
        ("AMQP_URL", broker.url.as_str()),
    ];
    let mut far = ground.fleet_told("far", &urls);
    for role in [Role::Synthesis, Role::Image] {
        far.add(role);
    }
    let door = Door::new(near.ports(), ground.token.clone());
    let mut plans = BTreeMap::new();
    send(&door, "before", &mut plans).await?;
    ensure!(
        ground.all_end(&ids(&plans), END_MAX).await,
        "not even before the first fault"
    );
    for (name, fault) in FAULTS {
        let line = if name == "store" { &store } else { &broker };
        line.set(fault);
        let over = async {
            tokio::time::sleep(LASTS).await;
            Ok(())
        };
        let sent = format!("{name} {fault:?}");
        tokio::try_join!(send(&door, &sent, &mut plans), over)?;
        line.set(Line::Open);
    }
    // The others go; whoever was cut off has to do everything.
    for worker in [1, 2] {
        near.retire(worker).await;
    }
    let (opened, mut last) = (Instant::now(), BTreeMap::new());
    send(&door, "after", &mut last).await?;
    ensure!(
        ground.all_end(&ids(&last), BACK_WITHIN).await,
        "those that were cut off do not work {BACK_WITHIN:?} after"
    );
    plans.append(&mut last);
    let back = opened.elapsed();
    ensure!(
        ground.all_end(&ids(&plans), END_MAX).await,
        "not every saga ended"
    );
    let parted = Parted {
        verdict: judge(&ground, &plans, &BTreeSet::new()).await?,
        back,
        paid: (ground.provider.calls().len(), plans.len()),
    };
    far.end().await;
    near.end().await;
    Ok(parted)
}

async fn send(door: &Door, name: &str, plans: &mut BTreeMap<Uuid, Plan>) -> anyhow::Result<()> {
    for n in 0..SENT {
        let plan = Plan::succeed(30);
        plans.insert(door.submit(&format!("{name} {n}"), &plan).await?, plan);
    }
    Ok(())
}

fn ids(plans: &BTreeMap<Uuid, Plan>) -> Vec<Uuid> {
    plans.keys().copied().collect()
}
