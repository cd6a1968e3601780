//! Whole lives of sagas, from the command to the end.

use crate::doer::Doer;
use crate::support::{World, combinations, new_saga};
use saga_core::StepError;
use saga_core::db::Durability;
use saga_core::state::SagaState;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_deeds_ends_well_with_each_effect_once() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        world.worker("two");
        let mut sagas = vec![];
        for _ in 0..20 {
            sagas.push(world.start("test.line", Value::Null).await);
        }
        for saga in sagas {
            world.until(saga, SagaState::Succeeded).await;
            assert_eq!(
                world.effects(saga).await,
                ["did a", "did b", "did c"],
                "{}",
                world.label
            );
            let run = &world.store.view(&[saga]).await.unwrap()[&saga];
            assert_eq!(run.saga.output, Some(json!("abc")));
            assert_eq!(run.saga.phase.as_deref(), Some("last"));
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_starts_beside_other_rows_is_told_the_time_that_is_stored() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
        tx.now().await.unwrap();
        let new = new_saga(Uuid::now_v7(), "test.line", Value::Null);
        let (started, _) = world.client.start_in(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        let run = &world.store.view(&[started.id]).await.unwrap()[&started.id];
        assert_eq!(run.saga.created_at, started.at, "{}", world.label);
        let events = world.store.events(started.id, 0, 10).await.unwrap();
        assert_eq!(events[0].at, started.at, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_gives_up_parks_and_its_replay_goes_on_where_it_stood() {
    for combination in combinations() {
        let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let seen = broken.clone();
        let world = World::new(
            combination,
            Doer::new(move |what, _| {
                if what == "do b" && seen.load(std::sync::atomic::Ordering::SeqCst) {
                    Err(StepError::retry("down"))
                } else {
                    Ok(())
                }
            }),
        )
        .await;
        world.worker("one");
        let saga = world.start("test.line", Value::Null).await;
        world.until(saga, SagaState::Parked).await;
        assert_eq!(world.doer.attempted("do b"), 3, "{}", world.label);
        let letters = world
            .store
            .letters(&saga_core::store::LetterFilter {
                saga_id: Some(saga),
                limit: 10,
                ..Default::default()
            })
            .await
            .unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(
            (
                letters[0].class.as_str(),
                letters[0].attempts,
                letters[0].state.as_str()
            ),
            ("transient", 3, "open")
        );
        broken.store(false, std::sync::atomic::Ordering::SeqCst);
        let (_, tickets) = world
            .store
            .replay(letters[0].id, "ana", "it is back")
            .await
            .unwrap();
        world.client.publish(tickets);
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did a", "did b", "did c"]);
        assert_eq!(
            world.doer.attempted("do a"),
            1,
            "a finished step does not run again"
        );
        assert!(
            world
                .store
                .replay(letters[0].id, "ben", "me too")
                .await
                .is_err(),
            "a letter is replayed once"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discarded_letter_undoes_newest_first_what_may_have_happened() {
    for combination in combinations() {
        let world = World::new(
            combination,
            Doer::new(|what, _| {
                if what == "do c" {
                    Err(StepError::fail("no"))
                } else {
                    Ok(())
                }
            }),
        )
        .await;
        world.worker("one");
        let saga = world.start("test.line", Value::Null).await;
        world.until(saga, SagaState::Parked).await;
        let letters = world
            .store
            .letters(&saga_core::store::LetterFilter {
                saga_id: Some(saga),
                limit: 10,
                ..Default::default()
            })
            .await
            .unwrap();
        world.client.publish(
            world
                .store
                .discard(letters[0].id, "ana", "give up")
                .await
                .unwrap(),
        );
        world.until(saga, SagaState::Undone).await;
        assert_eq!(
            world.effects(saga).await,
            ["did a", "did b", "undid c", "undid b", "undid a"],
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_join_and_a_failed_branch_waits_for_its_sibling() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.start("test.fork", Value::Null).await;
        world.until(saga, SagaState::Succeeded).await;
        let effects = world.effects(saga).await;
        assert_eq!(
            (effects.len(), effects[0].as_str(), effects[3].as_str()),
            (4, "did a", "did d"),
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_fails_degrades_and_does_not_park() {
    for combination in combinations() {
        let world = World::new(
            combination,
            Doer::new(|_, _| Err(StepError::fail("no paint"))),
        )
        .await;
        world.worker("one");
        let saga = world.start("test.frugal", Value::Null).await;
        world.until(saga, SagaState::Succeeded).await;
        let run = &world.store.view(&[saga]).await.unwrap()[&saga];
        assert!(run.saga.degraded);
        assert_eq!(run.saga.output, Some(json!("without: permanent")));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_and_news_move_a_saga_on_and_early_news_is_kept() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.start("test.patient", json!(100)).await;
        world.client.publish(
            world
                .store
                .signal(saga, "news", json!("early"))
                .await
                .unwrap(),
        );
        world.until(saga, SagaState::Succeeded).await;
        let run = &world.store.view(&[saga]).await.unwrap()[&saga];
        assert_eq!(
            run.saga.output,
            Some(json!(["early", null])),
            "{}",
            world.label
        );
        let saga = world.start("test.patient", json!(60_000)).await;
        world
            .store
            .signal(saga, "news", json!("one"))
            .await
            .unwrap();
        world
            .store
            .signal(saga, "news", json!("two"))
            .await
            .unwrap();
        world.until(saga, SagaState::Succeeded).await;
        let run = &world.store.view(&[saga]).await.unwrap()[&saga];
        assert_eq!(
            run.saga.output,
            Some(json!(["one", "two"])),
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_and_a_deadline_undo_without_a_letter() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        for wait in [false, true] {
            let saga = world.start("test.picky", json!(wait)).await;
            world.until(saga, SagaState::Undone).await;
            assert_eq!(
                world.effects(saga).await,
                ["did a", "undid a"],
                "{}",
                world.label
            );
            let run = &world.store.view(&[saga]).await.unwrap()[&saga];
            let message = run.saga.error.as_ref().unwrap().message.clone();
            assert!(
                message.starts_with(if wait {
                    "deadline_exceeded"
                } else {
                    "not_good_enough"
                }),
                "{message}"
            );
        }
        world.end().await;
    }
}
