//! An outage leaves hundreds of dead letters; they are replayed as one operation, and the API that works
//! it off is killed in the middle, and a worker with it.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::{Fleet, unarmed};
use crate::ground::Ground;
use crate::plan::{Course, Plan, Trip};
use crate::services::Services;
use crate::until;
use anyhow::{Context as _, bail};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// The step that is out of order, after a paid one.
const BROKEN: &str = "e";
/// Who is killed in the middle.
const API: usize = 0;
const WORKER: usize = 3;
const PATH: &str = "/api/v1/admin/replays";
/// How long any part of it may take.
const PART_MAX: Duration = Duration::from_mins(2);

/// What came of it.
#[derive(Debug)]
pub struct Replayed {
    /// The operation, as the API tells it at its end.
    pub told: Value,
    /// Calls that were paid for, before and after the replay.
    pub paid: (usize, usize),
    /// Sagas that did not end well.
    pub unwell: usize,
    /// Sagas that did not leave each of their rows once.
    pub wrong: usize,
    /// The least time between two letters.
    pub closest: TimeDelta,
    /// Processes that were killed meanwhile.
    pub deaths: usize,
}

/// Parks so many sagas, and replays them at a rate.
pub async fn outage(services: &Services, sagas: usize, rate: u32) -> anyhow::Result<Replayed> {
    let ground = Ground::on(services).await?;
    let mut fleet = ground.fleet(unarmed());
    for role in [Role::Api, Role::Synthesis, Role::Synthesis, Role::Image] {
        fleet.add(role);
    }
    let door = Door::new(fleet.ports(), ground.token.clone());
    let plan = Plan {
        course: Course::Succeed,
        trip: Trip {
            gated: vec![BROKEN.to_owned()],
            ..Trip::default()
        },
    };
    let mut ids = vec![];
    for n in 0..sagas {
        ids.push(door.submit(&format!("outage {n}"), &plan).await?);
    }
    until("every saga is parked", PART_MAX, async || {
        let open = ground.unfinished(&ids).await;
        open.len() == sagas && open.iter().all(|(_, state)| state == "parked")
    })
    .await?;
    let before = ground.provider.calls().len();
    for id in &ids {
        ground.provider.open(*id, BROKEN);
    }
    let told = replay(&door, &fleet, rate).await?;
    until("every saga has ended", PART_MAX, async || {
        ground.unfinished(&ids).await.is_empty()
    })
    .await?;
    let replayed = Replayed {
        paid: (before, ground.provider.calls().len()),
        unwell: ground.count("SELECT count(*) FROM sagas WHERE state <> 'succeeded'").await?,
        wrong: ground.count(
            "SELECT count(*) FROM (SELECT count(*) AS n, count(DISTINCT name) AS names FROM drill_effects GROUP BY saga_id) AS each_saga
              WHERE n <> 6 OR names <> 6",
        )
        .await?,
        closest: closest(&ground, &told).await?,
        deaths: fleet.tally.deaths(),
        told,
    };
    fleet.end().await;
    Ok(replayed)
}

/// Begins the replay, kills the API and the worker of what runs again once a part of it is done, and waits for its end.
async fn replay(door: &Door, fleet: &Fleet, rate: u32) -> anyhow::Result<Value> {
    let body = json!({"select": {"kind": "demo.drill"}, "rate_per_s": rate, "canary": 1, "reason": "it works again"});
    let begun = door.ask(Method::POST, PATH, "all", Some(&body)).await?;
    let (StatusCode::ACCEPTED, Some(id)) = (begun.0, begun.1["id"].as_str()) else {
        bail!("the replay did not begin: {begun:?}");
    };
    let path = format!("{PATH}/{id}");
    let selected = begun.1["selected"].as_i64().context("how many?")?;
    let look = async || match door.ask(Method::GET, &path, "", None).await {
        Ok((StatusCode::OK, told)) => told,
        Ok(_) | Err(_) => Value::Null, // the API is being started again
    };
    until("a third is done", PART_MAX, async || {
        look().await["counts"]["succeeded"]
            .as_i64()
            .is_some_and(|done| done * 3 > selected)
    })
    .await?;
    for member in [API, WORKER] {
        fleet.kill(member).await;
    }
    until("the replay ends", PART_MAX, async || {
        look().await["done"] == true
    })
    .await?;
    Ok(look().await)
}

/// The least time between two letters of a replay.
async fn closest(ground: &Ground, told: &Value) -> anyhow::Result<TimeDelta> {
    let id: Uuid = told["id"].as_str().unwrap_or_default().parse()?;
    let sql = "SELECT started_at FROM replay_letters WHERE replay_id = $1 ORDER BY started_at";
    let begun: Vec<(DateTime<Utc>,)> = ground.db.query(sql).bind(id).all().await?;
    let gaps = begun.windows(2).map(|pair| pair[1].0 - pair[0].0);
    gaps.min().context("fewer than two letters were replayed")
}
