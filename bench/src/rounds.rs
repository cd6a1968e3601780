//! Rounds of topics: one of ten thousand ideas, and two hundred of them beside people who wait for a portrait.

use crate::fleet::Fleet;
use crate::load::{Connection, quantile, request};
use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, Utc};
use domain::topics::rounds::{Params, Trigger};
use domain::topics::sample::{NEIGHBOURHOOD, RIVERSIDE, read};
use domain::topics::store::rounds::{NewRound, start};
use saga_core::client::Client;
use saga_core::db::Durability;
use saga_core::relay::Relay;
use saga_core::store::Store;
use saga_core::transport::{InProcess, Transport};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const IDEAS: usize = 10_000;
/// As many as are taken in one request.
const SEEDS: usize = 50;
const POOLS: usize = 200;
const PEOPLE: usize = 15;
/// People beside rounds, at the least.
const LEAST: usize = 5;
/// Between two people whose last friend answers: long enough that one does not wait for the other.
const PACE: Duration = Duration::from_secs(2);
const ROUND_MAX: Duration = Duration::from_mins(3);
const LOOK: Duration = Duration::from_millis(200);
const FRIENDS: &str = include_str!("../../cli/samples/friends.json");

/// What rounds took.
pub(crate) struct Rounds {
    /// From accepted to finished, by the store's clock, with ten thousand ideas.
    pub(crate) large: Duration,
    /// The most memory that the worker who groups ideas has held, in MiB.
    pub(crate) peak: f64,
    /// A persona's median, from the last answer to the last picture, with nothing beside it.
    pub(crate) alone: Duration,
    /// The same while two hundred rounds are open.
    pub(crate) beside: Duration,
    /// How long those rounds took, all of them.
    pub(crate) all: Duration,
}

/// Measures both on a fleet that has no workers yet.
pub(crate) async fn all(fleet: &mut Fleet) -> Result<Rounds> {
    fleet.start_workers().await?;
    let mut surveys = surveys(fleet, 2 * PEOPLE + 1).await?.into_iter();
    // Fonts, connections and caches are there for the first one too.
    forge(fleet, &surveys.next().context("no surveys")?).await?;
    ended(fleet, "persona.forge", 1).await?;
    let first: Vec<String> = surveys.by_ref().take(PEOPLE).collect();
    let since = now(fleet).await?;
    forges(fleet, &first).await?;
    ended(fleet, "persona.forge", 1 + PEOPLE).await?;
    let alone = median(fleet, since).await?;

    begin(fleet).await.context("two hundred rounds")?;
    under_way(fleet).await?;
    let since = now(fleet).await?;
    let asked = forges_beside(fleet, &surveys.collect::<Vec<_>>()).await?;
    ensure!(
        asked >= LEAST,
        "the rounds were over after {asked} people: more rounds are needed"
    );
    ended(fleet, "persona.forge", 1 + PEOPLE + asked).await?;
    let beside = median(fleet, since).await?;
    let all = ended(fleet, "topic.round", POOLS).await?;

    seed(fleet, &written()).await?;
    let body = request(
        "POST",
        "/api/v1/topic-rounds",
        Some(&fleet.token),
        Some("{}"),
    );
    let answer = Connection::open(fleet.api).await?.send(&body).await?;
    ensure!(
        answer.status == 202,
        "the round was not accepted: {}",
        answer.status
    );
    ended(fleet, "topic.round", POOLS + 1).await?;
    let (created, finished): (DateTime<Utc>, DateTime<Utc>) = fleet
        .db
        .query("SELECT created_at, finished_at FROM sagas WHERE kind = 'topic.round' ORDER BY created_at DESC LIMIT 1")
        .one()
        .await?;
    Ok(Rounds {
        large: (finished - created).to_std()?,
        peak: peak(fleet),
        alone,
        beside,
        all,
    })
}

fn peak(fleet: &Fleet) -> f64 {
    let mut peaks = fleet.peaks().into_iter();
    peaks
        .find(|(name, _)| *name == "synthesis")
        .map_or(f64::INFINITY, |(_, peak)| peak)
}

/// Surveys of so many people, each with all answers but the last.
async fn surveys(fleet: &Fleet, people: usize) -> Result<Vec<String>> {
    let mut connection = Connection::open(fleet.api).await?;
    let mut slugs = vec![];
    for person in 0..people {
        let token = fleet
            .token_of(&format!("person{person}@localhost"), "member")
            .await?;
        let body = json!({"title": "Who are you, really?", "min_responses": 3}).to_string();
        let survey = request("POST", "/api/v1/surveys", Some(&token), Some(&body));
        let survey: Value = serde_json::from_slice(&connection.send(&survey).await?.body)?;
        let slug = survey["slug"].as_str().context("the survey has no slug")?;
        for friend in 0..2 {
            connection.send(&answers(slug, friend)?).await?;
        }
        slugs.push(slug.to_owned());
    }
    Ok(slugs)
}

fn answers(slug: &str, friend: usize) -> Result<Vec<u8>> {
    let circle: Value = serde_json::from_str(FRIENDS)?;
    let body = json!({
        "answers": circle["friends"][friend]["answers"],
        "fingerprint": format!("friend {friend}"),
    });
    let path = format!("/api/v1/surveys/{slug}/responses");
    Ok(request("POST", &path, None, Some(&body.to_string())))
}

/// The last friend of somebody answers.
async fn forge(fleet: &Fleet, slug: &str) -> Result<()> {
    let answer = Connection::open(fleet.api)
        .await?
        .send(&answers(slug, 2)?)
        .await?;
    ensure!(
        answer.status < 300,
        "an answer was refused: {}",
        String::from_utf8_lossy(&answer.body)
    );
    Ok(())
}

async fn forges(fleet: &Fleet, slugs: &[String]) -> Result<()> {
    let mut clock = tokio::time::interval(PACE);
    for slug in slugs {
        clock.tick().await;
        forge(fleet, slug).await?;
    }
    Ok(())
}

/// As many people as come while drafts are open, one after the other; how many that were.
async fn forges_beside(fleet: &Fleet, slugs: &[String]) -> Result<usize> {
    let mut clock = tokio::time::interval(PACE);
    for (asked, slug) in slugs.iter().enumerate() {
        clock.tick().await;
        let open: i64 = fleet
            .db
            .query("SELECT count(*) FROM sagas WHERE kind = 'topic.draft' AND finished_at IS NULL")
            .scalar()
            .await?;
        if open == 0 {
            return Ok(asked);
        }
        forge(fleet, slug).await?;
    }
    Ok(slugs.len())
}

/// The median of the personas that were begun since then.
async fn median(fleet: &Fleet, since: DateTime<Utc>) -> Result<Duration> {
    let times: Vec<(DateTime<Utc>, DateTime<Utc>)> = fleet
        .db
        .query("SELECT created_at, finished_at FROM sagas WHERE kind = 'persona.forge' AND created_at > $1")
        .bind(since)
        .all()
        .await?;
    let mut times: Vec<Duration> = times
        .into_iter()
        .map(|(created, finished)| Ok((finished - created).to_std()?))
        .collect::<Result<_>>()?;
    times.sort();
    Ok(quantile(&times, 50))
}

/// Starts a round in each of two hundred pools, whose ideas are those of the sample, in one transaction. The API
/// knows one pool, so this is done by what its route calls; the workers find what is due by themselves.
async fn begin(fleet: &Fleet) -> Result<()> {
    let store = Store::new(fleet.db.clone(), Arc::new(domain::catalog::kinds()));
    let transport = Transport::InProcess(InProcess::new(["synthesis", "image", "delivery"]));
    let (relay, _) = Relay::new(store.clone(), transport);
    let (client, _) = Client::new(store, relay);
    let ideas: Vec<&str> = read(NEIGHBOURHOOD)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let mut tx = fleet.db.begin(Durability::Full).await?;
    for pool in (0..POOLS).map(|number| format!("pool {number}")) {
        for text in &ideas {
            tx.query(
                "INSERT INTO submissions (id, pool, author_id, text, state, seeded, created_at)
                 SELECT $1, $2, id, $3, 'live', true, $4 FROM accounts LIMIT 1",
            )
            .bind(Uuid::now_v7())
            .bind(pool.clone())
            .bind((*text).to_owned())
            .bind(Utc::now())
            .execute()
            .await?;
        }
        let new = NewRound {
            id: Uuid::now_v7(),
            pool,
            trigger: Trigger::Api,
            params: Params::default(),
            started_by: None,
        };
        start(&mut tx, &client, new, "bench").await?;
    }
    Ok(tx.commit().await?)
}

/// Waits until the image workers have drafts to draw for.
async fn under_way(fleet: &Fleet) -> Result<()> {
    let began = Instant::now();
    loop {
        let drawn: i64 = fleet
            .db
            .query("SELECT count(*) FROM steps WHERE queue = 'image' AND step = 'topic.cover'")
            .scalar()
            .await?;
        if drawn > 0 {
            return Ok(());
        }
        ensure!(
            began.elapsed() < ROUND_MAX,
            "no round has come to its drafts"
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until so many sagas of a kind have succeeded; from the first one's beginning to the last one's end.
async fn ended(fleet: &Fleet, kind: &str, count: usize) -> Result<Duration> {
    let (began, count) = (Instant::now(), i64::try_from(count)?);
    loop {
        let (ended, first, last): (i64, Option<DateTime<Utc>>, Option<DateTime<Utc>>) = fleet
            .db
            .query("SELECT count(*), min(created_at), max(finished_at) FROM sagas WHERE kind = $1 AND state = 'succeeded'")
            .bind(kind.to_owned())
            .one()
            .await?;
        if ended >= count {
            let (first, last) = (first.context("none began")?, last.context("none ended")?);
            return Ok((last - first).to_std()?);
        }
        if began.elapsed() > ROUND_MAX {
            bail!("only {ended} of {count} sagas of {kind} have succeeded");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn now(fleet: &Fleet) -> Result<DateTime<Utc>> {
    Ok(fleet.db.now().await?)
}

/// Puts ideas into the pool, as a curator does.
async fn seed(fleet: &Fleet, ideas: &[String]) -> Result<()> {
    let mut connection = Connection::open(fleet.api).await?;
    for texts in ideas.chunks(SEEDS) {
        let body = json!({"texts": texts}).to_string();
        let seeds = request(
            "POST",
            "/api/v1/submissions/seed",
            Some(&fleet.token),
            Some(&body),
        );
        let answer = connection.send(&seeds).await?;
        ensure!(
            answer.status == 201,
            "ideas were refused: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }
    Ok(())
}

/// Ideas like those of the samples, no two the same: the beginning of one and the end of another of its theme.
fn written() -> Vec<String> {
    let samples: Vec<(&str, &str)> = read(NEIGHBOURHOOD)
        .into_iter()
        .chain(read(RIVERSIDE))
        .collect();
    (0..IDEAS)
        .map(|at| {
            let (theme, first) = samples[at % samples.len()];
            let like: Vec<&str> = samples
                .iter()
                .filter(|one| one.0 == theme)
                .map(|one| one.1)
                .collect();
            let second = like[(at / samples.len()) % like.len()];
            let first: Vec<&str> = first.split(' ').take(6 + at % 11).collect();
            let second: Vec<&str> = second.split(' ').skip(at % 7).collect();
            format!(
                "{} {} by house{}",
                first.join(" "),
                second.join(" "),
                at % 4001
            )
        })
        .collect()
}
