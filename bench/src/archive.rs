//! A store with a long past: what its lists take, and whether the fleet on it is as fast as on an empty one.

use crate::fleet::Fleet;
use crate::load::{Clients, Connection, quantile, rate, request};
use crate::services::Services;
use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::time::{Duration, Instant};

/// Sagas that have ended, and that have not: these are parked, each with its letter.
const ENDED: i32 = 1_000_000;
const PARKED: i32 = 10_000;
/// Accounts that they are of.
const OWNERS: i32 = 1_000;
/// Sagas of a round that tells how fast the fleet is, and rounds.
const SAGAS: usize = 6_000;
const ROUNDS: usize = 3;
/// How often each list is asked for.
const QUESTIONS: usize = 200;
const WAIT_MAX: Duration = Duration::from_mins(2);

/// What was measured.
pub(crate) struct Archive {
    /// Sagas a second on the empty store, and on the full one.
    pub(crate) empty: f64,
    pub(crate) full: f64,
    /// Each list, by its address.
    pub(crate) lists: Vec<List>,
}

/// How long a list takes.
pub(crate) struct List {
    pub(crate) path: String,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

pub(crate) async fn all(fleet: &mut Fleet, services: &Services) -> Result<Archive> {
    fleet.start_workers().await?;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&services.postgres)
        .await?;
    sqlx::query("SET search_path = chorus")
        .execute(&pool)
        .await?;
    round(fleet, &pool).await.context("warming up")?;
    let empty = rounds(fleet, &pool).await.context("on the empty store")?;
    let began = Instant::now();
    fill(fleet, &pool).await.context("filling the store")?;
    crate::report::say(&format!(
        "filled in {:.0} s: {ENDED} sagas that ended, {PARKED} parked",
        began.elapsed().as_secs_f64()
    ));
    let full = rounds(fleet, &pool).await.context("on the full store")?;
    let mut lists = vec![];
    for path in paths(&pool).await? {
        lists.push(
            list(fleet, &path)
                .await
                .with_context(|| format!("asking for {path}"))?,
        );
    }
    pool.close().await;
    Ok(Archive { empty, full, lists })
}

/// The median of some rounds.
async fn rounds(fleet: &Fleet, pool: &PgPool) -> Result<f64> {
    let mut rates = vec![];
    for _ in 0..ROUNDS {
        rates.push(round(fleet, pool).await?);
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[ROUNDS / 2])
}

/// Sagas of two steps a second, by the store's clock: from the first that was taken to the last that ended.
async fn round(fleet: &Fleet, pool: &PgPool) -> Result<f64> {
    let began: DateTime<Utc> = sqlx::query_scalar("SELECT statement_timestamp()")
        .fetch_one(pool)
        .await?;
    start(fleet, "demo.pair", SAGAS).await?;
    let waited = Instant::now();
    loop {
        let (ended, first, last): (i64, Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
            sqlx::query_as("SELECT count(finished_at), min(started_at), max(finished_at) FROM sagas WHERE created_at >= $1")
                .bind(began)
                .fetch_one(pool)
                .await?;
        if let (Some(first), Some(last)) = (first, last)
            && usize::try_from(ended)? == SAGAS
        {
            return Ok(rate(SAGAS, (last - first).to_std()?));
        }
        if waited.elapsed() > WAIT_MAX {
            bail!("only {ended} of {SAGAS} sagas ended");
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn start(fleet: &Fleet, kind: &str, count: usize) -> Result<()> {
    let (token, body) = (
        fleet.token.clone(),
        format!(r#"{{"kind":"{kind}","input":{{}}}}"#),
    );
    let each = move |_| request("POST", "/api/v1/jobs", Some(&token), Some(&body));
    Clients::on(1).burst(fleet.api, count, false, each).await?;
    Ok(())
}

/// Copies one saga that ended and one that is parked, with all that belongs to them, over the last 30 days.
async fn fill(fleet: &Fleet, pool: &PgPool) -> Result<()> {
    start(fleet, "demo.fail", 1).await?;
    let began = Instant::now();
    while sqlx::query("SELECT 1 FROM letters WHERE state = 'open'")
        .fetch_optional(pool)
        .await?
        .is_none()
    {
        if began.elapsed() > WAIT_MAX {
            bail!("no saga was parked");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for (state, copies) in [("succeeded", ENDED), ("parked", PARKED)] {
        for statement in COPIES {
            sqlx::query(statement)
                .bind(state)
                .bind(copies)
                .bind(OWNERS)
                .execute(pool)
                .await?;
        }
    }
    sqlx::query("VACUUM (ANALYZE)").execute(pool).await?;
    Ok(())
}

// The n-th copy's id follows from its time, as those of real sagas do, and its letter's from the saga's. What
// a statement does not need of the three values it names all the same, so that one way to bind fits all.
macro_rules! copy {
    ($table:literal, $from:literal, $saga:literal, $change:literal) => {
        concat!(
            "WITH one AS (SELECT id, letter_id FROM sagas WHERE state = $1 ORDER BY created_at LIMIT 1),
                  copies AS (
                      SELECT n, statement_timestamp() - n * interval '2 s' AS at,
                             CAST(md5('owner' || n % $3) AS UUID) AS owner,
                             CAST(lpad(to_hex(CAST(extract(epoch FROM date_trunc('hour', statement_timestamp())) * 1000 - n * 2000.0 AS BIGINT)), 12, '0')
                                  || '7' || substr(md5($1 || n), 1, 3) || '8' || substr(md5($1 || n), 4, 15) AS UUID) AS id
                        FROM generate_series(1, $2) AS n)
             INSERT INTO ", $table, "
             SELECT changed.* FROM one, ", $from, " AS old, copies, LATERAL jsonb_populate_record(old, ", $change, ") AS changed
              WHERE old.", $saga, " = one.id"
        )
    };
}

const COPIES: [&str; 4] = [
    copy!(
        "sagas",
        "sagas",
        "id",
        "jsonb_build_object('id', copies.id, 'owner_id', owner, 'request_id', 'request-' || $1 || '-' || n,
             'letter_id', CASE WHEN old.letter_id IS NULL THEN NULL ELSE md5('letter' || n) END,
             'created_at', copies.at, 'started_at', copies.at, 'updated_at', copies.at,
             'finished_at', CASE WHEN old.finished_at IS NULL THEN NULL ELSE copies.at END)"
    ),
    copy!(
        "steps",
        "steps",
        "saga_id",
        "jsonb_build_object('saga_id', copies.id, 'created_at', copies.at, 'owner', owner,
             'letter_id', CASE WHEN old.letter_id IS NULL THEN NULL ELSE md5('letter' || n) END)"
    ),
    copy!(
        "events",
        "events",
        "saga_id",
        "jsonb_build_object('saga_id', copies.id, 'at', copies.at, 'owner', owner)"
    ),
    copy!(
        "letters",
        "letters",
        "saga_id",
        "jsonb_build_object('id', md5('letter' || n), 'saga_id', copies.id, 'created_at', copies.at, 'owner', owner)"
    ),
];

/// What operators ask for.
async fn paths(pool: &PgPool) -> Result<Vec<String>> {
    let letter: uuid::Uuid = sqlx::query_scalar("SELECT id FROM letters ORDER BY id LIMIT 1")
        .fetch_one(pool)
        .await?;
    let owner: uuid::Uuid = sqlx::query_scalar("SELECT CAST(md5('owner1') AS UUID)")
        .fetch_one(pool)
        .await?;
    let of_sagas = [
        String::new(),
        "?kind=demo.pair".to_owned(),
        "?kind=demo.fail".to_owned(),
        "?state=parked".to_owned(),
        "?state=succeeded".to_owned(),
        "?state=live".to_owned(),
        "?older_than=7d".to_owned(),
        "?request_id=request-succeeded-500000".to_owned(),
        "?text=nowhere".to_owned(),
        format!("?owner={owner}"),
        format!("?state=live&owner={owner}"),
    ];
    let of_letters = ["", "?state=open", "?kind=demo.fail", "/groups?by=error"];
    let others = [
        "queues",
        "workers",
        "replays",
        "audit",
        "costs",
        "ai-requests",
        "limits",
    ];
    Ok(of_sagas
        .iter()
        .map(|query| format!("/api/v1/admin/sagas{query}"))
        .chain(of_letters.map(|query| format!("/api/v1/admin/dead-letters{query}")))
        .chain([format!("/api/v1/admin/dead-letters/{letter}")])
        .chain(others.map(|noun| format!("/api/v1/admin/{noun}")))
        .collect())
}

async fn list(fleet: &Fleet, path: &str) -> Result<List> {
    let mut connection = Connection::open(fleet.api).await?;
    let question = request("GET", path, Some(&fleet.token), None);
    let mut times = vec![];
    for _ in 0..QUESTIONS {
        let began = Instant::now();
        let answer = connection.send(&question).await?;
        times.push(began.elapsed());
        if answer.status != 200 {
            bail!(
                "status {}: {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            );
        }
    }
    times.sort();
    Ok(List {
        path: path.to_owned(),
        p50: quantile(&times, 50),
        p99: quantile(&times, 99),
    })
}
