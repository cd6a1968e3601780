//! Families during a rolling deploy: a program that does not know all of one leaves it to those that do.

use crate::acts::{LONG, SHORT};
use crate::doer::Doer;
use crate::sagas::{Kid, kid};
use crate::stories::Told;
use crate::support::{World, stores};
use chrono::TimeDelta;
use saga_core::run::{Answer, child_id};
use saga_core::state::SagaState;
use saga_core::{Key, Kinds, Saga as _, Store};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_child_is_told_by_a_program_that_knows_its_parent() {
    for combination in stores() {
        let mut world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world
            .tell_quietly(Told::KIND, |flow| flow.child::<Kid>(kid("c")))
            .await;
        let child = child_id(saga, &Key::stored("test.kid#1"));
        let claimed = world.claim(&tickets[0], "w", LONG).await.unwrap();
        let kinds = Arc::new(Kinds::default().with::<Kid>());
        let older = Store::new(world.store.db().clone(), kinds);
        let newer = std::mem::replace(&mut world.store, older);
        world.settle(&claimed, Answer::Done(json!("c"))).await;
        assert_eq!(world.state(child).await, SagaState::Succeeded);
        world.store.sweep().await.unwrap();
        let state = world.state(saga).await;
        assert_eq!(state, SagaState::Waiting, "{}: not parked", world.label);
        world.store = newer;
        world.store.sweep().await.unwrap();
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Succeeded, "{}", world.label);
        assert_eq!(run.saga.output, Some(json!("c")));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_is_seen_to_though_its_parent_cannot_be_read() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world
            .tell_quietly(Told::KIND, |flow| flow.child::<Kid>(kid("c")))
            .await;
        let child = child_id(saga, &Key::stored("test.kid#1"));
        world.claim(&tickets[0], "w", SHORT).await.unwrap();
        let db = world.store.db();
        let strange = json!({"step": "saga", "class": "of_the_future", "message": "?"});
        let spoil = db.query("UPDATE sagas SET error = $2 WHERE id = $1");
        let spoil = spoil.bind(saga).bind(strange.to_string());
        spoil.execute().await.unwrap();
        let due = db.query("UPDATE steps SET wake_at = $2 WHERE saga_id = $1");
        let before = world.now().await - TimeDelta::hours(1);
        due.bind(saga).bind(before).execute().await.unwrap();
        world
            .wait(
                "its dead lease is found",
                async || {
                    world.store.sweep().await.unwrap();
                    world.run(child).await.steps[1].crashes == 1
                },
                child,
            )
            .await;
        world.end().await;
    }
}
