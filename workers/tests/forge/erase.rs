//! An account goes with all that it owns, or stays with all of it; nobody else's is touched.

use crate::support::{World, on_each};
use domain::accounts::{erasure, store as accounts};
use domain::mirror::store::surveys::{self, Survey};
use saga_core::state::SagaState;
use serde_json::json;
use std::sync::atomic::Ordering;

const TABLES: [&str; 5] = [
    "SELECT count(*) FROM accounts",
    "SELECT count(*) FROM surveys",
    "SELECT count(*) FROM survey_responses",
    "SELECT count(*) FROM personas",
    "SELECT count(*) FROM media",
];

async fn counts(world: &World) -> Vec<i64> {
    let mut counts = vec![];
    for table in TABLES {
        counts.push(world.count(table).await);
    }
    counts
}

/// Somebody with a finished persona.
async fn somebody(world: &World, email: &str) -> Survey {
    let survey = world.survey_of(email).await;
    let forge = world.three_answers(&survey).await;
    world.until(forge, SagaState::Succeeded).await;
    survey
}

#[tokio::test]
async fn one_goes_and_the_other_stays_however_often_each_step_is_done() {
    on_each(async |world| {
        world.mischief.twice();
        world.work();
        let (robin, sam) = (
            somebody(world, "robin@example.org").await,
            somebody(world, "sam@example.org").await,
        );
        let erase = world.erase(robin.owner_id).await;
        world.until(erase, SagaState::Succeeded).await;

        assert_eq!(counts(world).await, [1, 1, 3, 1, 2], "{}", world.db.name());
        assert_eq!(world.files().len(), 4);
        assert!(world.mine(&sam).await.persona.is_some());
        let left = accounts::find(&world.db, robin.owner_id).await.unwrap();
        assert_eq!(left, None);
        let by = erasure::find(&world.db, robin.owner_id).await.unwrap();
        assert_eq!(by, Some(erase), "it is known that it is gone");
        let sagas = "SELECT count(*) FROM sagas WHERE kind = 'persona.forge'";
        assert_eq!(world.count(sagas).await, 1, "Sam's alone");
        let said = "SELECT count(*) FROM effects e WHERE length(e.answer) > 0
             AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = e.saga_id)";
        assert_eq!(world.count(said).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_under_way_is_taken_back_first() {
    on_each(async |world| {
        let gate = world.brush.gate();
        world.work();
        let survey = world.survey().await;
        let forge = world.three_answers(&survey).await;
        while world.brush.calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let erase = world.erase(survey.owner_id).await;
        while world.state(forge).await != SagaState::Undoing {
            tokio::task::yield_now().await;
        }
        assert!(world.count(TABLES[0]).await > 0, "it waits for the forge");
        gate.add_permits(1);
        world.until(erase, SagaState::Succeeded).await;

        assert_eq!(counts(world).await, [0; 5]);
        assert_eq!(world.files(), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn who_cannot_be_closed_stays_whole() {
    on_each(async |world| {
        world.work();
        let survey = somebody(world, "robin@example.org").await;
        let before = (counts(world).await, world.files());
        world.mischief.break_step("account.close");
        let erase = world.erase(survey.owner_id).await;
        world.until(erase, SagaState::Parked).await;
        world.discard().await;
        world.until(erase, SagaState::Undone).await;

        assert_eq!((counts(world).await, world.files()), before);
        let by = erasure::find(&world.db, survey.owner_id).await.unwrap();
        assert_eq!(by, None, "and may begin anew");
        assert!(surveys::find(&world.db, survey.id).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn an_erasure_that_fails_past_its_pivot_is_finished_later() {
    for broken in ["account.erase_files", "account.erase_rows"] {
        on_each(async |world| {
            world.work();
            let survey = somebody(world, "robin@example.org").await;
            world.mischief.break_step(broken);
            let erase = world.erase(survey.owner_id).await;
            world.until(erase, SagaState::Parked).await;
            world.mischief.break_step("nothing");
            world.replay().await;
            world.until(erase, SagaState::Succeeded).await;

            assert_eq!(counts(world).await, [0; 5], "{broken}");
            assert_eq!(world.files(), Vec::<String>::new(), "{broken}");
        })
        .await;
    }
}

#[tokio::test]
async fn what_begins_while_an_erasure_waits_makes_nothing() {
    on_each(async |world| {
        let gate = world.brush.gate();
        world.work();
        let survey = world.survey().await;
        let other = world.survey().await;
        let forge = world.three_answers(&survey).await;
        while world.brush.calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let erase = world.erase(survey.owner_id).await;
        while world.state(forge).await != SagaState::Undoing {
            tokio::task::yield_now().await;
        }
        // The forges are called back first; the account is closed once they are.
        let closed = async || erasure::find(&world.db, survey.owner_id).await.unwrap();
        while closed().await.is_none() {
            tokio::task::yield_now().await;
        }
        // Friends of another survey answer, and an operator begins the forge anew: neither leaves anything.
        assert_eq!(
            world.refused_third(&other).await,
            "the survey takes no more answers"
        );
        let input = json!({"survey": survey.id, "mode": "fated"});
        let anew = world
            .start_of("persona.forge", input, Some(survey.owner_id))
            .await;
        world.until(anew, SagaState::Undone).await;
        gate.add_permits(1);
        world.until(erase, SagaState::Succeeded).await;

        assert_eq!(counts(world).await, [0; 5]);
        assert_eq!(world.files(), Vec::<String>::new());
        assert_eq!(world.brush.calls.load(Ordering::SeqCst), 1);
    })
    .await;
}
