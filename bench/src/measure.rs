//! What a fleet does: accepts, whole sagas, latency, polls, memory, idle processor time.

use crate::fleet::Fleet;
use crate::limits::Bare;
use crate::load::{self, Clients, quantile, rate};
use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use std::time::{Duration, Instant};

const SAGAS: usize = 12_000;
/// Accepts without workers are measured so often.
const TURNS: usize = 3;
const POLLS: usize = 60_000;
const PACED: usize = 160;
/// Between two sagas of the latency's measurement.
pub(crate) const PACE: Duration = Duration::from_millis(50);
const IDLE: Duration = Duration::from_secs(10);
/// How long a run's sagas may take to end.
const DRAIN_MAX: Duration = Duration::from_mins(2);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(250);

/// What was measured on one fleet.
pub(crate) struct Measured {
    /// Accepts while nobody works; none in one process.
    pub(crate) backlog: Option<Backlog>,
    /// Accepts while the workers take what is accepted.
    pub(crate) accepts: f64,
    pub(crate) accept_p99: Duration,
    pub(crate) sagas: f64,
    pub(crate) relayed: f64,
    pub(crate) latency_p50: Duration,
    pub(crate) latency_p99: Duration,
    pub(crate) polls: f64,
    pub(crate) memory: Vec<(&'static str, f64)>,
    pub(crate) idle: Vec<(&'static str, f64)>,
}

/// Accepts while nobody works, in turns with bare POSTs: the machine is another from minute to minute.
/// Each is told as fast as it was by clients on one thread or on two, whichever it liked better.
pub(crate) struct Backlog {
    /// The median of the turns.
    pub(crate) accepts: f64,
    pub(crate) accept_p99: Duration,
    /// Bare POSTs, their median.
    pub(crate) posts: f64,
    /// How fast the workers then make up for it.
    pub(crate) drained: f64,
}

pub(crate) async fn all(fleet: &mut Fleet, bare: &Bare) -> Result<Measured> {
    let backlog = if fleet.is_split() {
        let backlog = backlog(fleet, bare).await;
        Some(backlog.context("accepts without workers")?)
    } else {
        None
    };
    let fleet = &*fleet;
    sagas(fleet, "demo.pair", 500).await.context("warming up")?;
    let (accepted, pairs) = sagas(fleet, "demo.pair", SAGAS)
        .await
        .context("sagas of two steps on one queue")?;
    let (_, relayed) = sagas(fleet, "demo.relay", SAGAS / 2)
        .await
        .context("sagas of two steps on two queues")?;
    let (latency_p50, latency_p99) = paced(fleet).await.context("latency at 20/s")?;
    let polls = polls(fleet, &accepted.answers)
        .await
        .context("status polls")?;
    let memory = fleet.memory();
    let idle = idle(fleet).await;
    let accept_p99 = quantile(&accepted.times, 99);
    Ok(Measured {
        backlog,
        accepts: accepted.rate,
        accept_p99,
        sagas: pairs,
        relayed,
        latency_p50,
        latency_p99,
        polls,
        memory,
        idle,
    })
}

/// Accepts alone, by a fleet that has no workers yet; then those start, and work it all off.
async fn backlog(fleet: &mut Fleet, bare: &Bare) -> Result<Backlog> {
    let (kind, each) = ("demo.pair", SAGAS / TURNS);
    accept(fleet, kind, 500, Clients::on(1)).await?; // warming up
    let mut turns = [1, 2].map(|threads| (Clients::on(threads), vec![], vec![]));
    let mut times = vec![];
    for _ in 0..TURNS {
        for (clients, posts, accepts) in &mut turns {
            posts.push(bare.post(*clients).await?);
            let burst = accept(fleet, kind, each, *clients).await?;
            accepts.push(burst.rate);
            times.extend(burst.times);
        }
    }
    times.sort();
    fleet.start_workers().await?;
    let all = 500 + 2 * TURNS * each;
    let (first, last) = ended(fleet, kind, all).await?;
    let (posts, accepts): (Vec<_>, Vec<_>) = turns
        .into_iter()
        .map(|(_, posts, accepts)| (median(posts), median(accepts)))
        .unzip();
    Ok(Backlog {
        accepts: accepts.into_iter().fold(0.0, f64::max),
        accept_p99: quantile(&times, 99),
        posts: posts.into_iter().fold(0.0, f64::max),
        drained: rate(all, (last - first).to_std()?),
    })
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// Starts sagas as fast as they are accepted.
async fn accept(fleet: &Fleet, kind: &str, count: usize, clients: Clients) -> Result<load::Burst> {
    let (token, body) = (
        fleet.token.clone(),
        format!(r#"{{"kind":"{kind}","input":{{}}}}"#),
    );
    let each = move |_| load::request("POST", "/api/v1/jobs", Some(&token), Some(&body));
    clients.burst(fleet.api, count, true, each).await
}

/// Starts sagas as fast as they are accepted, waits for the last, and counts their effects.
async fn sagas(fleet: &Fleet, kind: &'static str, count: usize) -> Result<(load::Burst, f64)> {
    let before = usize::try_from(finished(fleet, kind).await?)?;
    let began: DateTime<Utc> = fleet
        .db
        .query("SELECT max(created_at) FROM sagas")
        .scalar::<Option<DateTime<Utc>>>()
        .await?
        .unwrap_or(DateTime::UNIX_EPOCH);
    let burst = accept(fleet, kind, count, Clients::on(1)).await?;
    let (_, last) = ended(fleet, kind, before + count).await?;
    let first: DateTime<Utc> = fleet
        .db
        .query("SELECT min(created_at) FROM sagas WHERE created_at > $1")
        .bind(began)
        .scalar()
        .await?;
    Ok((burst, rate(count, (last - first).to_std()?)))
}

/// Waits until so many sagas of a kind have ended, and counts their effects. When the first of them
/// was taken and the last one ended, by the store's clock: looking often would be a load of its own.
async fn ended(fleet: &Fleet, kind: &str, count: usize) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let count = i64::try_from(count)?;
    let began = Instant::now();
    while finished(fleet, kind).await? < count {
        if began.elapsed() > DRAIN_MAX {
            bail!(
                "only {} of {count} sagas ended",
                finished(fleet, kind).await?
            );
        }
        tokio::time::sleep(LOOK).await;
    }
    let (sagas, wrong): (i64, i64) = fleet
        .db
        .query(
            "SELECT CAST(count(*) AS BIGINT), CAST(coalesce(sum(CASE WHEN n = 2 THEN 0 ELSE 1 END), 0) AS BIGINT)
               FROM (SELECT count(*) AS n FROM demo_effects GROUP BY saga_id) AS each_saga",
        )
        .one()
        .await?;
    let all: i64 = fleet
        .db
        .query("SELECT count(*) FROM sagas WHERE state = 'succeeded'")
        .scalar()
        .await?;
    if wrong > 0 || sagas != all {
        bail!("{wrong} of {sagas} sagas have not exactly one effect row a step, {all} have ended");
    }
    Ok(fleet
        .db
        .query("SELECT min(started_at), max(finished_at) FROM sagas WHERE kind = $1")
        .bind(kind.to_owned())
        .one()
        .await?)
}

async fn finished(fleet: &Fleet, kind: &str) -> Result<i64> {
    Ok(fleet
        .db
        .query("SELECT count(*) FROM sagas WHERE kind = $1 AND state = 'succeeded'")
        .bind(kind.to_owned())
        .scalar()
        .await?)
}

/// From accepted to done, by the store's clock, at 20 sagas a second.
async fn paced(fleet: &Fleet) -> Result<(Duration, Duration)> {
    let mut connection = load::Connection::open(fleet.api).await?;
    let request = load::request(
        "POST",
        "/api/v1/jobs",
        Some(&fleet.token),
        Some(r#"{"kind":"demo.pair","input":{}}"#),
    );
    let mut ids = vec![];
    let mut clock = tokio::time::interval(PACE);
    for _ in 0..PACED {
        clock.tick().await;
        let answer = connection.send(&request).await?;
        ids.push(id_of(&answer.body)?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut times = vec![];
    for id in ids {
        let (created, done): (DateTime<Utc>, Option<DateTime<Utc>>) = fleet
            .db
            .query("SELECT created_at, finished_at FROM sagas WHERE id = $1")
            .bind(id)
            .one()
            .await?;
        let done = done.context("a saga did not end within a second")?;
        times.push((done - created).to_std()?);
    }
    times.sort();
    Ok((quantile(&times, 50), quantile(&times, 99)))
}

async fn polls(fleet: &Fleet, jobs: &[load::Answer]) -> Result<f64> {
    let ids: Vec<String> = jobs
        .iter()
        .take(1_000)
        .map(|job| id_of(&job.body).map(|id| id.to_string()))
        .collect::<Result<_>>()?;
    let token = fleet.token.clone();
    let each = move |n: usize| {
        load::request(
            "GET",
            &format!("/api/v1/jobs/{}", ids[n % ids.len()]),
            Some(&token),
            None,
        )
    };
    let clients = Clients::on(1);
    Ok(clients.burst(fleet.api, POLLS, false, each).await?.rate)
}

fn id_of(body: &[u8]) -> Result<uuid::Uuid> {
    let job: serde_json::Value = serde_json::from_slice(body)?;
    Ok(job["id"].as_str().context("the job has no id")?.parse()?)
}

/// Processor time of each process while nothing happens, in percent of a core.
#[expect(clippy::cast_precision_loss, reason = "ticks are far below 2^52")]
async fn idle(fleet: &Fleet) -> Vec<(&'static str, f64)> {
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = fleet.ticks();
    tokio::time::sleep(IDLE).await;
    let after = fleet.ticks();
    let percent = |(before, after): ((&'static str, u64), (&'static str, u64))| {
        (
            before.0,
            after.1.saturating_sub(before.1) as f64 / IDLE.as_secs_f64(),
        )
    };
    before.into_iter().zip(after).map(percent).collect()
}
