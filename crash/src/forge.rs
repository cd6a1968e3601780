//! The real `persona.forge`, killed around each of its paid calls: the words, the words once more when they
//! will not do, the portrait.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::Arm;
use crate::ground::Ground;
use crate::models::Models;
use crate::services::Services;
use crate::until;
use crate::walk::died_at;
use anyhow::{Context as _, ensure};
use axum::http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Places around a call: it is written down, answered, its answer is stored.
const POINTS: [&str; 3] = ["effect.dispatched", "effect.answered", "effect.stored"];
const WRITE: &str = "persona.write#1";
const PAINT: &str = "persona.paint#1";
/// How long the worker that died, the others and the forge's own work may take.
const END_MAX: Duration = Duration::from_secs(75);

/// Where workers die.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The point.
    pub point: &'static str,
    /// Whether the first words are sent back, and it is the second call for words that is met.
    pub repair: bool,
}

/// What became of one paid call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// `write`, `repair` or `paint`.
    pub name: String,
    /// Whether its answer is stored.
    pub answered: bool,
    /// How often it was written down.
    pub dispatched: i64,
    /// How often the model was really called, under one idempotency key.
    pub called: usize,
}

/// What became of one forge.
#[derive(Debug)]
pub struct Forged {
    /// Places where nobody died.
    pub missed: Vec<String>,
    /// Its paid calls, by name.
    pub paid: Vec<Paid>,
    /// Calls under keys that are written down nowhere.
    pub unknown: usize,
    /// Personas, pictures and letters that there are now.
    pub left: (usize, usize, usize),
    /// Whether it ended well, and with everything.
    pub whole: bool,
}

/// Every case.
pub fn cases() -> Vec<Case> {
    let both = |point| [false, true].map(|repair| Case { point, repair });
    POINTS.into_iter().flat_map(both).collect()
}

impl Case {
    /// `point@step`, and what happens there.
    fn places(self) -> Vec<(String, &'static str)> {
        let at = |step, action| (format!("{}@{step}", self.point), action);
        if self.repair {
            vec![at(WRITE, "1*off->1*return")] // past the first call for words
        } else {
            vec![at(WRITE, "1*return"), at(PAINT, "1*return")]
        }
    }

    /// What there should be: a call is made again only if its answer may not have been kept.
    pub fn paid(self) -> Vec<Paid> {
        let call = |name: &str, met: bool| Paid {
            name: name.to_owned(),
            answered: true,
            dispatched: 1 + i64::from(met && self.point != "effect.stored"),
            called: 1 + usize::from(met && self.point == "effect.answered"),
        };
        if self.repair {
            vec![
                call("paint", false),
                call("repair", true),
                call("write", false),
            ]
        } else {
            vec![call("paint", true), call("write", true)]
        }
    }
}

/// Goes through one case with a fleet of its own.
pub async fn forge(services: &Services, case: Case) -> anyhow::Result<Forged> {
    let models = Models::start(case.repair).await?;
    let ground = Ground::on(services).await?;
    let deaths = ground.dir.join("deaths");
    let ground = ground
        .with("CHORUS_DEATHS", deaths.display().to_string())
        .with("AI_PROVIDER", "openai")
        .with("OPENAI_BASE_URL", models.url.clone());
    let mut fleet = ground.fleet(once_each(case, deaths.clone()));
    for role in [Role::Api, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    three_friends_answer(&door).await?;
    let open = "SELECT count(*) FROM sagas WHERE finished_at IS NULL";
    let ended = async || ground.count(open).await.is_ok_and(|open| open == 0);
    until("the forge ends", END_MAX, ended).await?;
    let died = died_at(&deaths);
    let places = case.places().into_iter().map(|(place, _)| place);
    let (paid, unknown) = paid(&ground, &models).await?;
    let whole = "SELECT count(*) FROM sagas WHERE kind = 'persona.forge' AND state = 'succeeded' AND NOT degraded";
    let forged = Forged {
        missed: places.filter(|place| !died.contains(place)).collect(),
        paid,
        unknown,
        left: (
            ground.count("SELECT count(*) FROM personas").await?,
            ground.count("SELECT count(*) FROM media").await?,
            ground.count("SELECT count(*) FROM letters").await?,
        ),
        whole: ground.count(whole).await? == 1,
    };
    fleet.end().await;
    Ok(forged)
}

/// The first process to come to a place dies there.
fn once_each(case: Case, deaths: PathBuf) -> Arm {
    Arc::new(move |_, _| {
        let died = died_at(&deaths);
        let left = case.places().into_iter();
        let armed = left
            .filter(|(place, _)| !died.contains(place))
            .map(|(place, action)| format!("{place}={action}"));
        Some(armed.collect::<Vec<_>>().join(";"))
    })
}

async fn three_friends_answer(door: &Door) -> anyhow::Result<()> {
    let wanted = json!({"title": "Who am I?"});
    let (status, survey) = door
        .insist(Method::POST, "/api/v1/surveys", "survey", Some(&wanted))
        .await?;
    ensure!(
        status == StatusCode::CREATED,
        "no survey: {status} {survey}"
    );
    let survey = survey["survey_id"].as_str().context("which survey?")?;
    let path = format!("/api/v1/surveys/{survey}/responses");
    for friend in ["Ana", "Ben", "Cleo"] {
        let body = json!({"answers": answers(), "fingerprint": friend});
        let (status, said) = door
            .insist(Method::POST, &path, friend, Some(&body))
            .await?;
        ensure!(status == StatusCode::CREATED, "not taken: {status} {said}");
    }
    Ok(())
}

fn answers() -> Value {
    json!({"c1": 4, "c2": 3, "i1": 4, "i2": 5, "k1": 5, "k2": 5, "e1": 3, "e2": 2, "p1": "calmer", "w1": "patient, funny, loyal"})
}

/// What is written down of each paid call, beside the models' own book.
async fn paid(ground: &Ground, models: &Models) -> anyhow::Result<(Vec<Paid>, usize)> {
    let sql = "SELECT name, state, calls, idempotency_key FROM effects ORDER BY name, round";
    let rows: Vec<(String, String, i64, String)> = ground.db.query(sql).all().await?;
    let mut calls = models.calls();
    let row = |(name, state, dispatched, key): (String, String, i64, String)| Paid {
        name,
        answered: state == "answered",
        dispatched,
        called: calls.remove(&key).unwrap_or(0),
    };
    let paid = rows.into_iter().map(row).collect();
    Ok((paid, calls.len()))
}
