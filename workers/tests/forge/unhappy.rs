//! Models that do not do as they should.

use crate::models::{Turn, refusal, throttled};
use crate::support::on_each;
use domain::mirror::standing::{PersonaStatus, Standing};
use domain::mirror::store::surveys::SurveyStatus;
use saga_core::state::SagaState;
use std::sync::atomic::Ordering;
use std::time::Duration;

const FAILED: Standing = Standing {
    status: PersonaStatus::Failed,
    retryable: true,
};

#[tokio::test]
async fn a_writer_that_refuses_parks_the_forge_and_a_replay_finishes_it() {
    on_each(async |world| {
        world.work();
        world.pen.refuse(true);
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Parked).await;

        assert_eq!(world.mine(&survey).await.standing, FAILED);
        assert_eq!(
            world.pen.calls.lock().unwrap().len(),
            1,
            "a refusal is final"
        );
        let letter = world.letter().await;
        assert_eq!(
            (letter.step.as_str(), letter.class.as_str()),
            ("persona.write", "permanent")
        );
        world.pen.refuse(false);
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
async fn a_discarded_forge_leaves_nothing_and_another_can_begin() {
    on_each(async |world| {
        world.work();
        world.pen.refuse(true);
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Parked).await;
        world.discard().await;
        world.until(saga, SagaState::Undone).await;

        world.assert_unwound(&survey, "discarded").await;
        assert_eq!(world.mine(&survey).await.standing, FAILED);
        world.pen.refuse(false);
        let again = world.forge_again(&survey).await;
        world.until(again, SagaState::Succeeded).await;
        assert_eq!(world.mine(&survey).await.persona.unwrap().version, 1);
    })
    .await;
}

#[tokio::test]
async fn a_painter_that_refuses_degrades_the_persona_and_another_forge_repairs_it() {
    on_each(async |world| {
        world.work();
        world.brush.refuse(true);
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;

        let mine = world.mine(&survey).await;
        let persona = mine.persona.unwrap();
        assert_eq!(mine.standing.status, PersonaStatus::Ready);
        assert!(
            persona.degraded
                && persona.illustration_media_id.is_none()
                && persona.card_media_id.is_none()
        );
        assert!(
            world.client.store().view(&[saga]).await.unwrap()[&saga]
                .saga
                .degraded
        );
        assert_eq!(world.again(&survey).await.status, SurveyStatus::Completed);
        assert!(world.files().is_empty());

        world.brush.refuse(false);
        let again = world.forge_again(&survey).await;
        world.until(again, SagaState::Succeeded).await;
        let persona = world.mine(&survey).await.persona.unwrap();
        assert!(
            !persona.degraded && persona.version == 2 && persona.illustration_media_id.is_some()
        );
    })
    .await;
}

#[tokio::test]
async fn a_throttled_call_is_made_again_and_not_counted() {
    on_each(async |world| {
        world.work();
        world.pen.script((0..6).map(|_| Turn::Fails(throttled())));
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;

        assert_eq!(
            world.pen.calls.lock().unwrap().len(),
            7,
            "more than a step's attempts"
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_uses_up_the_limit_keeps_everybody_waiting_until_it_starts_anew() {
    on_each(async |world| {
        world.work();
        // Whoever paints is of the same model here.
        let wait = Duration::from_secs(2);
        world.pen.script([Turn::UsesUp(wait)]);
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.brush.calls.load(Ordering::SeqCst), 1);
        let events = world.client.store().events(saga, 0, 200).await.unwrap();
        let throttled = events.iter().filter(|event| event.name == "step.throttled");
        assert!(throttled.count() > 0, "{events:?}");
    })
    .await;
}

#[tokio::test]
async fn a_refused_repair_is_final() {
    on_each(async |world| {
        world.work();
        world.pen.script([
            Turn::Says("Sure! Here is your persona."),
            Turn::Fails(refusal()),
        ]);
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Parked).await;
        assert_eq!(world.letter().await.class, "permanent");
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_forge_takes_its_picture_back() {
    on_each(async |world| {
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
        let told = world.mine(&survey).await.standing;
        assert_eq!(
            told,
            Standing {
                status: PersonaStatus::Pending,
                retryable: false
            }
        );
    })
    .await;
}
