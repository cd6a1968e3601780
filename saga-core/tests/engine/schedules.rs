//! Sagas that begin by the clock: once for all processes, and once for all runs that were missed.

use crate::doer::Doer;
use crate::support::{World, combinations, stores};
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::Store;
use saga_core::schedule::{Schedule, ScheduleError};
use saga_core::state::SagaState;
use saga_core::store::ScheduleRow;
use saga_core::sweeper::Sweeper;
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

fn weekly() -> Schedule {
    Schedule {
        name: "weekly".to_owned(),
        kind: "test.frugal".to_owned(),
        cron: "0 9 * * mon".to_owned(),
        time_zone: "America/New_York".to_owned(),
        input: json!(null),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A process that has this schedule.
async fn with(world: &World, schedule: &Schedule) -> Store {
    let store = world.store.clone().with_schedules(vec![schedule.clone()]);
    store.keep_schedules().await.unwrap();
    store
}

async fn row(world: &World) -> ScheduleRow {
    let mut rows = world.store.schedules().await.unwrap();
    assert_eq!(rows.len(), 1, "{}", world.label);
    rows.remove(0)
}

/// Has its next run be so long ago.
async fn due(world: &World, ago: TimeDelta) -> DateTime<Utc> {
    let then = world.now().await - ago;
    let late = "UPDATE schedules SET next_at = $1";
    let late = world.store.db().query(late).bind(then);
    late.execute().await.unwrap();
    row(world).await.next_at.unwrap()
}

#[test]
fn a_time_of_day_is_that_of_its_place_whatever_the_clocks_do() {
    let next = |after: &str| weekly().next(at(after)).unwrap().unwrap();
    assert_eq!(next("2026-03-02T00:00:00Z"), at("2026-03-02T14:00:00Z"));
    assert_eq!(
        next("2026-03-02T14:00:00Z"),
        at("2026-03-09T13:00:00Z"),
        "in summer"
    );
    assert_eq!(
        next("2026-10-30T00:00:00Z"),
        at("2026-11-02T14:00:00Z"),
        "and back"
    );
    let never = Schedule {
        cron: "0 0 30 2 *".to_owned(),
        ..weekly()
    };
    assert_eq!(never.next(at("2026-03-02T00:00:00Z")), Ok(None));
}

#[test]
fn what_means_nothing_is_refused_by_its_name_and_with_what_would_do() {
    for cron in ["", "0 9 * *", "0 0 9 * * mon", "61 9 * * *", "nonsense"] {
        let schedule = Schedule {
            cron: cron.to_owned(),
            ..weekly()
        };
        let error = schedule.check().unwrap_err();
        assert!(
            matches!(error, ScheduleError::Cron { .. }),
            "{cron}: {error}"
        );
        let told = error.to_string();
        assert!(
            told.contains("weekly") && told.contains("`0 9 * * mon`"),
            "{told}"
        );
    }
    let schedule = Schedule {
        time_zone: "Europe/Atlantis".to_owned(),
        ..weekly()
    };
    let told = schedule.check().unwrap_err().to_string();
    assert!(
        told.contains("Europe/Atlantis") && told.contains("Europe/Berlin"),
        "{told}"
    );
    assert_eq!(weekly().check(), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_processes_that_look_at_once_one_begins_what_is_due() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let store = with(&world, &weekly()).await;
        assert!(store.begin_scheduled().await.unwrap().is_empty());
        let run = due(&world, TimeDelta::zero()).await;
        let mut tasks = JoinSet::new();
        for _ in 0..16 {
            let store = store.clone();
            tasks.spawn(async move { store.begin_scheduled().await.unwrap() });
        }
        let tickets = tasks.join_all().await.concat();
        assert_eq!(tickets.len(), 1, "{}", world.label);
        let row = row(&world).await;
        assert_eq!(row.last_saga_id, Some(tickets[0].saga));
        assert_eq!(row.last_at, Some(run), "{}", world.label);
        assert_eq!(row.next_at, weekly().next(world.now().await).unwrap());
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_were_missed_are_made_up_for_by_one() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let store = with(&world, &weekly()).await;
        due(&world, TimeDelta::days(100)).await;
        let mut begun = 0;
        for _ in 0..3 {
            begun += store.begin_scheduled().await.unwrap().len();
        }
        assert_eq!(begun, 1, "{}", world.label);
        assert!(row(&world).await.next_at > Some(world.now().await));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_pattern_counts_from_now_on_and_the_same_one_keeps_its_next_run() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        with(&world, &weekly()).await;
        let run = due(&world, TimeDelta::minutes(-7)).await;
        with(&world, &weekly()).await;
        assert_eq!(row(&world).await.next_at, Some(run), "{}", world.label);
        let daily = Schedule {
            cron: "30 6 * * *".to_owned(),
            ..weekly()
        };
        with(&world, &daily).await;
        let row = row(&world).await;
        assert_eq!(
            (row.cron.as_str(), row.next_at),
            ("30 6 * * *", daily.next(world.now().await).unwrap())
        );
        let none = world.store.clone();
        due(&world, TimeDelta::zero()).await;
        assert!(
            none.begin_scheduled().await.unwrap().is_empty(),
            "it has none"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_begin_is_noted_and_comes_again_at_its_time() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let wrong = Schedule {
            input: json!({"no": "such field"}),
            ..weekly()
        };
        let store = with(&world, &wrong).await;
        due(&world, TimeDelta::zero()).await;
        assert!(store.begin_scheduled().await.unwrap().is_empty());
        let row = row(&world).await;
        assert!(
            row.last_error.unwrap().contains("test.frugal"),
            "{}",
            world.label
        );
        assert_eq!(row.next_at, wrong.next(world.now().await).unwrap());
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sweeper_begins_what_is_due() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let store = with(&world, &weekly()).await;
        due(&world, TimeDelta::zero()).await;
        let (relay, transport) = (world.relay.clone(), world.transport.clone());
        let sweeper = Sweeper::new(store, relay, transport, Duration::from_millis(40));
        let stop = world.stop.child_token();
        let mut sweeping = JoinSet::new();
        sweeping.spawn(sweeper.run(stop.clone()));
        let saga = loop {
            if let Some(saga) = row(&world).await.last_saga_id {
                break saga;
            }
            tokio::task::yield_now().await;
        };
        world.until(saga, SagaState::Succeeded).await;
        stop.cancel();
        sweeping.join_all().await;
        world.end().await;
    }
}
