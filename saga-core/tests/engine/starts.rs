//! Many commands at once: each saga begins once, whole, and as it would have alone.

use crate::doer::Doer;
use crate::support::{World, combinations, new_saga};
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::run::{Run, StepRow};
use saga_core::state::{SagaState, StepState};
use saga_core::store::NewSaga;
use serde_json::{Value, json};
use uuid::Uuid;

const EPOCH: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn line() -> NewSaga {
    new_saga(Uuid::now_v7(), "test.line", Value::Null)
}

fn the_one() -> NewSaga {
    NewSaga {
        trace: None,
        singleton: Some("the one".to_owned()),
        ..new_saga(Uuid::now_v7(), "test.frugal", Value::Null)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_a_batch_begins_once() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (old, fresh, first, second) = (line(), line(), the_one(), the_one());
        world.store.start(std::slice::from_ref(&old)).await.unwrap();
        let batch = [
            fresh.clone(),
            old.clone(),
            first.clone(),
            second.clone(),
            fresh.clone(),
        ];
        let (started, tickets) = world.store.start(&batch).await.unwrap();
        let told: Vec<_> = started.iter().map(|one| (one.id, one.new)).collect();
        let wanted = [
            (fresh.id, true),
            (old.id, false),
            (first.id, true),
            (first.id, false),
            (fresh.id, false),
        ];
        assert_eq!(told, wanted, "{}", world.label);
        let mut due: Vec<Uuid> = tickets.iter().map(|ticket| ticket.saga).collect();
        due.sort();
        assert_eq!(due, [fresh.id, first.id], "a ticket for each new one");
        let all = world.store.view(&[second.id]).await.unwrap();
        assert!(all.is_empty(), "what was not accepted left nothing");
        // Nobody is new: it is told where each is.
        let (again, tickets) = world.store.start(&batch).await.unwrap();
        assert!(again.iter().all(|one| !one.new) && tickets.is_empty());
        world.end().await;
    }
}

/// All that a saga begins with, without what differs from one to the next.
fn begun(run: &Run, exact: bool) -> String {
    let mut saga = run.saga.clone();
    let began = saga.created_at;
    assert_eq!(saga.updated_at, began);
    (saga.id, saga.created_at, saga.updated_at) = (Uuid::nil(), EPOCH, EPOCH);
    let mut steps = run.steps.clone();
    for step in &mut steps {
        assert_eq!(step.created_at, began);
        step.created_at = EPOCH;
        if let Some(wake_at) = step.wake_at.take() {
            // A broker that did not know the queue has just had it renewed.
            let (after, two) = (wake_at - began, TimeDelta::seconds(2));
            assert!(after == two || (!exact && after < two), "{after}");
        }
    }
    format!("{saga:?} {steps:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_begins_the_same_alone_and_beside_one_that_begins_with_a_wait() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let mine = NewSaga {
            owner_id: Some(Uuid::now_v7()),
            request_id: "the request".to_owned(),
            replay_of: Some(Uuid::now_v7()),
            ..line()
        };
        let (alone, beside) = (
            mine.clone(),
            NewSaga {
                id: Uuid::now_v7(),
                ..mine
            },
        );
        let patient = new_saga(Uuid::now_v7(), "test.patient", json!(50));
        let (first, _) = world
            .store
            .start(std::slice::from_ref(&alone))
            .await
            .unwrap();
        let (both, _) = world
            .store
            .start(&[patient.clone(), beside.clone()])
            .await
            .unwrap();
        let seen = world
            .store
            .view(&[alone.id, beside.id, patient.id])
            .await
            .unwrap();
        let ready = |step: &&StepRow| step.state == StepState::Ready;
        assert_eq!(seen[&alone.id].steps.iter().filter(ready).count(), 1);
        let exact = !world.label.to_lowercase().contains("rabbit");
        let begun = |new: &NewSaga| begun(&seen[&new.id], exact);
        assert_eq!(begun(&alone), begun(&beside));
        assert_eq!(seen[&patient.id].saga.state, SagaState::Waiting);
        for (started, id) in [(first[0], alone.id), (both[1], beside.id)] {
            assert_eq!(started.at, seen[&id].saga.created_at);
            let history = world.store.events(id, 0, 10).await.unwrap();
            let told: Vec<_> = history
                .iter()
                .map(|event| (event.seq, &event.name[..]))
                .collect();
            assert_eq!(
                told,
                [(1, "saga.queued"), (2, "saga.phase")],
                "{}",
                world.label
            );
            assert_eq!(history[0].at, started.at);
        }
        world.end().await;
    }
}
