//! Of a saga with a singleton key one is open at a time, however many ask for it.

use crate::doer::Doer;
use crate::support::{World, combinations, new_saga};
use saga_core::state::SagaState;
use saga_core::store::{NewSaga, Started};
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::task::JoinSet;
use uuid::Uuid;

fn the_one() -> NewSaga {
    NewSaga {
        trace: None,
        singleton: Some("the one".to_owned()),
        ..new_saga(Uuid::now_v7(), "test.frugal", Value::Null)
    }
}

fn check(started: &[Started]) -> BTreeSet<Uuid> {
    let ids: BTreeSet<Uuid> = started.iter().map(|one| one.id).collect();
    let new = started.iter().filter(|one| one.new);
    assert_eq!(new.count(), ids.len(), "each is new to one caller");
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_who_start_it_at_once_start_one() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let mut tasks = JoinSet::new();
        for n in 0..50 {
            let (client, store) = (world.client.clone(), world.store.clone());
            tasks.spawn(async move {
                if n % 2 == 0 {
                    client.start(the_one()).await.unwrap()
                } else {
                    store.start(&[the_one()]).await.unwrap().0[0]
                }
            });
        }
        let started = tasks.join_all().await;
        assert_eq!(check(&started).len(), 1, "{}", world.label);
        let saga = started[0].id;
        world.worker("one");
        world.until(saga, SagaState::Succeeded).await;
        let next = world.client.start(the_one()).await.unwrap();
        assert!(next.new && next.id != saga, "the next one, after its end");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_while_the_open_one_is_just_ending_never_errors() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("one").await;
        let mut tasks = JoinSet::new();
        for n in 0..6 {
            let (client, store) = (world.client.clone(), world.store.clone());
            tasks.spawn(async move {
                let (mut started, mut seen) = (vec![], BTreeSet::new());
                while seen.len() < 5 && started.len() < 5_000 {
                    let one = if n % 2 == 0 {
                        client.start(the_one()).await.unwrap()
                    } else {
                        let (started, tickets) = store.start(&[the_one()]).await.unwrap();
                        client.publish(tickets);
                        started[0]
                    };
                    seen.insert(one.id);
                    started.push(one);
                }
                started
            });
        }
        let started = tasks.join_all().await.concat();
        let ids = check(&started);
        assert!(ids.len() >= 5, "{}: they end meanwhile", world.label);
        for saga in ids {
            world.until(saga, SagaState::Succeeded).await;
        }
        world.end().await;
    }
}
