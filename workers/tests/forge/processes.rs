//! The worker binaries as they run in production: PostgreSQL, RabbitMQ, one process a queue.

use crate::support::World;
use domain::media;
use saga_core::db::Durability;
use saga_core::state::{SagaState, StepState};
use saga_core::store::{WorkerRow, WorkerState};
use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testing::{held_port, services};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    fn start(program: &str, world: &World, broker: (&str, &str), own: &[(&str, &str)]) -> Self {
        let child = Command::new(program)
            .env_clear()
            .env("DATABASE_URL", world.fresh.url())
            .env("AMQP_URL", broker.0)
            .env("QUEUE_PREFIX", broker.1)
            .env("MEDIA_DIR", world.fresh.dir.path().join("media"))
            .env("PUBLIC_BASE_URL", "https://chorus.example")
            .env("HOST", "127.0.0.1")
            .envs(own.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Asks it to stop, and says how it ended.
    fn stop(self) -> Option<i32> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success());
        self.ended()
    }

    /// Waits until it has ended, and says how.
    fn ended(mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it does not stop"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[tokio::test]
async fn three_processes_forge_a_persona_and_stop_when_asked() {
    let Some((base, amqp)) = services("the worker processes") else {
        return;
    };
    let prefix = format!("t{}", Uuid::now_v7().simple());
    let broker = (amqp.as_str(), prefix.as_str());
    let world = World::new(Some(base), Some(broker)).await;
    let programs = [
        env!("CARGO_BIN_EXE_synthesis-worker"),
        env!("CARGO_BIN_EXE_image-worker"),
        env!("CARGO_BIN_EXE_delivery-worker"),
    ];
    let held = programs.map(|_| held_port());
    let workers = [0, 1, 2].map(|at| {
        let port = held[at].1.to_string();
        Process::start(programs[at], &world, broker, &[("WORKER_PORT", &port)])
    });

    let survey = world.survey().await;
    let saga = world.three_answers(&survey).await;
    world.until(saga, SagaState::Succeeded).await;

    let persona = world.mine(&survey).await.persona.unwrap();
    assert!(!persona.degraded);
    let card = persona.card_media_id.unwrap();
    let card = media::store::find(&world.db, card).await.unwrap().unwrap();
    assert!(world.blobs.path(card.id, "1080").is_file());
    // Somebody who asks after the health and never comes to an end keeps no process.
    let mut slow = TcpStream::connect(("127.0.0.1", held[0].1)).unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost:").unwrap();
    let ends: Vec<Option<i32>> =
        tokio::task::spawn_blocking(|| workers.map(Process::stop).to_vec())
            .await
            .unwrap();
    assert_eq!(ends, [Some(0); 3]);
    world.end().await;
}

#[tokio::test]
async fn a_step_under_way_at_shutdown_is_handed_back_and_not_counted() {
    let Some((base, amqp)) = services("a shutdown amid a step") else {
        return;
    };
    let prefix = format!("t{}", Uuid::now_v7().simple());
    let broker = (amqp.as_str(), prefix.as_str());
    let world = World::new(Some(base), Some(broker)).await;
    // A model that takes the call and says nothing.
    let model = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1", model.local_addr().unwrap());
    let own = [
        ("OPENAI_BASE_URL", address.as_str()),
        ("DRAIN_TIMEOUT_S", "0"),
    ];
    let worker = Process::start(env!("CARGO_BIN_EXE_synthesis-worker"), &world, broker, &own);
    let survey = world.survey().await;
    let saga = world.three_answers(&survey).await;
    let calling = tokio::time::timeout(Duration::from_secs(20), model.accept());
    let (mut call, _) = calling.await.expect("the model is called").unwrap();
    let mut bytes = vec![0; 8 * 1024];
    let length = call.read(&mut bytes).await.unwrap();
    let head = String::from_utf8_lossy(&bytes[..length]).to_lowercase();
    // It came through the store, the broker and another process.
    assert!(head.contains("\r\nx-request-id: test\r\n"), "{head}");

    let ended = tokio::task::spawn_blocking(|| worker.stop()).await.unwrap();
    assert_eq!(ended, Some(0));
    let run = world.client.store().view(&[saga]).await.unwrap();
    let written = run[&saga]
        .steps
        .iter()
        .find(|step| step.step == "persona.write");
    let written = written.unwrap();
    assert_eq!(
        (written.state, written.attempt, written.epoch),
        (StepState::Ready, 0, 1)
    );
    world.end().await;
}

/// Waits until the list of workers is as it should be.
async fn workers_until(world: &World, so: impl Fn(&[WorkerRow]) -> bool) -> Vec<WorkerRow> {
    let began = Instant::now();
    loop {
        let workers = world.client.store().workers().await.unwrap();
        if so(&workers) {
            return workers;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{workers:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_worker_process_shows_itself_and_ends_when_it_is_asked_from_afar() {
    let Some((base, amqp)) = services("a drain from afar") else {
        return;
    };
    let prefix = format!("t{}", Uuid::now_v7().simple());
    let broker = (amqp.as_str(), prefix.as_str());
    let world = World::new(Some(base), Some(broker)).await;
    let program = env!("CARGO_BIN_EXE_synthesis-worker");
    let few = [("WORKER_CONCURRENCY", "2")];
    let leaves = Process::start(program, &world, broker, &few);
    let first = workers_until(&world, |workers| workers.len() == 1)
        .await
        .remove(0);
    let pid = leaves.0.id();
    let named = format!("synthesis-worker-{}-{pid}-", process::name::host());
    assert!(first.id.starts_with(&named), "{first:?}");
    assert_eq!(first.state, WorkerState::Working);
    assert_eq!(first.version, process::VERSION);
    let shares: Vec<_> = first
        .shares
        .iter()
        .map(|one| (one.queue.as_str(), one.slots))
        .collect();
    assert_eq!(shares, [("synthesis", 2)]);
    let stays = Process::start(program, &world, broker, &[]);
    workers_until(&world, |workers| workers.len() == 2).await;

    let mut tx = world.db.begin(Durability::Full).await.unwrap();
    let store = world.client.store();
    store
        .drain_worker(&mut tx, &first.id, ("ana", ""))
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let ended = tokio::task::spawn_blocking(|| leaves.ended())
        .await
        .unwrap();
    assert_eq!(ended, Some(0));
    let left = workers_until(&world, |workers| workers.len() == 1).await;
    assert_ne!(left[0].id, first.id);
    assert_eq!(left[0].state, WorkerState::Working);
    let ended = tokio::task::spawn_blocking(|| stays.stop()).await.unwrap();
    assert_eq!(ended, Some(0));
    assert!(store.workers().await.unwrap().is_empty());
    world.end().await;
}
