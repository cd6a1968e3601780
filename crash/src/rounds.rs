//! Rounds of topics, whose processes die at every named place of every step of `topic.round` and
//! `topic.draft`: on the way to topics, and on the way back.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::Arm;
use crate::ground::Ground;
use crate::models::Models;
use crate::services::Services;
use crate::walk::{died_at, what_is_left};
use anyhow::{Context as _, bail, ensure};
use axum::http::StatusCode;
use domain::topics::sample::{NEIGHBOURHOOD, read};
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Every step of a round and its drafts, there and back.
const STEPS: [&str; 11] = [
    "topic.claim#1",
    "topic.embed#1",
    "topic.cluster#1",
    "topic.choose#1",
    "topic.compose#1",
    "topic.cover#1",
    "topic.publish#1",
    "topic.release#1",
    "persona.discard_picture#1",
    "topic.forget_clusters#1",
    "topic.give_back#1",
];
/// Places at a step, those of a fleet together. After the first death the step gets a ticket of its own, which
/// comes to the others. Not three in a worker's hands: then the step would be poison.
const AT_STEPS: [(&str, &[&str]); 4] = [
    ("claimed", &["step.claimed", "ticket.due"]),
    ("answered", &["step.answered", "ticket.leaving"]),
    (
        "committing",
        &["settle.committing", "ticket.sent", "delivery.taken"],
    ),
    ("settled", &["step.settled", "ticket.confirmed"]),
];
/// Steps whose work is a paid call, and the places around it.
const PAID: [&str; 2] = ["topic.compose#1", "topic.cover#1"];
const AT_CALLS: [&str; 3] = ["effect.dispatched", "effect.answered", "effect.stored"];
/// Places that know of no step.
const BETWEEN: [&str; 4] = [
    "start.committing",
    "start.published",
    "api.committed",
    "delivery.arrived",
];
/// A round takes up so many ideas of each of these themes; those that are left over stay for the next.
const THEMES: [&str; 3] = ["cycling", "food", "library"];
const OF_A_THEME: usize = 5;
/// How a fleet's rounds go, again and again until somebody has died at each place. A round that is cancelled keeps
/// its covers with the model until then, so that each brings the undo of one.
const COURSES: [Course; 4] = [
    Course::Cancel,
    Course::Reject,
    Course::Publish,
    Course::Approve,
];
const ROUNDS_MAX: usize = 16;
const END_MAX: Duration = Duration::from_secs(75);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Nobody is asked.
    Publish,
    /// A curator lets it go on.
    Approve,
    /// A curator does not.
    Reject,
    /// It is cancelled while a cover is being drawn.
    Cancel,
}

/// One fleet dies once at each of these places.
#[derive(Debug, Clone)]
pub struct Stage {
    /// What the places have in common.
    pub name: &'static str,
    /// `point@step`, or `point`.
    pub places: Vec<String>,
}

/// What the rounds of a stage came to; nothing is to be missed, and nothing wrong.
#[derive(Debug)]
pub struct Held {
    /// The stage.
    pub stage: Stage,
    /// Rounds that were run.
    pub rounds: usize,
    /// Topics there are.
    pub topics: usize,
    /// Letters that were replayed, since three workers had died in one step.
    pub replayed: usize,
    /// Deaths at named places.
    pub deaths: usize,
    /// Places where nobody died.
    pub missed: Vec<String>,
    /// What is wrong, and how often.
    pub wrong: Vec<(&'static str, usize)>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, places) = (self.stage.name, self.stage.places.len());
        let Self { rounds, topics, .. } = self;
        let Self {
            deaths, replayed, ..
        } = self;
        write!(
            f,
            "  {name:<10} {places:>2} places, {deaths:>2} deaths, {rounds:>2} rounds, {topics:>2} topics, {replayed} letters replayed; missed {:?}, wrong {:?}",
            self.missed, self.wrong
        )
    }
}

/// All stages.
pub fn stages() -> Vec<Stage> {
    let together = |(name, points): (&'static str, &[&str])| Stage {
        name,
        places: at_each(points, &STEPS),
    };
    let mut places = at_each(&AT_CALLS, &PAID);
    places.extend(BETWEEN.map(str::to_owned));
    let rest = Stage {
        name: "calls",
        places,
    };
    AT_STEPS.into_iter().map(together).chain([rest]).collect()
}

fn at_each(points: &[&str], steps: &[&str]) -> Vec<String> {
    let mut places = vec![];
    for point in points {
        places.extend(steps.iter().map(|step| format!("{point}@{step}")));
    }
    places
}

/// Runs rounds until somebody has died at each place of a stage, then looks at what they left.
pub async fn rounds(services: &Services, stage: Stage) -> anyhow::Result<Held> {
    let ground = Ground::on(services)
        .await?
        .with("LEASE_SECONDS", "0.6")
        .with("SWEEP_SECONDS", "0.1");
    let (models, deaths) = (Models::start(false).await?, ground.dir.join("deaths"));
    let ground = ground
        .with("CHORUS_DEATHS", deaths.display().to_string())
        .with("AI_PROVIDER", "local")
        .with("EMBED_PROVIDER", "local")
        .with("IMAGE_PROVIDER", "openai")
        .with("OPENAI_BASE_URL", models.url.clone());
    let mut fleet = ground.fleet(what_is_left(stage.places.clone(), deaths.clone()));
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let host = Host {
        door: Door::new(fleet.ports(), ground.token.clone()),
        ground: &ground,
        models: &models,
    };
    let (mut rounds, mut replayed) = (0, 0);
    for course in COURSES.into_iter().cycle().take(ROUNDS_MAX) {
        replayed += host.round(rounds, course).await?;
        rounds += 1;
        if rounds >= COURSES.len() && missed(&stage, &deaths).is_empty() {
            break;
        }
    }
    let held = Held {
        rounds,
        replayed,
        topics: ground.count("SELECT count(*) FROM topics").await?,
        deaths: std::fs::read_to_string(&deaths)
            .unwrap_or_default()
            .lines()
            .count(),
        missed: missed(&stage, &deaths),
        wrong: wrong(&ground).await?,
        stage,
    };
    fleet.end().await;
    Ok(held)
}

/// Runs one round by whom somebody dies, as `arm` says, and tells which promises it breaks.
pub(crate) async fn one_round(ground: Ground, arm: Arm) -> anyhow::Result<Option<String>> {
    let (models, mut fleet) = (Models::start(false).await?, ground.fleet(arm));
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let host = Host {
        door: Door::new(fleet.ports(), ground.token.clone()),
        ground: &ground,
        models: &models,
    };
    host.round(0, Course::Publish).await?;
    let died = fleet.tally.at_points.load(Ordering::Relaxed);
    fleet.end().await;
    ensure!(died > 0, "nobody died at the place that was armed");
    let wrong = wrong(&ground).await?;
    let told = wrong
        .iter()
        .map(|(promise, found)| format!("{found} {promise}"));
    let told: Vec<String> = told.collect();
    Ok((!told.is_empty()).then(|| told.join("; ")))
}

fn missed(stage: &Stage, deaths: &Path) -> Vec<String> {
    let died = died_at(deaths);
    let left = stage.places.iter().filter(|place| !died.contains(*place));
    left.cloned().collect()
}

/// Promises, each as a count of what breaks it. Where a round or a draft is parked, a person still has the word.
const PROMISES: [(&str, &str); 9] = [
    (
        "ideas left claimed",
        "SELECT count(*) FROM submissions WHERE state = 'claimed'
            AND round_id NOT IN (SELECT id FROM sagas WHERE state IN ('parked', 'stuck'))",
    ),
    (
        "topics of one cluster, or without ideas of their own",
        "SELECT count(*) FROM topics t
          WHERE t.ideas = 0 OR t.ideas <> (SELECT count(*) FROM submissions s WHERE s.topic_id = t.id)
             OR EXISTS (SELECT 1 FROM topics o WHERE o.cluster_id = t.cluster_id AND o.id <> t.id)",
    ),
    (
        "topics beside those that drafts made",
        "SELECT abs((SELECT count(*) FROM topics)
                  - (SELECT count(*) FROM sagas WHERE kind = 'topic.draft' AND state = 'succeeded'))",
    ),
    (
        "topics that are told not once",
        "SELECT count(*) FROM topics t
          WHERE 1 <> (SELECT count(*) FROM domain_events e WHERE e.name = 'topic.published' AND e.entity_id = t.id)",
    ),
    (
        "topics without their opening post, or with more",
        "SELECT count(*) FROM topics t
          WHERE t.post_count <> 1
             OR 1 <> (SELECT count(*) FROM posts p WHERE p.topic_id = t.id AND p.author_id IS NULL AND p.body <> '')",
    ),
    (
        "covers of no topic",
        "SELECT count(*) FROM media m WHERE m.entity = 'topic'
            AND NOT EXISTS (SELECT 1 FROM topics t WHERE t.cover_media_id = m.id)",
    ),
    (
        "sagas neither ended nor parked",
        "SELECT count(*) FROM sagas WHERE finished_at IS NULL AND state NOT IN ('parked', 'stuck')",
    ),
    (
        "rounds that do not know that they are over",
        "SELECT count(*) FROM topic_rounds r JOIN sagas s ON s.id = r.id
          WHERE s.finished_at IS NOT NULL AND r.finished_at IS NULL",
    ),
    (
        "rounds that miscount their topics",
        "SELECT count(*) FROM topic_rounds r
          WHERE r.published <> (SELECT count(*) FROM topics t WHERE t.round_id = r.id)",
    ),
];

async fn wrong(ground: &Ground) -> anyhow::Result<Vec<(&'static str, usize)>> {
    let mut wrong = vec![];
    for (promise, sql) in PROMISES {
        let found = ground.count(sql).await.context(promise)?;
        wrong.extend((found > 0).then_some((promise, found)));
    }
    Ok(wrong)
}

/// Who starts rounds, decides about them, and looks after letters.
struct Host<'g> {
    door: Door,
    ground: &'g Ground,
    models: &'g Models,
}

impl Host<'_> {
    /// Takes a round from its ideas to its end; says how many letters had to be replayed.
    async fn round(&self, nth: usize, course: Course) -> anyhow::Result<usize> {
        let texts: Vec<&str> = THEMES.into_iter().flat_map(of_theme).collect();
        let ideas = json!({"texts": texts});
        let (seed, key) = ("/api/v1/submissions/seed", format!("seed {nth}"));
        let (status, said) = self.post(seed, &key, &ideas).await?;
        ensure!(status == StatusCode::CREATED, "no ideas: {status} {said}");
        let reviewed = matches!(course, Course::Approve | Course::Reject);
        let wish = json!({"require_review": reviewed});
        let (status, said) = self
            .post("/api/v1/topic-rounds", &format!("round {nth}"), &wish)
            .await?;
        let round = said["id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let round = round.with_context(|| format!("no round: {status} {said}"))?;
        self.models.hold_pictures(course == Course::Cancel);
        let (began, mut decided, mut replayed) = (Instant::now(), false, 0);
        while let Some((_, state)) = self.ground.unfinished(&[round]).await.first() {
            if began.elapsed() > END_MAX {
                bail!("{course:?} is {state} after {} s", END_MAX.as_secs());
            }
            decided = decided
                || match course {
                    Course::Publish => true,
                    Course::Approve => self.decide(round, "approve").await?,
                    Course::Reject => self.decide(round, "reject").await?,
                    Course::Cancel => self.draws().await? && self.cancel(round).await?,
                };
            if decided && course == Course::Cancel && self.called_back().await? {
                self.models.hold_pictures(false);
            }
            replayed += self.replay_letters().await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(replayed)
    }

    async fn post(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, Value)> {
        self.door.insist(Method::POST, path, key, Some(body)).await
    }

    /// Decides about a round once it asks.
    async fn decide(&self, round: Uuid, verb: &str) -> anyhow::Result<bool> {
        let sql = "SELECT id FROM reviews WHERE saga_id = $1 AND state = 'pending'";
        let asked: Vec<(Uuid,)> = self.ground.db.query(sql).bind(round).all().await?;
        let Some((review,)) = asked.first() else {
            return Ok(false);
        };
        let notes = json!({"notes": "the crash suite"});
        let path = format!("/api/v1/reviews/{review}/{verb}");
        let (status, said) = self.post(&path, &review.to_string(), &notes).await?;
        ensure!(status == StatusCode::OK, "not decided: {status} {said}");
        Ok(true)
    }

    /// Cancels a round.
    async fn cancel(&self, round: Uuid) -> anyhow::Result<bool> {
        let status = self.door.cancel(round).await?;
        ensure!(status.is_success(), "not cancelled: {status}");
        Ok(true)
    }

    /// Whether no draft goes on any more: whoever has its cover in hand has it for the undo.
    async fn called_back(&self) -> anyhow::Result<bool> {
        let sql = "SELECT count(*) FROM sagas WHERE kind = 'topic.draft' AND state IN ('queued', 'running', 'waiting')";
        Ok(self.ground.count(sql).await? == 0)
    }

    /// Whether a worker has a cover in its hands.
    async fn draws(&self) -> anyhow::Result<bool> {
        let sql = "SELECT count(*) FROM steps WHERE step = 'topic.cover' AND state = 'leased'";
        Ok(self.ground.count(sql).await? > 0)
    }

    async fn replay_letters(&self) -> anyhow::Result<usize> {
        let open = "SELECT count(*) FROM letters WHERE state = 'open'";
        if self.ground.count(open).await? == 0 {
            return Ok(0);
        }
        let mut replayed = 0;
        // Whoever serves may die meanwhile; there is another look.
        for letter in self.door.letters().await.unwrap_or_default() {
            let id = letter["id"].as_str().unwrap_or_default();
            let status = self.door.decide(id, "replay").await;
            replayed += usize::from(status.is_ok_and(|status| status.is_success()));
        }
        Ok(replayed)
    }
}

fn of_theme(theme: &str) -> impl Iterator<Item = &'static str> {
    let of = move |(of, idea): (&str, &'static str)| (of == theme).then_some(idea);
    read(NEIGHBOURHOOD)
        .into_iter()
        .filter_map(of)
        .take(OF_A_THEME)
}
