//! Health: told at once, whatever the dependencies do.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use process::{Fleet, Probe, Settings, health};
use saga_core::Kinds;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

async fn ask(probe: &Probe, path: &str) -> (StatusCode, String) {
    let router: axum::Router = health::routes(probe.clone());
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn wait_until(what: &str, met: impl Fn() -> bool) {
    let started = Instant::now();
    while !met() {
        assert!(started.elapsed() < Duration::from_secs(10), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn open(data: &tempfile::TempDir, stop: &CancellationToken) -> Fleet {
    let settings = Settings::embedded_in(data.path()).unwrap();
    let probe = Probe::new(stop.clone());
    Fleet::open(&settings, Kinds::default(), "test", probe, stop.clone())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_process_that_knows_nothing_yet_lives_and_is_not_ready() {
    let probe = Probe::new(CancellationToken::new());
    assert_eq!(ask(&probe, "/livez").await.0, StatusCode::OK);
    let (status, told) = ask(&probe, "/readyz?verbose").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        told,
        "broker: unknown\ndatabase: unknown\nmigrations: unknown\ndraining: no\nnot ready\n"
    );
    let (status, told) = ask(&probe, "/health").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told.contains(r#""status":"degraded""#), "{told}");
}

#[tokio::test]
async fn a_process_is_ready_until_it_drains() {
    let (data, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let fleet = open(&data, &stop).await;
    wait_until("ready", || fleet.probe.ready()).await;
    let (status, told) = ask(&fleet.probe, "/health").await;
    assert_eq!(status, StatusCode::OK);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["status"], &told["service"]),
        (&"ok".into(), &"chorus".into())
    );
    assert_eq!(told["dependencies"]["migrations"], "ok");
    stop.cancel();
    let (status, told) = ask(&fleet.probe, "/readyz").await;
    assert_eq!(
        (status, told.as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    );
    assert_eq!(ask(&fleet.probe, "/livez").await.0, StatusCode::OK);
    fleet.close().await;
}

#[tokio::test]
async fn health_is_told_at_once_while_the_database_hangs() {
    let (data, stop) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let fleet = open(&data, &stop).await;
    wait_until("ready", || fleet.probe.ready()).await;
    let saga_core::db::Db::Sqlite { read, .. } = fleet.store.db() else {
        panic!("embedded mode stands on SQLite")
    };
    let mut taken = vec![];
    for _ in 0..4 {
        taken.push(read.acquire().await.unwrap()); // from now on nobody gets a connection
    }
    let down = || fleet.probe.report().database.word() == "down";
    wait_until("the database is down", down).await;
    let asked = Instant::now();
    assert_eq!(
        ask(&fleet.probe, "/health").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let (status, told) = ask(&fleet.probe, "/readyz").await;
    assert_eq!(status, StatusCode::OK, "accepting commands goes on");
    assert_eq!(told, "database: down\nready\n", "and what is down is told");
    assert!(asked.elapsed() < Duration::from_millis(50));
    drop(taken);
    wait_until("the database is back", || fleet.probe.report().ok()).await;
    stop.cancel();
    fleet.close().await;
}
