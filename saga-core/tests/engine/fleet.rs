//! Workers show themselves, are missed when they are gone, and leave when they are asked to.

use crate::doer::Doer;
use crate::sagas::deed;
use crate::stories::Told;
use crate::support::{World, combinations};
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::Durability;
use saga_core::state::SagaState;
use saga_core::store::{Beat, DrainError, Share, WorkerRow, WorkerState};
use saga_core::{Saga, StepError};
use std::time::Duration;
use uuid::Uuid;

async fn named(world: &World, name: &str) -> Option<WorkerRow> {
    let workers = world.store.workers().await.unwrap();
    workers.into_iter().find(|worker| worker.id == name)
}

/// Waits until a worker is as it should be.
async fn until(world: &World, name: &str, what: &str, so: impl Fn(Option<&WorkerRow>) -> bool) {
    let found = async || so(named(world, name).await.as_ref());
    world.wait(what, found, Uuid::nil()).await;
}

async fn drain(world: &World, name: &str) -> Result<WorkerRow, DrainError> {
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let drained = world
        .store
        .drain_worker(&mut tx, name, ("ana", "new version"))
        .await;
    tx.commit().await.unwrap();
    drained
}

/// The worker's share of the queue `left`.
fn left(worker: &WorkerRow) -> &Share {
    let mut shares = worker.shares.iter();
    shares.find(|share| share.queue == "left").unwrap()
}

/// Shows a worker that is no process, and when it was seen.
async fn seen_at(world: &World, name: &str, at: DateTime<Utc>) {
    let beat = Beat {
        id: name.to_owned(),
        host: "far".to_owned(),
        version: "1".to_owned(),
        shares: vec![],
        draining: false,
    };
    world.store.beat(&beat).await.unwrap();
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let moved = tx
        .query("UPDATE workers SET seen_at = $2 WHERE id = $1")
        .bind(name.to_owned())
        .bind(at)
        .execute();
    assert_eq!(moved.await.unwrap(), 1);
    tx.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_shows_what_it_is_at_and_is_gone_when_it_has_ended() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.doer.hold("do a");
        let (stop, ended) = world.worker("one");
        let saga = world.tell(Told::KIND, |flow| flow.step(deed("a"))).await;
        until(&world, "one", "it is busy", |worker| {
            worker.is_some_and(|worker| left(worker).busy == 1)
        })
        .await;
        let worker = named(&world, "one").await.unwrap();
        assert_eq!(worker.state, WorkerState::Working);
        assert_eq!((left(&worker).slots, worker.shares.len()), (10, 2));
        assert!(worker.started_at <= worker.seen_at);
        world.doer.let_go();
        until(&world, "one", "it has done it", |worker| {
            worker.is_some_and(|worker| (left(worker).busy, left(worker).done) == (0, 1))
        })
        .await;
        world.until(saga, SagaState::Succeeded).await;
        stop.cancel();
        ended.await.unwrap();
        assert!(named(&world, "one").await.is_none(), "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_not_seen_is_lost_and_after_a_day_forgotten() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let ago = async |seconds| world.now().await - TimeDelta::seconds(seconds);
        seen_at(&world, "fresh", ago(20).await).await;
        seen_at(&world, "late", ago(31).await).await;
        seen_at(&world, "gone", ago(60 * 60 * 24 + 1).await).await;
        let workers = world.store.workers().await.unwrap();
        let told: Vec<_> = workers.iter().map(|w| (w.id.as_str(), w.state)).collect();
        let lost = ("late", WorkerState::Lost);
        assert_eq!(told, [("fresh", WorkerState::Working), lost]);
        assert_eq!(world.store.forget_workers().await.unwrap(), 1);
        // Whoever was lost and is seen again goes on.
        let started = workers[1].started_at;
        seen_at(&world, "late", world.now().await).await;
        let back = named(&world, "late").await.unwrap();
        assert_eq!(
            (back.state, back.started_at),
            (WorkerState::Working, started)
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_asked_to_leave_finishes_what_it_has_and_takes_no_more() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.doer.hold("do a");
        let (stop, ended) = world.worker("one");
        let saga = world
            .tell(Told::KIND, |flow| {
                Ok(flow.step(deed("a"))? + &flow.step(deed("b"))?)
            })
            .await;
        let begun = async || world.doer.attempted("do a") == 1;
        world.wait("a has begun", begun, saga).await;
        until(&world, "one", "it is seen", |worker| worker.is_some()).await;
        let asked = drain(&world, "one").await.unwrap();
        assert_eq!(asked.state, WorkerState::Draining);
        assert_eq!(asked.drain_by.as_deref(), Some("ana"));
        let again = drain(&world, "one").await;
        let refused = matches!(again, Err(DrainError::Refused(WorkerState::Draining)));
        assert!(refused, "{again:?}");
        let heard = async || stop.is_cancelled();
        world.wait("it has heard", heard, saga).await;
        assert!(!ended.is_finished(), "{}: it left amid a step", world.label);
        world.doer.let_go();
        ended.await.unwrap();
        assert!(named(&world, "one").await.is_none());
        let effects = world.effects(saga).await;
        assert_eq!(effects, ["did a"], "{}: b is for others", world.label);
        world.worker("two");
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.doer.attempted("do a"), 1);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_to_leave_who_is_not_there() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let unknown = drain(&world, "nobody").await;
        assert!(matches!(unknown, Err(DrainError::NotFound)), "{unknown:?}");
        let long_ago = world.now().await - TimeDelta::minutes(5);
        seen_at(&world, "late", long_ago).await;
        let lost = drain(&world, "late").await;
        let refused = matches!(lost, Err(DrainError::Refused(WorkerState::Lost)));
        assert!(refused, "{lost:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_counts_what_runs_and_what_waits_for_its_next_attempt() {
    for combination in combinations() {
        let later = |what: &str, _| match what {
            "do late" => Err(StepError::retry_after("not yet", Duration::from_mins(1))),
            _ => Ok(()),
        };
        let world = World::new(combination, Doer::new(later)).await;
        world.doer.hold("do a");
        world.worker("one");
        world.tell(Told::KIND, |flow| flow.step(deed("late"))).await;
        let saga = world.tell(Told::KIND, |flow| flow.step(deed("a"))).await;
        let left = async || {
            let loads = world.store.queue_loads(&["left", "right"]).await.unwrap();
            assert_eq!(loads.len(), 2);
            loads.into_iter().find(|load| load.name == "left").unwrap()
        };
        let both = async || {
            let left = left().await;
            (
                left.running,
                left.delayed,
                left.consumers,
                left.done_per_minute,
            ) == (1, 1, 1, 1)
        };
        world.wait("one runs and one waits", both, saga).await;
        let told = left().await;
        assert_eq!((told.ready, told.oldest_seconds), (0, None));
        assert_eq!((told.busy_workers, told.slots), (1, 10), "{told:?}");
        assert_eq!(told.drain_estimate_seconds, Some(0));
        // Somebody who leaves is no consumer, and nobody whom a scaler could take away.
        drain(&world, "one").await.unwrap();
        let told = left().await;
        assert_eq!((told.running, told.consumers, told.busy_workers), (1, 0, 0));
        world.doer.let_go();
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}
