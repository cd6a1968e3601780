//! Builds that are bad on purpose, and the scenario that notices each of them.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::{Arm, Fleet, unarmed};
use crate::ground::Ground;
use crate::operator::{self, Deeds};
use crate::oracle::judge;
use crate::plan::{Course, Plan, Trip};
use crate::rounds::one_round;
use crate::services::Services;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

/// What a scenario noticed; none: every promise was held.
type Noticed = anyhow::Result<Option<String>>;
type Scenario = for<'a> fn(&'a Services, &'a str) -> BoxFuture<'a, Noticed>;

/// A bad build.
#[derive(Clone, Copy)]
pub struct Seed {
    /// Its name in `CHORUS_SEEDED`.
    pub name: &'static str,
    /// What is left out.
    pub what: &'static str,
    /// What is done to it.
    pub scenario: Scenario,
}

/// The bad builds of RELIABILITY, each with what it takes to notice it. Where the sweeper makes good
/// what is lost, what is noticed is that it had to: the work stood still longer than it may.
pub const SEEDS: [Seed; 9] = [
    Seed {
        name: "no-fence",
        what: "a late worker's answer counts",
        scenario: |s, n| Box::pin(paused_workers(s, n)),
    },
    Seed {
        name: "mark-early",
        what: "a ticket is marked before it is published",
        scenario: |s, n| Box::pin(ticket_dies(s, n)),
    },
    Seed {
        name: "ack-early",
        what: "a ticket is acked before its step is settled",
        scenario: |s, n| Box::pin(delivery_dies(s, n)),
    },
    Seed {
        name: "no-sweeper",
        what: "nobody looks for what is due",
        scenario: |s, n| Box::pin(worker_dies(s, n)),
    },
    Seed {
        name: "same-turn",
        what: "a retry keeps its turn",
        scenario: |s, n| Box::pin(retry_ticket_dies(s, n)),
    },
    Seed {
        name: "replay-without-cas",
        what: "a letter can be replayed twice",
        scenario: |s, n| Box::pin(two_admins(s, n)),
    },
    Seed {
        name: "no-scan",
        what: "an embedded start looks at nothing",
        scenario: |s, n| Box::pin(embedded_restart(s, n)),
    },
    Seed {
        name: "undo-fanned-out",
        what: "undos run side by side",
        scenario: |s, n| Box::pin(many_undos(s, n)),
    },
    Seed {
        name: "publish-apart",
        what: "a topic is published before its opening post",
        scenario: |s, n| Box::pin(publisher_dies(s, n)),
    },
];

/// One fleet on its ground, with what was sent to it.
struct Trial {
    ground: Ground,
    fleet: Fleet,
    door: Arc<Door>,
    plans: BTreeMap<Uuid, Plan>,
    hands: JoinSet<()>,
}

impl Trial {
    /// A fleet with these members; only the first life of each is armed.
    fn new(ground: Ground, arm: Arm, roles: &[Role]) -> Self {
        let mut fleet = ground.fleet(arm);
        for role in roles {
            fleet.add(*role);
        }
        let door = Arc::new(Door::new(fleet.ports(), ground.token.clone()));
        Self {
            ground,
            fleet,
            door,
            plans: BTreeMap::new(),
            hands: JoinSet::new(),
        }
    }

    fn with_operator(mut self) -> Self {
        let (door, provider) = (Arc::clone(&self.door), Arc::clone(&self.ground.provider));
        self.hands
            .spawn(operator::run(door, provider, Arc::<Deeds>::default()));
        self
    }

    async fn send(&mut self, count: usize, plan: &Plan) -> anyhow::Result<Vec<Uuid>> {
        let mut ids = vec![];
        for _ in 0..count {
            let id = self
                .door
                .submit(&format!("trial-{}", self.plans.len()), plan)
                .await?;
            self.plans.insert(id, plan.clone());
            ids.push(id);
        }
        Ok(ids)
    }

    /// Waits until a process died at its place. A bad build may never get there, which shows in the end.
    async fn death(&self, seed: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.fleet.tally.at_points.load(Ordering::Relaxed) == 0 {
            if began.elapsed() > Duration::from_secs(15) {
                anyhow::ensure!(!seed.is_empty(), "nobody died at the place that was armed");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Waits until the broker has a ticket and the store knows it.
    async fn ticket_is_marked(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let marked = "SELECT count(*) FROM steps WHERE tickets > 0 AND state = 'ready'";
        while self.ground.db.query(marked).scalar::<i64>().await? == 0 {
            anyhow::ensure!(
                began.elapsed() < Duration::from_secs(20),
                "no ticket was ever marked"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Waits for the end, and judges.
    async fn close(mut self, within: Duration) -> Noticed {
        let ids: Vec<Uuid> = self.plans.keys().copied().collect();
        let in_time = self.ground.all_end(&ids, within).await;
        let slept = self
            .fleet
            .tally
            .slept
            .lock()
            .map(|slept| slept.clone())
            .unwrap_or_default();
        let verdict = judge(&self.ground, &self.plans, &slept).await?;
        self.hands.shutdown().await;
        self.fleet.end().await;
        Ok(match (in_time, verdict.is_clean()) {
            (true, true) => None,
            (false, _) => Some(format!("not at work again within {} s", within.as_secs())),
            (true, false) => Some(verdict.broken()),
        })
    }
}

async fn ground(services: &Services, seed: &str) -> anyhow::Result<Ground> {
    let ground = Ground::on(services).await?;
    Ok(ground
        .with("LEASE_SECONDS", "0.7")
        .with("SWEEP_SECONDS", "0.05")
        .with("CHORUS_SEEDED", seed))
}

/// The first life of a role dies at a place.
fn first_life(role: Role, place: &'static str) -> Arm {
    Arc::new(move |of, life| (of == role && life == 0).then(|| format!("{place}=1*return")))
}

async fn paused_workers(services: &Services, seed: &str) -> Noticed {
    let roles = [
        Role::Api,
        Role::Synthesis,
        Role::Synthesis,
        Role::Image,
        Role::Image,
    ];
    let mut trial = Trial::new(ground(services, seed).await?, unarmed(), &roles);
    let warm = trial.send(6, &Plan::succeed(10)).await?;
    trial.ground.all_end(&warm, Duration::from_secs(20)).await;
    for asleep in [1, 2, 3] {
        trial.send(6, &Plan::succeed(300)).await?;
        // In the middle of a step: of the first, or for the image worker of the third.
        tokio::time::sleep(Duration::from_millis(if asleep == 3 { 800 } else { 150 })).await;
        trial.fleet.pause(asleep).await;
        tokio::time::sleep(Duration::from_millis(2_200)).await;
        trial.fleet.wake(asleep).await;
    }
    trial.with_operator().close(Duration::from_secs(30)).await
}

async fn ticket_dies(services: &Services, seed: &str) -> Noticed {
    let mut trial = Trial::new(
        ground(services, seed).await?,
        first_life(Role::Api, "ticket.leaving"),
        &[Role::Api],
    );
    let sent = Plan::succeed(0);
    trial.send(1, &sent).await?;
    trial.death(seed).await?;
    trial.fleet.add(Role::Synthesis);
    trial.fleet.add(Role::Image);
    trial.close(Duration::from_secs(7)).await
}

async fn delivery_dies(services: &Services, seed: &str) -> Noticed {
    let arm = first_life(Role::Synthesis, "delivery.taken");
    let mut trial = Trial::new(
        ground(services, seed).await?,
        arm,
        &[Role::Api, Role::Image],
    );
    trial.send(1, &Plan::succeed(0)).await?;
    trial.ticket_is_marked().await?;
    trial.fleet.add(Role::Synthesis);
    trial.death(seed).await?;
    trial.close(Duration::from_secs(5)).await
}

/// An image worker, whose steps are always leased: what was done without a lease comes back with its ticket.
async fn worker_dies(services: &Services, seed: &str) -> Noticed {
    let arm = first_life(Role::Image, "step.claimed");
    let mut trial = Trial::new(
        ground(services, seed).await?,
        arm,
        &[Role::Api, Role::Synthesis, Role::Image],
    );
    trial.send(1, &Plan::succeed(0)).await?;
    trial.death(seed).await?;
    trial.close(Duration::from_secs(8)).await
}

async fn retry_ticket_dies(services: &Services, seed: &str) -> Noticed {
    let arm = first_life(Role::Synthesis, "ticket.leaving@drill.deed#1");
    let mut trial = Trial::new(
        ground(services, seed).await?,
        arm,
        &[Role::Api, Role::Synthesis],
    );
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut plan = Plan::succeed(0);
    plan.trip.flaky = vec!["a".to_owned()];
    trial.send(1, &plan).await?;
    trial.death(seed).await?;
    trial.fleet.add(Role::Image);
    trial.close(Duration::from_secs(7)).await
}

async fn two_admins(services: &Services, seed: &str) -> Noticed {
    let roles = [Role::Api, Role::Api, Role::Synthesis, Role::Image];
    let mut trial = Trial::new(ground(services, seed).await?, unarmed(), &roles);
    let trip = Trip {
        gated: vec!["f".to_owned()],
        pivot: true,
        ..Trip::default()
    };
    let ids = trial
        .send(
            4,
            &Plan {
                course: Course::Succeed,
                trip,
            },
        )
        .await?;
    let began = Instant::now();
    let letters = loop {
        let letters = trial.door.letters().await.unwrap_or_default();
        if letters.len() == ids.len() {
            break letters;
        }
        anyhow::ensure!(
            began.elapsed() < Duration::from_secs(20),
            "the gated sagas did not park"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for id in &ids {
        trial.ground.provider.open(*id, "f");
    }
    let mut granted = vec![];
    for letter in letters {
        let id = letter["id"].as_str().unwrap_or_default().to_owned();
        let (one, other) = tokio::join!(
            trial.door.decide(&id, "replay"),
            trial.door.decide(&id, "replay")
        );
        trial
            .ground
            .all_end(&ids[..1], Duration::from_secs(5))
            .await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        // A third, whose page is an hour old.
        let third = trial.door.decide(&id, "replay").await;
        granted.push(
            [one, other, third]
                .into_iter()
                .flatten()
                .filter(reqwest::StatusCode::is_success)
                .count(),
        );
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let noticed = trial.close(Duration::from_secs(10)).await?;
    let twice = granted.iter().filter(|granted| **granted > 1).count();
    Ok(noticed.or_else(|| (twice > 0).then(|| format!("{twice} letters replayed more than once"))))
}

async fn embedded_restart(_: &Services, seed: &str) -> Noticed {
    let ground = Ground::embedded()
        .await?
        .with("LEASE_SECONDS", "25")
        .with("CHORUS_SEEDED", seed);
    let mut trial = Trial::new(ground, unarmed(), &[Role::Whole]);
    trial.send(6, &Plan::succeed(250)).await?;
    tokio::time::sleep(Duration::from_millis(400)).await;
    trial.fleet.kill(0).await;
    trial.close(Duration::from_secs(9)).await
}

async fn many_undos(services: &Services, seed: &str) -> Noticed {
    let roles = [Role::Api, Role::Synthesis, Role::Image, Role::Synthesis];
    let trial = Trial::new(ground(services, seed).await?, unarmed(), &roles);
    let mut trial = trial.with_operator();
    let trip = Trip {
        fail: vec!["f".to_owned()],
        flaky: vec!["undo f".to_owned(), "undo d".to_owned()],
        work_ms: 10,
        ..Trip::default()
    };
    trial
        .send(
            6,
            &Plan {
                course: Course::Discard,
                trip,
            },
        )
        .await?;
    trial.close(Duration::from_secs(15)).await
}

async fn publisher_dies(services: &Services, seed: &str) -> Noticed {
    let arm = first_life(Role::Synthesis, "step.answered@topic.publish#1");
    one_round(ground(services, seed).await?, arm).await
}
