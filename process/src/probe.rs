//! What is known about the health of a process: looked up in the background, answered at once.

use metrics::gauge;
use saga_core::Store;
use saga_core::transport::{Health, Transport};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the dependencies are asked.
const EVERY: Duration = Duration::from_secs(1);
/// How long one may take before it counts as down.
const ANSWER_MAX: Duration = Duration::from_secs(2);

const DEPENDENCY_UP: &str = "chorus_dependency_up";

/// One dependency, as it was found last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Not asked yet.
    #[default]
    Unknown,
    /// It answers.
    Ok,
    /// It does not; why.
    Down(String),
}

impl Check {
    /// The word in `/health`. Reasons stay in the log: they may name hosts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Ok => "ok",
            Self::Down(_) => "down",
        }
    }
}

/// Everything that is asked.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The store.
    pub database: Check,
    /// The transport.
    pub broker: Check,
    /// Whether the tables are those of this program.
    pub migrations: Check,
}

impl Report {
    /// The checks by name.
    pub fn checks(&self) -> BTreeMap<&'static str, &Check> {
        [
            ("database", &self.database),
            ("broker", &self.broker),
            ("migrations", &self.migrations),
        ]
        .into()
    }
    /// Whether every dependency answers.
    pub fn ok(&self) -> bool {
        self.checks().values().all(|check| **check == Check::Ok)
    }
}

/// What is known about the health of this process. Reading it never waits.
#[derive(Clone)]
pub struct Probe(Arc<Known>);

struct Known {
    since: Instant,
    report: RwLock<Report>,
    answered: AtomicBool,
    draining: CancellationToken,
    transport: OnceLock<Transport>,
}

impl Probe {
    /// A probe that knows nothing yet; `stop` is the signal at which the process drains.
    pub fn new(stop: CancellationToken) -> Self {
        let known = Known {
            since: Instant::now(),
            report: RwLock::default(),
            answered: AtomicBool::new(false),
            draining: stop,
            transport: OnceLock::new(),
        };
        Self(Arc::new(known))
    }

    /// What was found last.
    pub fn report(&self) -> Report {
        self.0
            .report
            .read()
            .map(|report| report.clone())
            .unwrap_or_default()
    }
    /// Whether the process may be given work: every dependency has answered once, and it is not draining.
    pub fn ready(&self) -> bool {
        self.0.answered.load(Ordering::Relaxed) && !self.draining()
    }
    /// Whether the process is on its way out.
    pub fn draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }
    /// How many consume a queue now, in all processes; none when nobody can tell.
    pub async fn consumers(&self, queue: &str) -> Option<u64> {
        let transport = self.0.transport.get()?;
        let told = tokio::time::timeout(ANSWER_MAX, transport.consumers(queue)).await;
        told.ok().flatten()
    }
    /// How long the process has been there.
    pub fn uptime(&self) -> Duration {
        self.0.since.elapsed()
    }

    /// Asks the dependencies every second until shutdown.
    pub async fn run(self, store: Store, transport: Transport, shutdown: CancellationToken) {
        let _ = self.0.transport.set(transport.clone());
        let mut migrated = false;
        while !shutdown.is_cancelled() {
            let database = ask(store.db().ping()).await;
            // Once up to date, they stay so: nobody takes a migration back.
            if !migrated
                && let Ok(Ok(pending)) =
                    tokio::time::timeout(ANSWER_MAX, store.db().pending()).await
            {
                migrated = pending.0.is_empty();
            }
            let migrations = if migrated {
                Check::Ok
            } else {
                Check::Down("pending, or the database does not answer".to_owned())
            };
            let broker = match transport.health() {
                Health::Up => Check::Ok,
                Health::Down(why) => Check::Down(why),
            };
            self.keep(Report {
                database,
                broker,
                migrations,
            });
            // The first good report is waited for; after it, once a second is enough.
            let pause = if self.0.answered.load(Ordering::Relaxed) {
                EVERY
            } else {
                EVERY / 10
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    fn keep(&self, report: Report) {
        for (name, now) in report.checks() {
            gauge!(DEPENDENCY_UP, "dependency" => name).set(f64::from(u8::from(*now == Check::Ok)));
            match (self.report().checks()[name], now) {
                (Check::Ok, Check::Down(why)) => {
                    tracing::warn!(dependency = name, why, "The {name} stopped answering");
                }
                (Check::Down(_), Check::Ok) => {
                    tracing::info!(dependency = name, "The {name} answers");
                }
                (Check::Unknown | Check::Ok | Check::Down(_), _) => {}
            }
        }
        if report.ok() {
            self.0.answered.store(true, Ordering::Relaxed);
        }
        if let Ok(mut known) = self.0.report.write() {
            *known = report;
        }
    }
}

async fn ask<E: std::fmt::Display>(answer: impl Future<Output = Result<(), E>>) -> Check {
    match tokio::time::timeout(ANSWER_MAX, answer).await {
        Ok(Ok(())) => Check::Ok,
        Ok(Err(error)) => Check::Down(error.to_string()),
        Err(_) => Check::Down(format!("no answer within {} s", ANSWER_MAX.as_secs())),
    }
}
