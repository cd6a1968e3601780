//! Every named place to die, at every step, on the way there and on the way back.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::Arm;
use crate::ground::Ground;
use crate::operator::{self, Deeds};
use crate::oracle::{Verdict, judge};
use crate::plan::{Course, DEEDS, Plan, Trip};
use crate::services::Services;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Places that know which step they are at.
const AT_STEPS: [&str; 9] = [
    "ticket.due",
    "ticket.leaving",
    "ticket.sent",
    "ticket.confirmed",
    "delivery.taken",
    "step.claimed",
    "step.answered",
    "settle.committing",
    "step.settled",
];
/// Places around a paid call, of which the trip has one.
const AT_CALLS: [&str; 3] = ["effect.dispatched", "effect.answered", "effect.stored"];
/// Places where a whole batch passes.
const ANYWHERE: [&str; 4] = [
    "start.committing",
    "api.committed",
    "start.published",
    "delivery.arrived",
];
/// Every step of the trip, there and back.
const STEPS: [&str; 12] = [
    "drill.deed#1",
    "drill.pay#1",
    "drill.paint#1",
    "drill.deed#2",
    "drill.paint#2",
    "drill.deed#3",
    "drill.undo#1",
    "drill.undo#2",
    "drill.unpaint#1",
    "drill.undo#3",
    "drill.unpaint#2",
    "drill.undo#4",
];
const END_MAX: Duration = Duration::from_secs(75);

/// A stage of the walk: one fleet dies once at each of these places.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The point, or what the points have in common.
    pub name: &'static str,
    /// `point@step`, or `point`.
    pub places: Vec<String>,
}

/// What a stage came to.
pub struct Walked {
    /// The stage.
    pub stage: Stage,
    /// Places where nobody died.
    pub missed: Vec<String>,
    /// Deaths at named places.
    pub deaths: usize,
    /// The promises.
    pub verdict: Verdict,
}

/// The whole walk.
pub fn stages() -> Vec<Stage> {
    let at_step = |name: &'static str| Stage {
        name,
        places: STEPS.map(|step| format!("{name}@{step}")).to_vec(),
    };
    let mut stages: Vec<Stage> = AT_STEPS.into_iter().map(at_step).collect();
    stages.push(Stage {
        name: "paid call",
        places: AT_CALLS
            .map(|point| format!("{point}@drill.pay#1"))
            .to_vec(),
    });
    stages.push(Stage {
        name: "batches",
        places: ANYWHERE.map(str::to_owned).to_vec(),
    });
    stages
}

/// Walks one stage.
pub async fn walk(services: &Services, stage: Stage) -> anyhow::Result<Walked> {
    let ground = Ground::on(services)
        .await?
        .with("LEASE_SECONDS", "0.6")
        .with("SWEEP_SECONDS", "0.1");
    let deaths = ground.dir.join("deaths");
    let ground = ground.with("CHORUS_DEATHS", deaths.display().to_string());
    let mut fleet = ground.fleet(what_is_left(stage.places.clone(), deaths.clone()));
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role)?;
    }
    let door = Arc::new(Door::new(fleet.ports(), ground.token.clone()));
    let mut hands = JoinSet::new();
    hands.spawn(operator::run(
        Arc::clone(&door),
        Arc::clone(&ground.provider),
        Arc::<Deeds>::default(),
    ));
    let mut plans = BTreeMap::new();
    for (name, plan) in [("there", there()), ("back", there_and_back())] {
        plans.insert(door.submit(name, &plan).await?, plan);
    }
    let ids: Vec<_> = plans.keys().copied().collect();
    ground.all_end(&ids, END_MAX).await;
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    let died = died_at(&deaths);
    let missed = stage
        .places
        .iter()
        .filter(|place| !died.contains(*place))
        .cloned()
        .collect();
    hands.shutdown().await;
    fleet.end().await;
    Ok(Walked {
        missed,
        deaths: std::fs::read_to_string(&deaths)
            .unwrap_or_default()
            .lines()
            .count(),
        verdict,
        stage,
    })
}

/// Every first attempt fails, so that every step gets a ticket of its own at least once.
fn there() -> Plan {
    let flaky = DEEDS.map(str::to_owned).to_vec();
    Plan {
        course: Course::Succeed,
        trip: Trip {
            flaky,
            pivot: true,
            work_ms: 5,
            ..Trip::default()
        },
    }
}

fn there_and_back() -> Plan {
    let flaky = DEEDS
        .iter()
        .flat_map(|deed| [(*deed).to_owned(), format!("undo {deed}")])
        .collect();
    let trip = Trip {
        flaky,
        fail: vec!["f".to_owned()],
        work_ms: 5,
        ..Trip::default()
    };
    Plan {
        course: Course::Discard,
        trip,
    }
}

/// Each process is to die at every place where nobody has died yet.
fn what_is_left(places: Vec<String>, deaths: PathBuf) -> Arm {
    Arc::new(move |_, _| {
        let died = died_at(&deaths);
        let left = places.iter().filter(|place| !died.contains(*place));
        Some(
            left.map(|place| format!("{place}=1*return"))
                .collect::<Vec<_>>()
                .join(";"),
        )
    })
}

fn died_at(deaths: &Path) -> BTreeSet<String> {
    std::fs::read_to_string(deaths)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}
