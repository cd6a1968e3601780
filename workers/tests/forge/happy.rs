//! Three answers become a persona with a face.

use crate::friends::friends;
use crate::support::{World, on_each};
use domain::media;
use domain::mirror::archetype::Mode;
use domain::mirror::material::Material;
use domain::mirror::persona_text::check;
use domain::mirror::standing::PersonaStatus::{
    GeneratingImage, Pending, Queued, Ready, Synthesizing,
};
use domain::mirror::store::personas::{self, Persona};
use domain::mirror::store::responses::up_to;
use domain::mirror::store::surveys::{Survey, SurveyStatus};
use saga_core::state::SagaState;
use studio::Picture;

#[tokio::test]
async fn an_owner_who_polls_sees_every_status_in_order() {
    on_each(async |world| {
        // Each model waits until the status before it was seen: here it takes but a moment.
        let (pen, brush) = (world.pen.gate(), world.brush.gate());
        let survey = world.survey().await;
        let mut seen = world.statuses_until(&survey, Pending).await;
        let saga = world.three_answers(&survey).await;
        seen.extend(world.statuses_until(&survey, Queued).await);
        world.work();
        seen.extend(world.statuses_until(&survey, Synthesizing).await);
        pen.add_permits(1);
        seen.extend(world.statuses_until(&survey, GeneratingImage).await);
        brush.add_permits(1);
        seen.extend(world.statuses_until(&survey, Ready).await);

        seen.dedup();
        assert_eq!(
            seen,
            [Pending, Queued, Synthesizing, GeneratingImage, Ready]
        );
        world.until(saga, SagaState::Succeeded).await;
        let mine = world.mine(&survey).await;
        assert_eq!((mine.saga, mine.phase), (Some(saga), None));
        assert_eq!(world.again(&survey).await.status, SurveyStatus::Completed);
    })
    .await;
}

#[tokio::test]
async fn three_answers_become_a_persona_of_these_answers() {
    on_each(async |world| {
        let (survey, persona) = forged(world).await;

        assert!(persona.is_current && !persona.degraded);
        assert_eq!((persona.version, persona.responses), (1, 3));
        assert_eq!(persona.provider.as_deref(), Some("local"));
        let answers = up_to(&world.db, survey.id, 3).await.unwrap();
        let material = Material::gather(&answers, Mode::Fated, None, 0, Some("Robin".to_owned()));
        assert_eq!(
            (persona.stats, persona.archetype, persona.rarity),
            (material.stats, material.archetype, material.rarity)
        );
        let text = persona.text.unwrap();
        check(&text, &material).unwrap();
        assert!(!format!("{text:?}").contains("Robin"));
    })
    .await;
}

#[tokio::test]
async fn the_persona_has_a_face_in_three_sizes_and_a_card() {
    on_each(async |world| {
        let (survey, persona) = forged(world).await;

        let expected = [
            (persona.illustration_media_id, vec![1024, 512, 256]),
            (persona.card_media_id, vec![1080]),
        ];
        for (id, sides) in expected {
            let medium = media::store::find(&world.db, id.unwrap()).await.unwrap();
            let medium = medium.unwrap();
            let owner = (medium.owner_id, medium.entity_id);
            assert_eq!(owner, (Some(survey.owner_id), persona.id));
            let widths: Vec<u32> = medium.variants.iter().map(|one| one.width).collect();
            assert_eq!(widths, sides);
            for variant in &medium.variants {
                let png = world.blobs.get(medium.id, &variant.name).await.unwrap();
                let png = png.unwrap();
                assert_eq!(png.len() as u64, variant.bytes);
                assert_eq!(chorus_workers::blobs::etag(&png), variant.etag);
                assert_eq!(Picture::from_png(&png).unwrap().width(), variant.width);
            }
        }
        assert_eq!(
            world.files(),
            ["1024.png", "1080.png", "256.png", "512.png"]
        );
    })
    .await;
}

async fn forged(world: &World) -> (Survey, Persona) {
    world.work();
    let survey = world.survey().await;
    let saga = world.three_answers(&survey).await;
    world.until(saga, SagaState::Succeeded).await;
    let persona = world.mine(&survey).await.persona.unwrap();
    (survey, persona)
}

#[tokio::test]
async fn another_forge_makes_another_version_and_keeps_the_first() {
    on_each(async |world| {
        world.work();
        let survey = world.survey().await;
        let first = world.three_answers(&survey).await;
        world.until(first, SagaState::Succeeded).await;
        let one = world.mine(&survey).await.persona.unwrap();
        let second = world.forge_again(&survey).await;
        assert_eq!(
            world.mine(&survey).await.persona.unwrap().id,
            one.id,
            "until the other is there"
        );
        world.until(second, SagaState::Succeeded).await;

        let two = world.mine(&survey).await.persona.unwrap();
        assert_eq!((two.version, two.stats), (2, one.stats));
        assert_ne!(two.text, one.text, "another forge is another character");
        let versions = personas::versions(&world.db, survey.owner_id, None, 10)
            .await
            .unwrap();
        assert_eq!(
            versions
                .iter()
                .map(|one| (one.version, one.is_current))
                .collect::<Vec<_>>(),
            [(2, true), (1, false)]
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_comes_while_it_is_forged_waits_for_another_forge() {
    on_each(async |world| {
        let gate = world.brush.gate();
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.statuses_until(&survey, GeneratingImage).await;
        assert_eq!(world.answer(&survey, 9, &friends()[0]).await, None);
        gate.add_permits(1);
        world.until(saga, SagaState::Succeeded).await;

        assert_eq!(world.mine(&survey).await.persona.unwrap().responses, 3);
        gate.add_permits(1);
        let again = world.forge_again(&survey).await;
        world.until(again, SagaState::Succeeded).await;
        assert_eq!(world.mine(&survey).await.persona.unwrap().responses, 4);
    })
    .await;
}

#[tokio::test]
async fn no_word_of_an_answer_is_in_a_saga() {
    on_each(async |world| {
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;

        let kept: Vec<(String,)> = world
            .db
            .query("SELECT input FROM sagas UNION ALL SELECT COALESCE(output, '') FROM sagas UNION ALL SELECT input FROM steps
                    UNION ALL SELECT COALESCE(output, '') FROM steps UNION ALL SELECT page FROM events")
            .all()
            .await
            .unwrap();
        assert!(kept.len() > 20);
        for secret in ["late calls", "straight face", "months ago", "their own jokes", "Robin", "robin@"] {
            assert!(!kept.iter().any(|(text,)| text.contains(secret)), "{secret}");
        }
    })
    .await;
}
