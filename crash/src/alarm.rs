//! The broker's memory alarm: it takes nothing from publishers, while consumers go on.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::oracle::{Verdict, judge};
use crate::plan::Plan;
use crate::services::Services;
use crate::until;
use anyhow::ensure;
use axum::http::StatusCode;
use reqwest::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

const SAGAS: usize = 4;
/// Sagas that are sent under the alarm.
pub const ALARMED: usize = 10;
/// How long the first step of the sagas takes that are under way when the alarm comes.
const WORK_MS: u64 = 1_500;
/// How long any part may take.
const PART_MAX: Duration = Duration::from_secs(20);
/// How soon everybody works again once the alarm is over.
const BACK_WITHIN: Duration = Duration::from_secs(10);
const LEASED: &str = "SELECT count(*) FROM steps WHERE state = 'leased'";
/// Steps that are done, of sagas that were under way.
const DONE: &str = "SELECT count(*) FROM steps WHERE state = 'done'";
/// Steps that have a confirmed ticket, though they became ready under the alarm.
const TICKETED: &str = "SELECT count(*) FROM steps t JOIN sagas s ON s.id = t.saga_id
     WHERE t.state = 'ready' AND t.tickets > 0 AND s.request_id LIKE 'alarmed%'";

/// What came of it.
#[derive(Debug)]
pub struct Alarmed {
    /// The promises.
    pub verdict: Verdict,
    /// The longest that the API took to accept a saga under the alarm.
    pub slowest: Duration,
    /// What the API said of the broker.
    pub said: String,
    /// Steps whose tickets were confirmed meanwhile.
    pub ticketed: usize,
    /// How long the last saga took once the alarm was over.
    pub back: Duration,
}

/// Sends sagas before an alarm and under it, and ends it.
pub async fn alarm(services: &Services) -> anyhow::Result<Alarmed> {
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
    until("steps are in workers' hands", PART_MAX, async || {
        ground.count(LEASED).await.is_ok_and(|leased| leased > 0)
    })
    .await?;
    services.memory_alarm(true).await?;
    let done = ground.count(DONE).await?;
    // The broker takes one more message from each publisher before it blocks it.
    let plan = Plan::succeed(0);
    plans.insert(door.submit("the last that is taken", &plan).await?, plan);
    until("the API tells of the alarm", PART_MAX, async || {
        said(&door).await.is_some_and(|said| said != "ok")
    })
    .await?;
    let said = said(&door).await.unwrap_or_default();
    let mut slowest = Duration::ZERO;
    for n in 0..ALARMED {
        let (plan, began) = (Plan::succeed(0), Instant::now());
        let (id, refused) = door.submit_bare(&format!("alarmed-{n}"), &plan).await?;
        ensure!(refused == 0, "a saga was refused under the alarm");
        slowest = slowest.max(began.elapsed());
        plans.insert(id, plan);
    }
    until(
        "what is in workers' hands is settled",
        PART_MAX,
        async || ground.count(DONE).await.is_ok_and(|now| now > done),
    )
    .await?;
    let ticketed = ground.count(TICKETED).await?;
    services.memory_alarm(false).await?;
    let over = Instant::now();
    let ids: Vec<Uuid> = plans.keys().copied().collect();
    ensure!(
        ground.all_end(&ids, BACK_WITHIN + PART_MAX).await,
        "not every saga ended"
    );
    let back = over.elapsed();
    until("the API is ready", BACK_WITHIN, async || {
        let ready = door.ask(Method::GET, "/readyz", "", None).await;
        matches!(ready, Ok((StatusCode::OK, _)))
    })
    .await?;
    let verdict = judge(&ground, &plans, &BTreeSet::new()).await?;
    fleet.end().await;
    Ok(Alarmed {
        verdict,
        slowest,
        said,
        ticketed,
        back,
    })
}

/// What the API says of the broker, of which it is asked as a dependency.
async fn said(door: &Door) -> Option<String> {
    let (_, told) = door.ask(Method::GET, "/health", "", None).await.ok()?;
    told["dependencies"]["broker"].as_str().map(str::to_owned)
}
