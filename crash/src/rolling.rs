//! A deploy under load: every process is asked to end, waited for and started again, round after round,
//! while sagas keep coming. Nobody may notice.

use crate::binary::Role;
use crate::dice::Dice;
use crate::door::Door;
use crate::fleet::{Fleet, Member, unarmed};
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::services::Services;
use crate::until;
use anyhow::Context as _;
use axum::http::StatusCode;
use reqwest::Method;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

/// What steps under way are given to finish. The slowest take longer.
const DRAIN: Duration = Duration::from_secs(2);
/// What a process may take beyond that: to hand steps back, publish its tickets and say goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(5);
/// How long a successor may take until it works.
const START_MAX: Duration = Duration::from_secs(30);
/// How long the last sagas may take once nobody is restarted any more.
const END_MAX: Duration = Duration::from_mins(1);
/// Between two sagas, were there no worker; each of them shortens it.
const PAUSE: Duration = Duration::from_millis(500);

/// So many times as many rounds at the most, until a worker has left a step to another.
const MORE: usize = 5;

const FLEET: [Role; 7] = [
    Role::Api,
    Role::Synthesis,
    Role::Image,
    Role::Synthesis,
    Role::Api,
    Role::Image,
    Role::Synthesis,
];

/// Steps whose attempts, or whose workers' deaths, were counted though nothing went wrong with them.
const COUNTED: &str = "SELECT saga_id, key, attempt, crashes, epoch FROM steps WHERE role = 'work' AND (attempt <> 1 OR crashes <> 0)";
/// Steps that were claimed more than once: a worker that left gave them back.
const HANDED_BACK: &str = "SELECT count(*) FROM steps WHERE epoch > 1";
/// Calls that were written down more than once, though one worker had the step all the time.
const PAID_TWICE: &str =
    "SELECT count(*) FROM effects e JOIN steps t ON t.saga_id = e.saga_id AND t.key = e.step_key
      WHERE e.calls > 1 AND t.epoch = 1";

/// What came of it.
pub struct Rolled {
    /// The promises.
    pub verdict: Verdict,
    /// Processes that ended otherwise than they should.
    pub bad_exits: Vec<String>,
    /// Attempts and crashes that were counted.
    pub counted: Vec<String>,
    /// Letters that were written.
    pub letters: usize,
    /// Calls that were made twice, without a worker having given the step back between them.
    pub paid_twice: usize,
    /// Requests that were answered with an error of the server.
    pub refused: usize,
    /// Steps that were under way longer than their worker could wait.
    pub handed_back: usize,
    /// Processes that were restarted.
    pub restarts: usize,
    /// What the slowest took to end.
    pub slowest: Duration,
}

impl Rolled {
    /// All that is wrong, one a line.
    pub fn wrong(&self) -> Vec<String> {
        let all = BTreeMap::from([("succeeded".to_owned(), self.verdict.sagas)]);
        let ended = &self.verdict.ended;
        let told = [
            (!self.verdict.is_clean()).then(|| self.verdict.to_string()),
            (*ended != all).then(|| format!("not all succeeded: {ended:?}")),
            (self.letters > 0).then(|| format!("{} letters", self.letters)),
            (self.paid_twice > 0).then(|| format!("{} paid for twice", self.paid_twice)),
            (self.refused > 0).then(|| format!("{} errors at clients", self.refused)),
        ];
        let lists = self.bad_exits.iter().chain(&self.counted).cloned();
        told.into_iter().flatten().chain(lists).collect()
    }
}

impl fmt::Display for Rolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "rolling restart: {} restarts, the slowest process took {:.1} s to end; {} steps were handed back",
            self.restarts,
            self.slowest.as_secs_f64(),
            self.handed_back
        )?;
        write!(f, "{}", self.verdict)
    }
}

/// Restarts every process of a fleet on these services so many times, one after the other, under load; or
/// the one embedded process, without any.
pub async fn rolling(services: Option<&Services>, rounds: usize) -> anyhow::Result<Rolled> {
    let (ground, roles) = match services {
        Some(services) => (Ground::on(services).await?, &FLEET[..]),
        None => (Ground::embedded().await?, &[Role::Whole][..]),
    };
    let ground = ground.with("DRAIN_TIMEOUT_S", DRAIN.as_secs().to_string());
    let mut fleet = ground.fleet(unarmed());
    for role in roles {
        fleet.add(*role);
    }
    all_at_work(&ground, &fleet).await?;
    let door = Arc::new(Door::new(fleet.ports(), ground.token.clone()));
    let pause = PAUSE / u32::try_from(workers(&fleet) + 1)?;
    let over = AtomicBool::new(false);
    let restarting = async {
        let ends = restart(&ground, &fleet, rounds).await;
        over.store(true, Ordering::Relaxed);
        ends
    };
    let (plans, ends) = tokio::join!(send(&door, pause, &over), restarting);
    let (plans, ends) = (plans?, ends?);
    let ids: Vec<Uuid> = plans.keys().copied().collect();
    ground.all_end(&ids, END_MAX).await;
    let rolled = Rolled {
        verdict: judge(&ground, &plans, &[].into()).await?,
        bad_exits: ends.iter().filter_map(End::fault).collect(),
        counted: counted(&ground).await?,
        letters: ground.count("SELECT count(*) FROM letters").await?,
        paid_twice: ground.count(PAID_TWICE).await?,
        refused: door.refused.load(Ordering::Relaxed),
        handed_back: ground.count(HANDED_BACK).await?,
        restarts: ends.len(),
        slowest: ends
            .iter()
            .map(|end| end.left.after)
            .max()
            .unwrap_or_default(),
    };
    fleet.end().await;
    Ok(rolled)
}

/// How one process ended.
struct End {
    role: Role,
    left: crate::fleet::Left,
}

impl End {
    fn fault(&self) -> Option<String> {
        let Self { role, left } = self;
        let well = left.code == Some(0) && left.after < DRAIN + GOODBYE_MAX;
        (!well).then(|| format!("{} ended with {left:?}", role.name()))
    }
}

async fn restart(ground: &Ground, fleet: &Fleet, rounds: usize) -> anyhow::Result<Vec<End>> {
    let mut ends = vec![];
    for round in 0..rounds * MORE {
        // Whether a step is under way that outlasts its worker is left to chance: it is waited for.
        if round >= rounds && ground.count(HANDED_BACK).await? > 0 {
            break;
        }
        for (at, member) in fleet.members.iter().enumerate() {
            let left = fleet.ask_to_leave(at).await?;
            ends.push(End {
                role: member.role,
                left,
            });
            let back = all_at_work(ground, fleet).await;
            back.with_context(|| format!("round {round}, {}", member.role.name()))?;
        }
    }
    Ok(ends)
}

fn workers(fleet: &Fleet) -> usize {
    let works = |member: &&Member| member.role != Role::Api;
    fleet.members.iter().filter(works).count()
}

/// Waits until every worker shows itself, and every API says that it is ready.
async fn all_at_work(ground: &Ground, fleet: &Fleet) -> anyhow::Result<()> {
    let workers = workers(fleet);
    until("every worker is at work", START_MAX, async || {
        let there = ground.count("SELECT count(*) FROM workers WHERE NOT draining");
        there.await.is_ok_and(|there| there == workers)
    })
    .await?;
    for port in fleet.ports() {
        let door = Door::new(vec![port], ground.token.clone());
        until("the API is ready", START_MAX, async || {
            let told = door.ask(Method::GET, "/readyz", "", None).await;
            told.is_ok_and(|(status, _)| status == StatusCode::OK)
        })
        .await?;
    }
    Ok(())
}

/// Sends sagas at a steady pace until it is over. Most are quick; some are under way when their worker
/// is asked to end, and a few longer than it may wait.
async fn send(
    door: &Arc<Door>,
    pause: Duration,
    over: &AtomicBool,
) -> anyhow::Result<BTreeMap<Uuid, Plan>> {
    let (mut dice, mut tick) = (Dice::new(7), tokio::time::interval(pause));
    let mut sent = JoinSet::new();
    for n in 0.. {
        tick.tick().await;
        if over.load(Ordering::Relaxed) {
            break;
        }
        let work_ms = match n % 12 {
            0 => 3_500 + dice.below(1_000),
            1..4 => 300 + dice.below(900),
            _ => 5 + dice.below(40),
        };
        let (door, plan) = (Arc::clone(door), Plan::succeed(work_ms as u64));
        sent.spawn(async move {
            let id = door.submit(&format!("rolling-{n}"), &plan).await?;
            anyhow::Ok((id, plan))
        });
    }
    sent.join_all().await.into_iter().collect()
}

async fn counted(ground: &Ground) -> anyhow::Result<Vec<String>> {
    let rows: Vec<(Uuid, String, i64, i64, i64)> = ground.db.query(COUNTED).all().await?;
    let row = |(saga, key, attempt, crashes, epoch)| {
        format!(
            "{saga} {key}: {attempt} attempts counted, {crashes} crashes, claimed {epoch} times"
        )
    };
    Ok(rows.into_iter().map(row).collect())
}
