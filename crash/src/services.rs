//! A PostgreSQL and a RabbitMQ that may be killed: `scripts/services` starts and stops them.

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::process::Command;

/// Virtual hosts that are made at once: each fleet of a test takes one.
const VHOSTS: usize = 40;

/// One of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// PostgreSQL.
    Store,
    /// RabbitMQ.
    Broker,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Store => "postgres",
            Self::Broker => "rabbitmq",
        }
    }
}

/// A private pair of servers; dropping it, or the end of this process, stops them and removes their
/// folder.
pub struct Services {
    dir: PathBuf,
    taken: AtomicUsize,
    end: Child,
}

/// The top of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// A fresh folder that the servers' users may enter.
pub fn folder(name: &str) -> anyhow::Result<PathBuf> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let unique = format!(
        "chorus-{name}-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let dir = std::env::temp_dir().join(unique);
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

impl Services {
    /// Starts the pair; takes some seconds.
    pub async fn start() -> anyhow::Result<Self> {
        let dir = folder("crash-services")?;
        let services = Self {
            end: stop_at_the_end(&dir)?,
            dir,
            taken: AtomicUsize::new(0),
        };
        services.script(&["private"], &[]).await?;
        let each = "rabbit_vhost:add(V, <<\"crash\">>), rabbit_auth_backend_internal:set_permissions(<<\"guest\">>, V, <<\".*\">>, <<\".*\">>, <<\".*\">>, <<\"crash\">>)";
        let all = format!(
            "[begin V = list_to_binary(\"v\" ++ integer_to_list(N)), {each} end || N <- lists:seq(0, {})].",
            VHOSTS - 1
        );
        services.ctl(&["eval", &all]).await?;
        Ok(services)
    }

    /// A database and a virtual host with nothing in them: their URLs.
    pub async fn fresh(&self) -> anyhow::Result<(String, String)> {
        self.fresh_with("").await
    }

    async fn fresh_with(&self, how: &str) -> anyhow::Result<(String, String)> {
        let n = self.taken.fetch_add(1, Ordering::Relaxed);
        ensure!(n < VHOSTS, "more than {VHOSTS} fleets in one run");
        self.sql(&format!("CREATE DATABASE crash{n}{how}")).await?;
        let postgres = self.value("CHORUS_TEST_POSTGRES")?;
        let (server, _) = postgres.rsplit_once('/').context("a database URL")?;
        let amqp = self.value("CHORUS_TEST_AMQP")?;
        let (broker, _) = amqp.rsplit_once('/').context("a broker URL")?;
        Ok((format!("{server}/crash{n}"), format!("{broker}/v{n}")))
    }

    async fn sql(&self, sql: &str) -> anyhow::Result<()> {
        sql_at(&self.value("CHORUS_TEST_POSTGRES")?, sql).await
    }

    /// Kills the broker with -9 and starts it again.
    pub async fn broker_dies(&self) -> anyhow::Result<()> {
        self.end(Server::Broker).await?;
        self.begin(Server::Broker).await
    }

    /// Has PostgreSQL drop everything at once, as after a power cut, and starts it again.
    pub async fn postgres_restarts(&self) -> anyhow::Result<()> {
        self.end(Server::Store).await?;
        self.begin(Server::Store).await
    }

    /// Ends a server with no time to do anything about it.
    pub async fn end(&self, server: Server) -> anyhow::Result<()> {
        match server {
            Server::Broker => self.script(&["kill"], &["rabbitmq"]).await,
            Server::Store => self.script(&["kill"], &["postgres", "QUIT"]).await,
        }
    }

    /// Starts a server that was ended, and waits until it answers.
    pub async fn begin(&self, server: Server) -> anyhow::Result<()> {
        self.script(&["start"], &[server.name()]).await
    }

    /// Stops the broker in whatever it is at, with every connection open, or has it go on.
    pub fn freeze_broker(&self, on: bool) -> anyhow::Result<()> {
        let pid = self.value("CHORUS_RABBITMQ_PID")?.parse::<i32>()?;
        let pid = Pid::from_raw(pid).context("a process number")?;
        let signal = if on { Signal::STOP } else { Signal::CONT };
        Ok(kill_process(pid, signal)?)
    }

    /// Has the broker close every channel on which a delivery stays unacknowledged for longer than this.
    pub async fn consumers_must_ack_within(&self, limit: Duration) -> anyhow::Result<()> {
        let (limit, look) = (limit.as_millis(), limit.as_millis() / 4);
        let told = format!(
            "application:set_env(rabbit, consumer_timeout, {limit}), application:set_env(rabbit, channel_tick_interval, {look})."
        );
        self.ctl(&["eval", &told]).await
    }

    /// Starts a second PostgreSQL that follows the first, by whatever listens at this port on the way there.
    pub async fn standby(&self, port: u16) -> anyhow::Result<()> {
        self.script(&["standby"], &[&port.to_string()]).await
    }

    /// The URL of the same database at the standby.
    pub fn at_standby(&self, database: &str) -> anyhow::Result<String> {
        let mut url = reqwest::Url::parse(database)?;
        let port = self.value("CHORUS_STANDBY_PORT")?.parse()?;
        ensure!(url.set_port(Some(port)).is_ok(), "{database} has no port");
        Ok(url.into())
    }

    /// Whether a commit waits until the standby has it.
    pub async fn commits_wait_for_standby(&self, wait: bool) -> anyhow::Result<()> {
        let names = if wait { "*" } else { "" };
        self.sql(&format!(
            "ALTER SYSTEM SET synchronous_standby_names = '{names}'"
        ))
        .await?;
        self.sql("SELECT pg_reload_conf()").await
    }

    /// Kills PostgreSQL with -9 for good, and has the standby take its place.
    pub async fn fail_over(&self) -> anyhow::Result<()> {
        self.script(&["kill"], &["postgres"]).await?;
        let standby = self.at_standby(&self.value("CHORUS_TEST_POSTGRES")?)?;
        sql_at(&standby, "SELECT pg_promote()").await
    }

    /// Has the broker believe that it is out of memory, or that it has plenty.
    pub async fn memory_alarm(&self, on: bool) -> anyhow::Result<()> {
        let share = if on { "0.00001" } else { "0.6" };
        self.ctl(&["set_vm_memory_high_watermark", share]).await
    }

    /// Where whoever runs PostgreSQL keeps its data.
    pub fn postgres_data(&self) -> PathBuf {
        self.dir.join("postgres/data")
    }

    /// As [`Services::fresh`], the database in this folder.
    pub async fn fresh_in(&self, folder: &Path) -> anyhow::Result<(String, String)> {
        let name = format!("small{}", self.taken.load(Ordering::Relaxed));
        let path = folder.display();
        let made = format!("CREATE TABLESPACE {name} LOCATION '{path}'");
        self.sql(&made).await?;
        self.fresh_with(&format!(" TABLESPACE {name}")).await
    }

    async fn ctl(&self, args: &[&str]) -> anyhow::Result<()> {
        self.script(&["ctl"], args).await
    }

    fn value(&self, key: &str) -> anyhow::Result<String> {
        let env = std::fs::read_to_string(self.dir.join("env"))?;
        let found = env
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found
            .map(str::to_owned)
            .with_context(|| format!("{key} is not known of the private servers"))
    }

    async fn script(&self, before: &[&str], after: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(root().join("scripts/services"));
        let ran = command
            .args(before)
            .arg(&self.dir)
            .args(after)
            .output()
            .await?;
        if !ran.status.success() {
            bail!(
                "scripts/services {before:?} {after:?}: {}",
                String::from_utf8_lossy(&ran.stderr)
            );
        }
        Ok(())
    }
}

async fn sql_at(url: &str, sql: &str) -> anyhow::Result<()> {
    let ran = Command::new("psql")
        .args(["-X", "-q", "-w", url, "-c", sql])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{said}");
    Ok(())
}

impl Drop for Services {
    fn drop(&mut self) {
        drop(self.end.stdin.take());
        if !self.end.wait().is_ok_and(|ended| ended.success()) {
            eprintln!(
                "crash: the private servers under {} could not be stopped",
                self.dir.display()
            );
        }
    }
}

/// Waits for the end of this process, however it comes, and stops the servers then.
fn stop_at_the_end(dir: &Path) -> std::io::Result<Child> {
    const WAIT: &str = r#"trap '' INT TERM HUP; read -r _; "$0" stop "$1"; rm -rf "$1""#;
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", WAIT])
        .arg(root().join("scripts/services"))
        .arg(dir);
    // Not of the terminal's group: Ctrl-C is for the harness.
    shell
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}
