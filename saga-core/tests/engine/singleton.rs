//! Of a saga with a singleton key one is open at a time, however many ask for it.

use crate::doer::Doer;
use crate::sagas::Only;
use crate::stories::Told;
use crate::support::{World, combinations, new_saga};
use saga_core::Saga as _;
use saga_core::state::SagaState;
use saga_core::store::{Begun, NewSaga, Started};
use serde_json::{Value, json};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_names_the_key_of_its_input_and_who_comes_second_is_told_which_is_open() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let (client, asked) = (world.client.clone(), Uuid::now_v7());
            tasks.spawn(async move {
                let new = new_saga(asked, "test.only", json!("pool"));
                let started = client.start(new).await.unwrap();
                (asked, started)
            });
        }
        let all = tasks.join_all().await;
        let first: Vec<Uuid> = (all.iter())
            .filter(|(asked, started)| started.begun(*asked) == Begun::New)
            .map(|(_, started)| started.id)
            .collect();
        let [open] = first.as_slice() else {
            panic!("{}: one begins: {all:?}", world.label)
        };
        let others = all.iter().filter(|(asked, _)| asked != open);
        for (asked, started) in others {
            assert_eq!(started.begun(*asked), Begun::Open(*open), "{}", world.label);
        }
        let again = new_saga(*open, "test.only", json!("pool"));
        let again = world.client.start(again).await.unwrap();
        assert_eq!(again.begun(*open), Begun::Again);
        let other = world.start("test.only", json!("another pool")).await;
        let (one, two) = (
            world.start("test.only", Value::Null).await,
            world.start("test.only", Value::Null).await,
        );
        assert!(
            other != *open && one != two,
            "{}: other keys, or none",
            world.label
        );
        world.tell_news(*open).await;
        world.until(*open, SagaState::Succeeded).await;
        let next = world.start("test.only", json!("pool")).await;
        assert_ne!(next, *open, "{}: the next one, after its end", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_whose_key_is_taken_is_a_failure_and_not_somebody_elses_saga() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.start("test.only", json!("pool")).await;
        let saga = world
            .tell(Told::KIND, |flow| {
                let failure = flow.attempt_child::<Only>(Some("pool".to_owned()))?;
                Ok(failure.unwrap_err().message)
            })
            .await;
        world.until(saga, SagaState::Succeeded).await;
        let run = world.run(saga).await;
        let told = run.saga.output.clone().unwrap();
        assert!(
            told.as_str().unwrap().starts_with("already_open: "),
            "{told}"
        );
        assert_eq!(run.children().count(), 0, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_may_have_the_key_of_the_one_before_it_which_ended_that_moment() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let saga = world
            .tell(Told::KIND, |flow| {
                for _ in 0..3 {
                    flow.child::<Only>(Some("pool".to_owned()))?;
                }
                Ok("three times".to_owned())
            })
            .await;
        for nth in 1..=3 {
            let run = world.run(saga).await;
            assert_eq!(run.saga.state, SagaState::Waiting, "{}", world.label);
            let children: Vec<Uuid> = run.children().collect();
            assert_eq!(children.len(), nth, "{}", world.label);
            world.tell_news(children[nth - 1]).await;
        }
        let state = world.state(saga).await;
        assert_eq!(state, SagaState::Succeeded, "{}", world.label);
        world.end().await;
    }
}
