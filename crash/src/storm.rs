//! A thousand sagas through a thousand deaths, and every service failing under them.

use crate::aftermath::Aftermath;
use crate::binary::Role;
use crate::dice::Dice;
use crate::door::Door;
use crate::fleet::{Arm, Fleet};
use crate::ground::Ground;
use crate::operator::{self, Deeds};
use crate::oracle::{Unanswered, Verdict, adopt, judge};
use crate::pace::{FULL_RATE_MAX, Pace};
use crate::plan::{Course, Plan};
use crate::services::Services;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

/// How long it lasts, and how hard it is.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Sagas that are sent into it.
    pub sagas: usize,
    /// Deaths it takes at least.
    pub deaths: usize,
    /// Over which time they are spread.
    pub lasts: Duration,
    /// For chance.
    pub seed: u64,
}

/// Where a process may die by itself, with its chance at each passing.
const POINTS: [&str; 15] = [
    "start.committing=25%return",
    "api.committed=25%return",
    "start.published=25%return",
    "ticket.due=8%return",
    "ticket.leaving=8%return",
    "ticket.sent=8%return",
    "ticket.confirmed=25%return",
    "delivery.arrived=8%return",
    "delivery.taken=8%return",
    "step.claimed=15%return",
    "effect.answered=40%return",
    "effect.stored=40%return",
    "step.answered=15%return",
    "settle.committing=15%return",
    "step.settled=15%return",
];
/// Time in which every saga ends, once the faults stop.
const RECOVERY_MAX: Duration = Duration::from_secs(30);
/// Sagas that are under way at once.
const UNDER_WAY_MAX: usize = 120;
/// One in so many is sent without an idempotency key.
const BARE: usize = 4;
/// Sagas of one measurement of speed.
const SAMPLE: usize = 60;

struct Storm {
    ground: Ground,
    fleet: Fleet,
    door: Arc<Door>,
    operator: Arc<Deeds>,
    accepted: Mutex<BTreeMap<Uuid, Plan>>,
    unanswered: Mutex<Unanswered>,
    refused: Mutex<Vec<String>>,
    raging: AtomicBool,
    told: Mutex<BTreeMap<&'static str, usize>>,
}

const FLEET: [Role; 8] = [
    Role::Api,
    Role::Api,
    Role::Synthesis,
    Role::Synthesis,
    Role::Synthesis,
    Role::Synthesis,
    Role::Image,
    Role::Image,
];

/// Goes through a storm: a fleet on these services, or one embedded process without any.
pub async fn storm(services: Option<&Services>, weather: &Weather) -> anyhow::Result<Aftermath> {
    let storm = Storm::gather(services, weather).await?;
    let mut hands = JoinSet::new();
    let (door, provider) = (Arc::clone(&storm.door), Arc::clone(&storm.ground.provider));
    hands.spawn(operator::run(door, provider, Arc::clone(&storm.operator)));
    storm.rate("warm").await?;
    let mut pace = Pace::before(storm.rates("before").await?);
    let began = Instant::now();
    storm.rage(services, weather).await;
    let (raged, deaths) = (began.elapsed(), storm.fleet.tally.deaths());
    storm.calm().await;
    let calm = Instant::now();
    storm.adopt().await?;
    let ids: Vec<Uuid> = storm.accepted().into_keys().collect();
    let backlog = storm.ground.unfinished(&ids).await.len();
    let recovering = async {
        storm
            .ground
            .all_end(&ids, RECOVERY_MAX)
            .await
            .then(|| calm.elapsed())
    };
    let (recovered, paced) = tokio::join!(recovering, storm.pace_again(&mut pace));
    paced?;
    let verdict = storm.judge().await?;
    hands.shutdown().await;
    let aftermath = Aftermath {
        verdict,
        sagas: ids.len(),
        deaths,
        pace,
        raged,
        backlog,
        recovered,
        repeated: storm.door.repeated.load(Ordering::Relaxed),
        services: locked(&storm.told).clone(),
        tally: Arc::clone(&storm.fleet.tally),
        operator: Arc::clone(&storm.operator),
        seed: weather.seed,
    };
    storm.fleet.end().await;
    Ok(aftermath)
}

/// Half of the processes carry a place to die.
fn by_chance(seed: u64) -> Arm {
    let dice = Mutex::new(Dice::new(seed ^ 0xa11ce));
    Arc::new(move |_, _| {
        let mut dice = locked(&dice);
        dice.percent(50).then(|| (*dice.pick(&POINTS)).to_owned())
    })
}

impl Storm {
    /// A healthy fleet, before the storm.
    async fn gather(services: Option<&Services>, weather: &Weather) -> anyhow::Result<Self> {
        let (ground, roles) = match services {
            Some(services) => (Ground::on(services).await?, &FLEET[..]),
            None => (Ground::embedded().await?, &[Role::Whole][..]),
        };
        let mut fleet = ground.fleet(by_chance(weather.seed));
        fleet.armed.store(false, Ordering::Relaxed);
        for role in roles {
            fleet.add(*role);
        }
        let door = Arc::new(Door::new(fleet.ports(), ground.token.clone()));
        Ok(Self {
            ground,
            fleet,
            door,
            operator: Arc::default(),
            accepted: Mutex::default(),
            unanswered: Mutex::default(),
            refused: Mutex::default(),
            raging: AtomicBool::new(true),
            told: Mutex::default(),
        })
    }

    /// Everything at once.
    async fn rage(&self, services: Option<&Services>, weather: &Weather) {
        self.fleet.armed.store(true, Ordering::Relaxed);
        let broken = self.break_services(services, weather);
        tokio::join!(
            self.send(weather),
            self.kill(weather),
            self.pause(weather),
            broken
        );
    }

    /// The faults stop: processes with a place to die make room for healthy ones.
    async fn calm(&self) {
        self.fleet.armed.store(false, Ordering::Relaxed);
        for member in 0..self.fleet.members.len() {
            self.fleet.wake(member).await;
            self.fleet.kill(member).await;
        }
    }

    async fn judge(&self) -> anyhow::Result<Verdict> {
        self.adopt().await?; // a statement may outlive the process that sent it
        let slept = locked(&self.fleet.tally.slept).clone();
        let mut verdict = judge(&self.ground, &self.accepted(), &slept).await?;
        verdict.lost.append(&mut locked(&self.refused));
        Ok(verdict)
    }

    fn accepted(&self) -> BTreeMap<Uuid, Plan> {
        locked(&self.accepted).clone()
    }

    fn tell(&self, what: &'static str) {
        *locked(&self.told).entry(what).or_default() += 1;
    }

    async fn submit(&self, key: String, plan: Plan) -> Option<Uuid> {
        let done = self.door.submit(&key, &plan).await;
        self.note(&key, plan, done)
    }

    async fn submit_bare(&self, name: String, plan: Plan) -> Option<Uuid> {
        let done = self.door.submit_bare(&name, &plan).await;
        let done = done.map(|(id, tries)| {
            let left = (plan.clone(), tries);
            locked(&self.unanswered).insert(name.clone(), left);
            id
        });
        self.note(&name, plan, done)
    }

    fn note(&self, name: &str, plan: Plan, done: anyhow::Result<Uuid>) -> Option<Uuid> {
        match done {
            Ok(id) => {
                locked(&self.accepted).insert(id, plan);
                Some(id)
            }
            Err(error) => {
                locked(&self.refused).push(format!("{name}: {error:#}"));
                None
            }
        }
    }

    /// Takes in what tries without a key have left that nobody answered.
    async fn adopt(&self) -> anyhow::Result<()> {
        let (mut plans, unanswered) = (self.accepted(), locked(&self.unanswered).clone());
        adopt(&self.ground, &mut plans, unanswered).await?;
        *locked(&self.accepted) = plans;
        Ok(())
    }

    /// Steps a second while so many sagas, sent all at once, come to their ends.
    async fn rate(&self, name: &str) -> anyhow::Result<f64> {
        let sent = (0..SAMPLE).map(|n| self.submit(format!("{name}-{n}"), Plan::succeed(5)));
        let sent = futures_util::future::join_all(sent).await;
        let ids: Vec<Uuid> = sent.into_iter().flatten().collect();
        self.ground.all_end(&ids, Duration::from_mins(1)).await;
        self.ground.rate(&ids).await
    }

    async fn rates(&self, name: &str) -> anyhow::Result<Vec<f64>> {
        let mut rates = vec![];
        for n in 0..3 {
            rates.push(self.rate(&format!("{name}-{n}")).await?);
        }
        Ok(rates)
    }

    /// Samples, one after the other, until one is as fast as before.
    async fn pace_again(&self, pace: &mut Pace) -> anyhow::Result<()> {
        let calm = Instant::now();
        for n in 0.. {
            let began = calm.elapsed();
            if pace.full_again().is_some() {
                return Ok(());
            } else if began > FULL_RATE_MAX {
                break;
            }
            pace.add(began, self.rate(&format!("after-{n}")).await?);
        }
        let ids: Vec<Uuid> = self.accepted().into_keys().collect();
        self.ground.all_end(&ids, RECOVERY_MAX).await;
        pace.settle(self.rates("settled").await?);
        Ok(())
    }

    /// Sends every saga on its way, evenly over the storm; cancels some.
    async fn send(&self, weather: &Weather) {
        let mut dice = Dice::new(weather.seed);
        let pause = weather.lasts / u32::try_from(weather.sagas.max(1)).unwrap_or(1);
        let mut tick = tokio::time::interval(pause);
        let mut under_way = FuturesUnordered::new();
        for n in 0..weather.sagas {
            let plan = Plan::by_chance(&mut dice, 80);
            let patience = Duration::from_millis(dice.below(2_500) as u64);
            under_way.push(async move {
                let (name, cancels) = (format!("storm-{n}"), plan.course == Course::Cancel);
                let accepted = if n % BARE == 0 {
                    self.submit_bare(name, plan).await
                } else {
                    self.submit(name, plan).await
                };
                if let (Some(id), true) = (accepted, cancels) {
                    tokio::time::sleep(patience).await;
                    drop(self.door.cancel(id).await);
                }
            });
            let next = async {
                tick.tick().await;
                if n % 20 == 0 {
                    self.keep_up().await;
                }
            };
            drive(&mut under_way, next).await;
        }
        while under_way.next().await.is_some() {}
        self.raging.store(false, Ordering::Relaxed);
    }

    /// On a machine that is busy with other things the storm lasts longer, and is not harder.
    async fn keep_up(&self) {
        let ids: Vec<Uuid> = self.accepted().into_keys().collect();
        while self.ground.unfinished(&ids).await.len() > UNDER_WAY_MAX {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Kills by chance, as fast as sagas are sent, until there were enough deaths.
    async fn kill(&self, weather: &Weather) {
        let mut dice = Dice::new(weather.seed ^ 0xdead);
        loop {
            let (deaths, raging) = (
                self.fleet.tally.deaths(),
                self.raging.load(Ordering::Relaxed),
            );
            if deaths >= weather.deaths && !raging {
                return;
            }
            if deaths < weather.deaths
                && (!raging || deaths * weather.sagas < self.sent(weather) * weather.deaths)
            {
                self.fleet.kill(dice.below(self.fleet.members.len())).await;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// How many sagas are on their way or through.
    fn sent(&self, weather: &Weather) -> usize {
        self.accepted()
            .len()
            .saturating_sub(4 * SAMPLE)
            .min(weather.sagas)
    }

    /// Pauses a worker past its leases, over and over.
    async fn pause(&self, weather: &Weather) {
        let mut dice = Dice::new(weather.seed ^ 0x5709);
        while self.raging.load(Ordering::Relaxed) && self.fleet.members.len() > 2 {
            let member = 2 + dice.below(self.fleet.members.len() - 2);
            self.fleet.pause(member).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            self.fleet.wake(member).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Broker killed, queue deleted, database restarted, in turn; the last fifth belongs to processes.
    async fn break_services(&self, services: Option<&Services>, weather: &Weather) {
        let Some(services) = services else { return };
        for turn in 0.. {
            tokio::time::sleep(Duration::from_secs(8)).await;
            if self.sent(weather) * 5 > weather.sagas * 4 {
                return;
            }
            let (what, done) = match turn % 3 {
                0 => ("queue deleted", self.ground.delete_queue(turn).await),
                1 => ("broker killed", services.broker_dies().await),
                _ => ("database restarted", services.postgres_restarts().await),
            };
            match done {
                Ok(()) => self.tell(what),
                Err(error) => eprintln!("crash: {what}: {error:#}"),
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets what is under way go on until it is time for the next.
async fn drive<F: Future<Output = ()>>(
    under_way: &mut FuturesUnordered<F>,
    next: impl Future<Output = ()>,
) {
    let mut next = std::pin::pin!(next);
    loop {
        tokio::select! {
            () = &mut next => return,
            Some(()) = under_way.next() => {}
        }
    }
}
