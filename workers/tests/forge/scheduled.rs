//! Rounds that begin by the clock: one for all processes, and none beside one that is open.

use crate::rounds::{begin, hand_in, ideas, neighbourhood, round};
use crate::support::{World, on_each};
use domain::topics::rounds::{Params, RoundState, SCHEDULE, Trigger, scheduled};
use saga_core::Store;
use saga_core::state::SagaState;
use saga_core::store::ScheduleRow;
use tokio::task::JoinSet;

/// A process that is told when rounds begin.
async fn told(world: &World) -> Store {
    let friday = scheduled("0 18 * * FRI", "Europe/Berlin");
    friday.check().unwrap();
    let store = world.client.store().clone().with_schedules(vec![friday]);
    store.keep_schedules().await.unwrap();
    store
}

/// Has the next round be due now.
async fn due(world: &World) {
    let now = world.db.now().await.unwrap();
    let due = "UPDATE schedules SET next_at = $1 WHERE name = $2";
    let due = world.db.query(due).bind(now).bind(SCHEDULE.to_owned());
    assert_eq!(due.execute().await.unwrap(), 1);
}

async fn row(world: &World) -> ScheduleRow {
    let mut rows = world.client.store().schedules().await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

async fn count(world: &World) -> [i64; 3] {
    [
        world.count("SELECT count(*) FROM topic_rounds").await,
        world
            .count("SELECT count(*) FROM sagas WHERE kind = 'topic.round'")
            .await,
        world
            .count("SELECT count(*) FROM domain_events WHERE name = 'round.started'")
            .await,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_begin_one_round_which_says_that_the_clock_began_it() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        let stores = [told(world).await, told(world).await];
        due(world).await;
        let mut looks = JoinSet::new();
        for store in stores.iter().cycle().take(8) {
            let store = store.clone();
            looks.spawn(async move { store.begin_scheduled().await.unwrap() });
        }
        let tickets = looks.join_all().await.concat();
        assert_eq!(tickets.len(), 1);
        assert_eq!(count(world).await, [1; 3]);
        let begun = row(world).await;
        let id = begun.last_saga_id.unwrap();
        assert_eq!((id, begun.last_error), (tickets[0].saga, None));
        assert!(begun.next_at > begun.last_at);
        let queued = round(world, id).await;
        assert_eq!(
            (queued.state, queued.trigger, queued.params),
            (RoundState::Queued, Trigger::Schedule, Params::default())
        );

        world.work();
        world.client.publish(tickets);
        world.until(id, SagaState::Succeeded).await;
        assert_eq!(ideas(world).await, [11, 0, 28]);
        let over = round(world, id).await;
        assert_eq!(
            (over.state, over.trigger),
            (RoundState::Finished, Trigger::Schedule)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sweepers_begin_what_is_due_once() {
    on_each(async |world| {
        let stores = [told(world).await, told(world).await];
        due(world).await;
        world.work();
        for store in stores {
            world.sweep(store);
        }
        let id = loop {
            if let Some(id) = row(world).await.last_saga_id {
                break id;
            }
            tokio::task::yield_now().await;
        };
        world.until(id, SagaState::Succeeded).await;
        assert_eq!(round(world, id).await.state, RoundState::Empty);
        assert_eq!(count(world).await, [1; 3]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_round_that_is_open_none_begins_and_that_is_told() {
    on_each(async |world| {
        let store = told(world).await;
        let open = begin(world, Params::default()).await;
        due(world).await;
        assert!(store.begin_scheduled().await.unwrap().is_empty());
        let skipped = row(world).await;
        assert_eq!(skipped.last_saga_id, Some(open));
        let why = skipped.last_error.unwrap();
        assert!(
            why.starts_with("skipped: ") && why.contains(&open.to_string()),
            "{why}"
        );
        assert!(skipped.next_at > skipped.last_at);
        assert_eq!(count(world).await, [1; 3]);
        assert_eq!(round(world, open).await.trigger, Trigger::Api);

        world.work();
        world.until(open, SagaState::Succeeded).await;
        due(world).await;
        assert_eq!(store.begin_scheduled().await.unwrap().len(), 1);
        let begun = row(world).await;
        assert_ne!(begun.last_saga_id, Some(open));
        assert_eq!(begun.last_error, None, "what was told before is no more");
        assert_eq!(count(world).await, [2; 3]);
    })
    .await;
}
