//! Chorus as its users start it: one process, or the API and two workers.

use crate::load::{Connection, request};
use crate::services::Services;
use anyhow::{Context as _, Result, bail};
use saga_core::db::{Db, Location};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

const SECRET: &str = "a secret of the benchmark, thirty-two bytes or more";
/// How the heap gives back what is free, as deploy/Dockerfile has it.
const HEAP: &str =
    "glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=65536";
/// Steps of one queue that a worker does at once, where only their number counts.
pub(crate) const MANY: &str = "100";
/// As many as it does unless told otherwise.
pub(crate) const USUAL: &str = "10";

/// How the fleet is laid out.
pub(crate) enum Shape<'s> {
    Embedded,
    Split(&'s Services),
}

/// A running fleet.
pub(crate) struct Fleet {
    pub(crate) api: SocketAddr,
    pub(crate) token: String,
    pub(crate) db: Db,
    pub(crate) processes: Vec<(&'static str, Child)>,
    binary: PathBuf,
    env: Vec<(String, String)>,
    _dir: tempfile::TempDir,
}

/// Builds the binary, optimised, and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = std::process::Command::new(cargo)
        .args(["build", "--release", "-p", "chorus"])
        .status()?;
    if !built.success() {
        bail!("chorus does not build");
    }
    let me = std::env::current_exe()?;
    Ok(me
        .parent()
        .context("a binary is in a folder")?
        .join("chorus"))
}

impl Fleet {
    /// Starts it, with so many steps at once in each worker; one of several processes without its workers.
    pub(crate) async fn start(binary: &Path, shape: Shape<'_>, steps: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let port = free_port().await?;
        let mut env = vec![
            ("PORT".to_owned(), port.to_string()),
            ("HOST".to_owned(), "127.0.0.1".to_owned()),
            ("JWT_SECRET".to_owned(), SECRET.to_owned()),
            ("HASH_PEPPER".to_owned(), SECRET.to_owned()),
            ("DATA_DIR".to_owned(), dir.path().display().to_string()),
            (
                "MEDIA_DIR".to_owned(),
                dir.path().join("media").display().to_string(),
            ),
            ("DEMO_KINDS".to_owned(), "true".to_owned()),
            ("MIGRATE_ON_START".to_owned(), "true".to_owned()),
            ("WORKER_CONCURRENCY".to_owned(), steps.to_owned()),
            // One account on one address is everybody here.
            ("RATE_LIMITS".to_owned(), "off".to_owned()),
            ("RUST_LOG".to_owned(), "warn".to_owned()),
            ("GLIBC_TUNABLES".to_owned(), HEAP.to_owned()),
        ];
        let location = match &shape {
            Shape::Embedded => Location::Sqlite {
                path: dir.path().join("chorus.db"),
            },
            Shape::Split(services) => {
                env.push(("DATABASE_URL".to_owned(), services.postgres.clone()));
                env.push(("AMQP_URL".to_owned(), services.amqp.clone()));
                env.push(("QUEUE_PREFIX".to_owned(), services.prefix.clone()));
                Location::Postgres {
                    url: services.postgres.clone(),
                    connections_max: 2,
                }
            }
        };
        let api = SocketAddr::from(([127, 0, 0, 1], port));
        let mut processes = vec![];
        match shape {
            Shape::Embedded => processes.push(("chorus", spawn(binary, &["dev"], &env)?)),
            Shape::Split(_) => processes.push(("api", spawn(binary, &["api"], &env)?)),
        }
        ready(api).await?;
        let mut fleet = Self {
            api,
            token: String::new(),
            db: Db::open(&location).await?,
            processes,
            binary: binary.to_owned(),
            env,
            _dir: dir,
        };
        fleet.token = fleet.token_of("bench@localhost", "admin").await?;
        Ok(fleet)
    }

    /// Makes a token of somebody, by the command line.
    pub(crate) async fn token_of(&self, email: &str, role: &str) -> Result<String> {
        let minted = Command::new(&self.binary)
            .args(["token", "--email", email, "--role", role])
            .env_clear()
            .envs(self.env.iter().cloned())
            .output()
            .await?;
        let token = String::from_utf8(minted.stdout)?.trim().to_owned();
        if token.is_empty() {
            bail!("no token: {}", String::from_utf8_lossy(&minted.stderr));
        }
        Ok(token)
    }

    /// Whether its workers are processes of their own.
    pub(crate) fn is_split(&self) -> bool {
        self.processes.iter().any(|(name, _)| *name == "api")
    }

    /// Starts the workers of one of several processes.
    pub(crate) async fn start_workers(&mut self) -> Result<()> {
        for queue in ["synthesis", "image"] {
            let mut env = self.env.clone();
            env.push(("WORKER_PORT".to_owned(), free_port().await?.to_string()));
            let worker = spawn(&self.binary, &["worker", queue], &env)?;
            self.processes.push((queue, worker));
        }
        Ok(())
    }

    /// Resident memory of each process, in MiB.
    pub(crate) fn memory(&self) -> Vec<(&'static str, f64)> {
        self.status("VmRSS:")
    }

    /// The most that each process has held, in MiB.
    pub(crate) fn peaks(&self) -> Vec<(&'static str, f64)> {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> Vec<(&'static str, f64)> {
        let read = |child: &Child| -> Option<f64> {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()?)).ok()?;
            let line = status.lines().find(|line| line.starts_with(field))?;
            Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
        };
        self.processes
            .iter()
            .map(|(name, child)| (*name, read(child).unwrap_or_default()))
            .collect()
    }

    /// Processor time of each process so far, in clock ticks (a hundred a second on Linux).
    pub(crate) fn ticks(&self) -> Vec<(&'static str, u64)> {
        let read = |child: &Child| -> Option<u64> {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()?)).ok()?;
            let after: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            Some(after.get(11)?.parse::<u64>().ok()? + after.get(12)?.parse::<u64>().ok()?)
        };
        self.processes
            .iter()
            .map(|(name, child)| (*name, read(child).unwrap_or_default()))
            .collect()
    }

    pub(crate) async fn stop(mut self) {
        self.db.close().await;
        for (_, child) in &mut self.processes {
            drop(child.kill().await);
        }
    }
}

fn spawn(binary: &Path, arguments: &[&str], env: &[(String, String)]) -> Result<Child> {
    Command::new(binary)
        .args(arguments)
        .env_clear()
        .envs(env.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {} {}", binary.display(), arguments.join(" ")))
}

async fn free_port() -> Result<u16> {
    Ok(tokio::net::TcpListener::bind("127.0.0.1:0")
        .await?
        .local_addr()?
        .port())
}

async fn ready(api: SocketAddr) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        if let Ok(mut connection) = Connection::open(api).await
            && connection
                .send(&request("GET", "/readyz", None, None))
                .await
                .is_ok_and(|answer| answer.status == 200)
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("{api} is not ready after 30 s")
}
