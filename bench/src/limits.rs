//! What this machine can do at all: commits, confirms, bare HTTP.

use crate::load::{self, Clients, rate};
use crate::services::Services;
use anyhow::{Context as _, Result};
use axum::routing::get;
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::net::SocketAddr;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncBufReadExt as _;
use tokio::process::Child;

const COMMITS: usize = 2_000;
const CONFIRMS: usize = 2_000;
const REQUESTS: usize = 60_000;
const PACED: usize = 60;

/// What this machine can do at all.
#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) get: f64,
    pub(crate) commits: Vec<(u32, f64)>,
    pub(crate) confirms_serial: f64,
    pub(crate) confirms_pipelined: f64,
    /// Half of them take less, at the pace of the latency's sagas: a machine that sleeps in between wakes
    /// slowly, and a loop that never lets it sleep tells of another machine.
    pub(crate) commit_paced: Duration,
    pub(crate) confirm_paced: Duration,
}

impl Limits {
    /// The time of three commits and two confirms, one after the other, in loops that do nothing else.
    pub(crate) fn hot_path(&self) -> Option<Duration> {
        let (_, commits) = self
            .commits
            .iter()
            .find(|(connections, _)| *connections == 1)?;
        Some(Duration::from_secs_f64(
            3.0 / commits + 2.0 / self.confirms_serial,
        ))
    }

    /// The same at the pace of the latency's sagas.
    pub(crate) fn paced_path(&self) -> Duration {
        self.commit_paced * 3 + self.confirm_paced * 2
    }
}

/// The bare server, in a process of its own: GET and POST of a small JSON.
pub(crate) async fn serve_bare() -> ExitCode {
    let hello = || async { axum::Json(serde_json::json!({"status": "ok"})) };
    let echo = |axum::Json(body): axum::Json<serde_json::Value>| async move { axum::Json(body) };
    let app = axum::Router::new().route("/", get(hello).post(echo));
    let Ok(listener) = tokio::net::TcpListener::bind("127.0.0.1:0").await else {
        return ExitCode::FAILURE;
    };
    let Ok(address) = listener.local_addr() else {
        return ExitCode::FAILURE;
    };
    crate::report::say(&address.to_string());
    if axum::serve(listener, app).await.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A bare server that runs.
pub(crate) struct Bare {
    _server: Child,
    to: SocketAddr,
}

/// Starts the bare server; it ends with its handle.
pub(crate) async fn bare() -> Result<Bare> {
    let mut server = tokio::process::Command::new(std::env::current_exe()?)
        .arg("bare")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = server
        .stdout
        .take()
        .context("the bare server has no output")?;
    let line = tokio::io::BufReader::new(stdout)
        .lines()
        .next_line()
        .await?
        .context("the bare server said nothing")?;
    Ok(Bare {
        to: line.trim().parse()?,
        _server: server,
    })
}

impl Bare {
    /// GETs a second.
    pub(crate) async fn get(&self) -> Result<f64> {
        let request = |_| load::request("GET", "/", None, None);
        let clients = Clients::on(2);
        Ok(clients.burst(self.to, REQUESTS, false, request).await?.rate)
    }

    /// POSTs a second, of what a saga is started with.
    pub(crate) async fn post(&self, clients: Clients) -> Result<f64> {
        let body = r#"{"kind":"demo.pair","input":{}}"#;
        let request = move |_| load::request("POST", "/", None, Some(body));
        Ok(clients.burst(self.to, REQUESTS, false, request).await?.rate)
    }
}

/// Measures the database and the broker.
pub(crate) async fn services(services: &Services, limits: &mut Limits) -> Result<()> {
    for connections in [1, 8, 32] {
        limits
            .commits
            .push((connections, commits(&services.postgres, connections).await?));
    }
    limits.commit_paced = commit_paced(&services.postgres).await?;
    let connection = Connection::connect(&services.amqp, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString(LongString::from("quorum")),
    );
    let durable = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let name = format!("{}.limits", services.prefix);
    channel
        .queue_declare(name.as_str().into(), durable, arguments)
        .await?;
    let began = Instant::now();
    for _ in 0..CONFIRMS {
        publish(&channel, &name).await?;
    }
    limits.confirms_serial = rate(CONFIRMS, began.elapsed());
    let began = Instant::now();
    for _ in 0..CONFIRMS / 64 * 4 {
        futures_util::future::try_join_all((0..64).map(|_| publish(&channel, &name))).await?;
    }
    limits.confirms_pipelined = rate(CONFIRMS / 64 * 4 * 64, began.elapsed());
    limits.confirm_paced = paced(async || publish(&channel, &name).await).await?;
    channel
        .queue_delete(name.as_str().into(), QueueDeleteOptions::default())
        .await?;
    drop(connection.close(200, "done".into()).await);
    Ok(())
}

/// The median of something done once in a while.
async fn paced(mut once: impl AsyncFnMut() -> Result<()>) -> Result<Duration> {
    let mut clock = tokio::time::interval(crate::measure::PACE);
    let mut times = vec![];
    for _ in 0..PACED {
        clock.tick().await;
        let began = Instant::now();
        once().await?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(load::quantile(&times, 50))
}

/// The median of single-row commits, one once in a while.
async fn commit_paced(url: &str) -> Result<Duration> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    let mut connection = pool.acquire().await?;
    let median = paced(async || insert(&mut connection).await).await?;
    drop(connection);
    pool.close().await;
    Ok(median)
}

async fn insert(connection: &mut sqlx::PgConnection) -> Result<()> {
    sqlx::query("INSERT INTO bench_commits (v) VALUES ($1)")
        .bind("row")
        .execute(connection)
        .await?;
    Ok(())
}

async fn commits(url: &str, connections: u32) -> Result<f64> {
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(connections)
        .connect(url)
        .await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS bench_commits (id BIGSERIAL PRIMARY KEY, v TEXT NOT NULL)",
    )
    .execute(&pool)
    .await?;
    let each = COMMITS / connections as usize;
    let began = Instant::now();
    let lanes = (0..connections).map(|_| {
        let pool = pool.clone();
        async move {
            let mut connection = pool.acquire().await?;
            for _ in 0..each {
                insert(&mut connection).await?;
            }
            Ok::<(), anyhow::Error>(())
        }
    });
    futures_util::future::try_join_all(lanes).await?;
    let measured = rate(each * connections as usize, began.elapsed());
    pool.close().await;
    Ok(measured)
}

async fn publish(channel: &Channel, queue: &str) -> Result<()> {
    let properties = BasicProperties::default().with_delivery_mode(2);
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    channel
        .basic_publish("".into(), queue.into(), mandatory, &[b'x'; 200], properties)
        .await?
        .await?;
    Ok(())
}
