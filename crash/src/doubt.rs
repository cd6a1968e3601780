//! The answer to a commit is lost on its way to the API: nobody knows whether it happened, and the client asks
//! again.

use crate::binary::Role;
use crate::door::Door;
use crate::fleet::unarmed;
use crate::ground::Ground;
use crate::proxy::{Line, Proxy};
use crate::services::Services;
use anyhow::{Context as _, ensure};
use axum::http::StatusCode;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

/// What the API accepts, and what its id is called: a job, which is one statement, and a survey, which is a
/// transaction.
const COMMANDS: [(&str, &str, &str); 2] = [
    (r#"{"kind":"demo.pair","input":{}}"#, "/api/v1/jobs", "id"),
    (r#"{"title":"Who am I?"}"#, "/api/v1/surveys", "survey_id"),
];
/// What is sent when the connection ends: anything at all, or the word that commits.
const BYTES: [&[u8]; 2] = [b"", b"COMMIT"];
/// How often each.
const ROUNDS: usize = 6;
const END_MAX: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Debug, Default)]
pub struct Doubted {
    /// Connections that ended without an answer.
    pub unanswered: usize,
    /// Requests that were answered with an error of the server, or not at all.
    pub refused: usize,
    /// Answers that were neither that nor an acceptance.
    pub strange: Vec<String>,
    /// Commands, each sent until it was accepted.
    pub commands: usize,
    /// Different ids that they were answered.
    pub ids: usize,
    /// Jobs and surveys that there are.
    pub there: usize,
}

/// Sends each command over a line that ends in the middle, and again over one that does not.
pub async fn doubt(services: &Services) -> anyhow::Result<Doubted> {
    let ground = Ground::on(services).await?;
    let store = Proxy::before(ground.told("DATABASE_URL")?).await?;
    let mut workers = ground.fleet(unarmed());
    workers.add(Role::Synthesis);
    let mut api = ground.fleet_told("doubting", &[("DATABASE_URL", &store.url)]);
    api.add(Role::Api);
    let door = Door::new(api.ports(), ground.token.clone());
    let (mut doubted, mut ids) = (Doubted::default(), BTreeSet::new());
    for (body, path, name) in COMMANDS {
        let body: Value = serde_json::from_str(body)?;
        for (n, bytes) in (0..ROUNDS).flat_map(|n| BYTES.map(|bytes| (n, bytes))) {
            let key = format!("{path} {n} {}", bytes.len());
            ready(&door).await?;
            store.set(Line::Unanswered(bytes));
            match door.ask(Method::POST, path, &key, Some(&body)).await {
                Ok((status, _)) if status.is_server_error() => doubted.refused += 1,
                Ok((status, _)) if status.is_success() => {}
                Ok((status, said)) => doubted.strange.push(format!("{key}: {status} {said}")),
                Err(_) => doubted.refused += 1,
            }
            store.set(Line::Open);
            let (status, said) = door.insist(Method::POST, path, &key, Some(&body)).await?;
            ensure!(status.is_success(), "{key}: {status} {said}");
            let id = said[name].as_str().context("no id")?.parse::<Uuid>()?;
            let again = door.insist(Method::POST, path, &key, Some(&body)).await?.1;
            ensure!(again[name] == json!(id), "{key}: {id}, and then {again}");
            ids.insert(id);
            doubted.commands += 1;
        }
    }
    doubted.unanswered = store.unanswered();
    doubted.ids = ids.len();
    doubted.there = ground.count("SELECT count(*) FROM surveys").await?
        + ground.count("SELECT count(*) FROM sagas").await?;
    let jobs: Vec<Uuid> = ids.into_iter().collect();
    ensure!(ground.all_end(&jobs, END_MAX).await, "not every job ended");
    api.end().await;
    workers.end().await;
    Ok(doubted)
}

/// Waits until the API has connections again.
async fn ready(door: &Door) -> anyhow::Result<()> {
    crate::until("the API is ready", END_MAX, async || {
        let ready = door.ask(Method::GET, "/readyz", "", None).await;
        matches!(ready, Ok((StatusCode::OK, _)))
    })
    .await
}
