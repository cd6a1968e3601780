//! A failure at every step unwinds; every step may be done twice, and every undo.

use crate::support::on_each;
use domain::mirror::standing::PersonaStatus;
use saga_core::state::SagaState;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn no_answers_leave_nothing() {
    on_each(async |world| {
        world.mischief.break_step("persona.aggregate");
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Undone).await;

        world.assert_unwound(&survey, "aggregate").await;
        assert_eq!(
            world.mine(&survey).await.standing.status,
            PersonaStatus::Failed
        );
    })
    .await;
}

#[tokio::test]
async fn no_words_leave_nothing_even_if_everything_is_done_twice() {
    on_each(async |world| {
        world.mischief.break_step("persona.write");
        world.mischief.twice();
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Parked).await;
        world.discard().await;
        world.until(saga, SagaState::Undone).await;

        world.assert_unwound(&survey, "write").await;
    })
    .await;
}

#[tokio::test]
async fn pictures_that_fail_late_degrade_the_persona() {
    on_each(async |world| {
        for (broken, has_portrait) in [("persona.paint", false), ("persona.derive", true)] {
            let survey = world.survey().await;
            world.mischief.break_step(broken);
            if !has_portrait {
                world.work();
            }
            let saga = world.three_answers(&survey).await;
            world.until(saga, SagaState::Succeeded).await;

            let persona = world.mine(&survey).await.persona.unwrap();
            assert!(persona.degraded, "{broken}");
            assert_eq!(
                persona.illustration_media_id.is_some(),
                has_portrait,
                "{broken}"
            );
            assert_eq!(persona.card_media_id, None, "{broken}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_activation_that_fails_waits_and_is_finished_later() {
    on_each(async |world| {
        world.mischief.break_step("persona.activate");
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Parked).await;
        assert_eq!(
            world.files().len(),
            4,
            "past the pivot nothing is taken back"
        );

        world.mischief.break_step("nothing");
        world.replay().await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(
            world.mine(&survey).await.standing.status,
            PersonaStatus::Ready
        );
    })
    .await;
}

#[tokio::test]
async fn everything_done_twice_is_as_if_done_once() {
    on_each(async |world| {
        world.mischief.twice();
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;

        assert_eq!(world.count("SELECT count(*) FROM personas").await, 1);
        assert_eq!(world.count("SELECT count(*) FROM media").await, 2);
        assert_eq!(
            world.files(),
            ["1024.png", "1080.png", "256.png", "512.png"]
        );
        assert_eq!(world.mine(&survey).await.persona.unwrap().version, 1);
    })
    .await;
}

#[tokio::test]
async fn a_picture_is_taken_back_twice() {
    on_each(async |world| {
        world.mischief.twice();
        let gate = world.brush.gate();
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world
            .statuses_until(&survey, PersonaStatus::GeneratingImage)
            .await;
        while world.brush.calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        world.cancel(saga).await;
        gate.add_permits(1);
        world.until(saga, SagaState::Undone).await;

        world.assert_unwound(&survey, "cancelled").await;
    })
    .await;
}
