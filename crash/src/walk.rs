//! Every named place to die, at every step, on the way there and on the way back: in a fleet, and in the
//! one process that is everything.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::Arm;
use crate::ground::Ground;
use crate::operator::{self, Deeds};
use crate::oracle::{Unanswered, Verdict, adopt, judge};
use crate::plan::{Course, DEEDS, Plan, Trip};
use crate::services::Services;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Places that know which step they are at.
const AT_STEPS: [&str; 7] = [
    "ticket.due",
    "ticket.leaving",
    "ticket.confirmed",
    "step.claimed",
    "step.answered",
    "settle.committing",
    "step.settled",
];
/// Places while a step is in a worker's hands.
const AT_WORK: [&str; 4] = [
    "step.claimed",
    "step.answered",
    "settle.committing",
    "step.settled",
];
/// Steps that a worker of the fleet takes from a ticket and does without a lease: one that begins a trip, one that
/// ends it, and undos that follow another queue's. The first delivery dies so, the second is claimed.
const UNLEASED: [&str; 4] = [
    "drill.deed#1",
    "drill.deed#3",
    "drill.undo#3",
    "drill.undo#2",
];
/// Such as only a broker has.
const AT_STEPS_OF_A_BROKER: [&str; 2] = ["ticket.sent", "delivery.taken"];
/// Places around a paid call, of which the trip has one.
const AT_CALLS: [&str; 3] = ["effect.dispatched", "effect.answered", "effect.stored"];
/// Places where a whole batch passes, for a command with an idempotency key.
const WITH_A_KEY: [&str; 3] = ["start.committing", "api.committed", "start.published"];
/// Such as only a broker has.
const OF_A_BROKER: [&str; 1] = ["delivery.arrived"];
/// Places that a command without an idempotency key passes: on PostgreSQL one statement makes its saga.
const WITHOUT_A_KEY: [&str; 4] = [
    "start.committing",
    "start.committed",
    "start.published",
    "api.committed",
];
/// Of these, the one where nothing is committed yet.
const NOT_BEGUN: &str = "start.committing";
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
    /// Whether its commands carry an idempotency key.
    pub keyed: bool,
    /// Whether every first attempt fails, so that each step gets a ticket of its own. No such attempt
    /// succeeds without a lease.
    pub flaky: bool,
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

impl Walked {
    /// What is wrong, if anything is.
    pub fn wrong(&self) -> Option<String> {
        let (name, missed) = (self.stage.name, &self.missed);
        let well = missed.is_empty() && self.verdict.is_clean();
        (!well).then(|| format!("{name}: missed {missed:?}\n{}", self.verdict))
    }
}

impl fmt::Display for Walked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, places) = (self.stage.name, self.stage.places.len());
        let Self { deaths, missed, .. } = self;
        let held = if self.verdict.is_clean() {
            "clean".to_owned()
        } else {
            self.verdict.broken()
        };
        write!(
            f,
            "  {name:<18} {places:>2} places, {deaths:>2} deaths, missed {missed:?}; {held}"
        )
    }
}

/// The whole walk, with a broker or without.
pub fn stages(broker: bool) -> Vec<Stage> {
    let of_a_broker =
        |points: &'static [&'static str]| points.iter().copied().filter(move |_| broker);
    let at_step = |name: &'static str| Stage {
        name,
        places: STEPS.map(|step| format!("{name}@{step}")).to_vec(),
        keyed: true,
        flaky: true,
    };
    let points = AT_STEPS
        .into_iter()
        .chain(of_a_broker(&AT_STEPS_OF_A_BROKER));
    let mut stages: Vec<Stage> = points.map(at_step).collect();
    let unleased = |step| AT_WORK.map(|point| format!("{point}@{step}"));
    stages.extend(broker.then(|| Stage {
        name: "without a lease",
        places: UNLEASED.into_iter().flat_map(unleased).collect(),
        keyed: true,
        flaky: false,
    }));
    let call = |point| format!("{point}@drill.pay#1");
    let batches = WITH_A_KEY.into_iter().chain(of_a_broker(&OF_A_BROKER));
    stages.extend([
        Stage {
            name: "paid call",
            places: AT_CALLS.map(call).to_vec(),
            keyed: true,
            flaky: true,
        },
        Stage {
            name: "batches",
            places: batches.map(str::to_owned).collect(),
            keyed: true,
            flaky: true,
        },
        Stage {
            name: "without a key",
            places: WITHOUT_A_KEY.map(str::to_owned).to_vec(),
            keyed: false,
            flaky: true,
        },
    ]);
    stages
}

/// Walks one stage, in a fleet on these services, or in one process without any.
pub async fn walk(services: Option<&Services>, stage: Stage) -> anyhow::Result<Walked> {
    let (ground, roles) = match services {
        Some(services) => (
            Ground::on(services).await?,
            &[Role::Api, Role::Synthesis, Role::Image][..],
        ),
        None => (Ground::embedded().await?, &[Role::Whole][..]),
    };
    let ground = ground
        .with("LEASE_SECONDS", "0.6")
        .with("SWEEP_SECONDS", "0.1");
    let deaths = ground.dir.join("deaths");
    let ground = ground.with("CHORUS_DEATHS", deaths.display().to_string());
    let mut fleet = ground.fleet(what_is_left(stage.places.clone(), deaths.clone()));
    for role in roles {
        fleet.add(*role);
    }
    let door = Arc::new(Door::new(fleet.ports(), ground.token.clone()));
    let mut sent = Sent::default();
    let flaky = stage.flaky;
    for (name, plan) in [("there", there(flaky)), ("back", there_and_back(flaky))] {
        sent.send(&door, name, plan, stage.keyed).await?;
    }
    // Only now: a decision passes some of the same places.
    let mut hands = JoinSet::new();
    hands.spawn(operator::run(
        Arc::clone(&door),
        Arc::clone(&ground.provider),
        Arc::<Deeds>::default(),
    ));
    let strays = sent.strays(&ground, &died_at(&deaths)).await?;
    let ids: Vec<_> = sent.plans.keys().copied().collect();
    ground.all_end(&ids, END_MAX).await;
    let mut verdict = judge(&ground, &sent.plans, &BTreeSet::new()).await?;
    verdict.lost.extend(strays);
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

/// What clients have sent.
#[derive(Default)]
struct Sent {
    plans: BTreeMap<Uuid, Plan>,
    unanswered: Unanswered,
}

impl Sent {
    async fn send(
        &mut self,
        door: &Door,
        name: &str,
        plan: Plan,
        keyed: bool,
    ) -> anyhow::Result<()> {
        let id = if keyed {
            door.submit(name, &plan).await?
        } else {
            let (id, unanswered) = door.submit_bare(name, &plan).await?;
            let tries = (plan.clone(), unanswered);
            self.unanswered.insert(name.to_owned(), tries);
            id
        };
        self.plans.insert(id, plan);
        Ok(())
    }

    /// Takes in the sagas of tries that nobody answered. A death after the commit left one, a death before
    /// it none; of a try that was merely given up nobody can tell.
    async fn strays(
        &mut self,
        ground: &Ground,
        died: &BTreeSet<String>,
    ) -> anyhow::Result<Option<String>> {
        if self.unanswered.is_empty() {
            return Ok(None);
        }
        let tries: usize = self.unanswered.values().map(|(_, tries)| tries).sum();
        let left = adopt(ground, &mut self.plans, self.unanswered.clone()).await?;
        let least = died.iter().filter(|place| *place != NOT_BEGUN).count();
        let most = least + tries.saturating_sub(died.len());
        let told = format!("{tries} unanswered tries left {left} sagas, not {least} to {most}");
        Ok((!(least..=most).contains(&left)).then_some(told))
    }
}

fn there(flaky: bool) -> Plan {
    let flaky = DEEDS.into_iter().filter(|_| flaky);
    let flaky = flaky.map(str::to_owned).collect();
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

fn there_and_back(flaky: bool) -> Plan {
    let flaky = DEEDS
        .iter()
        .filter(|_| flaky)
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
pub(crate) fn what_is_left(places: Vec<String>, deaths: PathBuf) -> Arm {
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

/// The places where processes have died so far.
pub(crate) fn died_at(deaths: &Path) -> BTreeSet<String> {
    std::fs::read_to_string(deaths)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}
