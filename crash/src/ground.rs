//! Where one fleet lives: a store with the drill's table, a broker, a provider, a folder.

use crate::fleet::{Arm, Fleet, Vars};
use crate::provider::Provider;
use crate::services::{Services, folder};
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use saga_core::db::{Db, Durability, Location, Sql};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

const EFFECTS: Sql = Sql {
    postgres: "CREATE TABLE IF NOT EXISTS drill_effects (n BIGSERIAL PRIMARY KEY, saga_id UUID NOT NULL, name TEXT NOT NULL)",
    sqlite: "CREATE TABLE IF NOT EXISTS drill_effects (n INTEGER PRIMARY KEY AUTOINCREMENT, saga_id BLOB NOT NULL, name TEXT NOT NULL)",
};
const UNFINISHED: Sql = Sql {
    postgres: "SELECT id, state FROM sagas WHERE id = ANY($1) AND finished_at IS NULL",
    sqlite: "SELECT id, state FROM sagas WHERE id = $1 AND finished_at IS NULL",
};

const DONE: &str =
    "SELECT count(*) FROM steps WHERE state = 'done' AND finished_at BETWEEN $1 AND $2";
const QUEUES: [&str; 2] = ["chorus.synthesis.v1", "chorus.image.v1"];
const TIMES: Sql = Sql {
    postgres: "SELECT created_at, finished_at FROM sagas WHERE id = ANY($1) AND finished_at IS NOT NULL",
    sqlite: "SELECT created_at, finished_at FROM sagas WHERE id = $1 AND finished_at IS NOT NULL",
};

/// Where one fleet lives; dropping it removes its folder.
pub struct Ground {
    /// The store, as the harness reads it.
    pub db: Db,
    /// Who is paid.
    pub provider: Arc<Provider>,
    /// Logs, and an embedded store.
    pub dir: PathBuf,
    /// What its API takes for an administrator.
    pub token: String,
    /// The broker's URL; none when embedded.
    amqp: Option<String>,
    vars: Vars,
}

impl Ground {
    /// A ground on the private servers.
    pub async fn on(services: &Services) -> anyhow::Result<Self> {
        Self::at(services.fresh().await?).await
    }

    /// A ground on the private servers whose database is in this folder.
    pub async fn on_small(services: &Services, folder: &Path) -> anyhow::Result<Self> {
        Self::at(services.fresh_in(folder).await?).await
    }

    /// A ground whose processes reach the two services at these URLs.
    pub async fn at((database, amqp): (String, String)) -> anyhow::Result<Self> {
        crate::binary::build().await?;
        let location = Location::Postgres {
            url: database.clone(),
            connections_max: 4,
        };
        let urls = [
            ("DATABASE_URL".to_owned(), database),
            ("AMQP_URL".to_owned(), amqp),
            ("RATE_LIMITS".to_owned(), "off".to_owned()), // one account asks for everything
        ];
        Self::make(location, folder("crash-fleet")?, urls.to_vec()).await
    }

    /// A ground on an SQLite file.
    pub async fn embedded() -> anyhow::Result<Self> {
        Self::embedded_in(folder("crash-store")?).await
    }

    /// A ground on an SQLite file in this folder, which is removed with it.
    pub async fn embedded_in(dir: PathBuf) -> anyhow::Result<Self> {
        crate::binary::build().await?;
        let path = dir.join("chorus.db");
        Self::make(Location::Sqlite { path }, dir, vec![]).await
    }

    async fn make(location: Location, dir: PathBuf, urls: Vars) -> anyhow::Result<Self> {
        let db = Db::open(&location).await.context("opening the store")?;
        db.migrate().await.context("making the tables")?;
        let mut tx = db.begin(Durability::Full).await?;
        tx.query(EFFECTS).execute().await?;
        tx.commit().await?;
        let provider = Arc::new(Provider::start().await?);
        let named = |(name, url): &(String, String)| (name == "AMQP_URL").then(|| url.clone());
        let amqp = urls.iter().find_map(named);
        let data = dir.display().to_string();
        let fixed = [
            ("CHORUS_DRILL", provider.url.as_str()),
            ("HOST", "127.0.0.1"),
            ("DB_POOL_MAX", "6"),
            ("RUST_LOG", "warn"),
            ("DATA_DIR", &data),
            ("DEMO_KINDS", "true"),
            ("JWT_SECRET", "a secret that only the crash suite knows"),
            ("HASH_PEPPER", "a pepper that only the crash suite knows"),
            ("LEASE_SECONDS", "1.5"),
            ("SWEEP_SECONDS", "0.25"),
        ];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let vars: Vars = fixed.into_iter().chain(urls).collect();
        let token = crate::binary::token(&vars).await?;
        Ok(Self {
            db,
            provider,
            dir,
            token,
            amqp,
            vars,
        })
    }

    /// Sets a variable for every process of fleets made from now on.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.into()));
        self
    }

    /// A fleet on this ground; it has no members yet.
    pub fn fleet(&self, arm: Arm) -> Fleet {
        Fleet::new(self.dir.clone(), self.vars.clone(), arm)
    }

    /// A second fleet, of this name and unarmed, of processes that are told otherwise: the last value counts.
    pub fn fleet_told(&self, name: &str, told: &[(&str, &str)]) -> Fleet {
        let told = (told.iter()).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let vars = self.vars.iter().cloned().chain(told).collect();
        Fleet::new(self.dir.join(name), vars, crate::fleet::unarmed())
    }

    /// What every process is told under this name.
    pub fn told(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.vars.iter().rev().find(|(known, _)| known == name);
        let value = found.map(|(_, value)| value.as_str());
        value.with_context(|| format!("no process is told {name}"))
    }

    /// What a statement counts.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<usize> {
        Ok(usize::try_from(self.db.query(sql).scalar::<i64>().await?)?)
    }

    /// How many lines of the fleets' logs hold these words.
    pub fn logged(&self, words: &str) -> anyhow::Result<usize> {
        let mut lines = 0;
        let mut folders = vec![self.dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|kind| kind == "log") {
                    let log = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
                    lines += log.lines().filter(|line| line.contains(words)).count();
                }
            }
        }
        Ok(lines)
    }

    /// Deletes one queue or the other at the broker, in turn, with whatever is in it.
    pub async fn delete_queue(&self, turn: usize) -> anyhow::Result<()> {
        let url = self.amqp.clone().context("there is no broker")?;
        let connection =
            lapin::Connection::connect(&url, lapin::ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let options = lapin::options::QueueDeleteOptions::default();
        channel
            .queue_delete(QUEUES[turn % QUEUES.len()].into(), options)
            .await?;
        connection.close(200, "done".into()).await?;
        Ok(())
    }

    /// Which of these sagas have not ended, with their states. Asks until the store answers.
    pub async fn unfinished(&self, ids: &[Uuid]) -> Vec<(Uuid, String)> {
        loop {
            match self.db.read(UNFINISHED, ids).await {
                Ok(rows) => return rows,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            }
        }
    }

    /// Steps a second, by the store's own clock, from the first accept of these sagas to the last end. Those
    /// of other sagas count, too: it is the fleet's work.
    pub async fn rate(&self, ids: &[Uuid]) -> anyhow::Result<f64> {
        let times: Vec<(DateTime<Utc>, DateTime<Utc>)> = self.db.read(TIMES, ids).await?;
        let accepted = times.iter().map(|(accepted, _)| *accepted).min();
        let ended = times.iter().map(|(_, ended)| *ended).max();
        let (Some(accepted), Some(ended)) = (accepted, ended) else {
            return Ok(0.0);
        };
        let done = self.db.query(DONE).bind(accepted).bind(ended);
        let steps = f64::from(u32::try_from(done.scalar::<i64>().await?)?);
        Ok(steps / (ended - accepted).as_seconds_f64())
    }

    /// Waits until all of these have ended; false when time ran out.
    pub async fn all_end(&self, ids: &[Uuid], within: std::time::Duration) -> bool {
        let began = std::time::Instant::now();
        while !self.unfinished(ids).await.is_empty() {
            if began.elapsed() > within {
                return false;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        true
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if std::env::var_os("CRASH_KEEP").is_some() {
            eprintln!("crash: kept {}", self.dir.display());
        } else {
            drop(std::fs::remove_dir_all(&self.dir));
        }
    }
}
