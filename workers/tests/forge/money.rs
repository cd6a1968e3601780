//! Calls that cost money.

use crate::friends::friends;
use crate::models::Turn;
use crate::support::on_each;
use saga_core::state::SagaState;

const TOO_SHORT: &str = r#"{"name": "E", "title": "The lantern", "traits": ["warm"], "persona_prompt": "You are.", "greeting": "Hi"}"#;

#[tokio::test]
async fn words_that_will_not_do_are_sent_back_once() {
    on_each(async |world| {
        world.work();
        world.pen.script([Turn::Says(TOO_SHORT)]);
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;

        let calls = world.pen.calls.lock().unwrap().clone();
        assert_eq!(calls.len(), 2);
        assert_ne!(calls[0].0, calls[1].0, "another call has another key");
        assert!(calls[1].1.contains("could not be used") && calls[1].1.contains("persona_prompt"), "{}", calls[1].1);
        let effects: Vec<(String, String, i64)> = world
            .db
            .query("SELECT name, state, calls FROM effects WHERE saga_id = $1 AND step_key = 'persona.write#1' ORDER BY dispatched_at")
            .bind(saga)
            .all()
            .await
            .unwrap();
        assert_eq!(effects, [("write", "answered", 1), ("repair", "answered", 1)].map(|(a, b, c)| (a.to_owned(), b.to_owned(), c)));
    })
    .await;
}

#[tokio::test]
async fn words_that_will_not_do_twice_are_set_aside_and_paid_anew() {
    on_each(async |world| {
        world.work();
        world
            .pen
            .script([Turn::Says(TOO_SHORT), Turn::Says("not even JSON")]);
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;

        assert_eq!(world.pen.calls.lock().unwrap().len(), 3);
        assert_eq!(
            world
                .count("SELECT count(*) FROM effects WHERE state = 'spoiled'")
                .await,
            2
        );
    })
    .await;
}

#[tokio::test]
async fn a_step_that_is_done_twice_pays_once() {
    on_each(async |world| {
        world.mischief.twice();
        world.work();
        let survey = world.survey().await;
        let saga = world.three_answers(&survey).await;
        world.until(saga, SagaState::Succeeded).await;

        assert_eq!(world.pen.calls.lock().unwrap().len(), 1);
        assert_eq!(
            world.brush.calls.load(std::sync::atomic::Ordering::SeqCst),
            1
        );
    })
    .await;
}

const NAMES_A_FRIEND: &str = r#"{"name": "Ember", "title": "The lantern in the hallway", "traits": ["warm", "quick", "sure"],
    "persona_prompt": "You are Ember. Whenever plans fall apart you sit down next to Marigold and make a list, and then another, until it is fun.",
    "greeting": "Hello, come in."}"#;

#[tokio::test]
async fn a_friends_name_reaches_neither_a_persona_nor_an_operator() {
    on_each(async |world| {
        world.work();
        world
            .pen
            .script([Turn::Says(NAMES_A_FRIEND), Turn::Says(NAMES_A_FRIEND)]);
        let survey = world.survey().await;
        let [first, second, mut third] = friends();
        third["m1"] = "The evenings with Marigold and the dog.".into();
        world.answer(&survey, 1, &first).await;
        world.answer(&survey, 2, &second).await;
        let saga = world.answer(&survey, 3, &third).await.unwrap();
        world.until(saga, SagaState::Succeeded).await;

        let calls = world.pen.calls.lock().unwrap().clone();
        assert!(
            calls[1].1.contains("Marigold"),
            "the model is told: {}",
            calls[1].1
        );
        let text = world.mine(&survey).await.persona.unwrap().text;
        assert!(!format!("{text:?}").contains("Marigold"));
        let told: Vec<(String,)> = world
            .db
            .query(
                "SELECT page FROM events UNION ALL SELECT COALESCE(error, '') FROM steps
                 UNION ALL SELECT message FROM letters",
            )
            .all()
            .await
            .unwrap();
        assert!(
            told.iter()
                .any(|(text,)| text.contains("persona_prompt breaks the rules")),
            "{told:?}"
        );
        assert!(
            !told.iter().any(|(text,)| text.contains("Marigold")),
            "{told:?}"
        );
    })
    .await;
}
