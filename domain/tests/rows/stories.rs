//! The story of `persona.forge`, told whole, broken at every step, and with every step done twice.

use domain::media::store::Variant;
use domain::mirror::archetype::{Archetype, Mode};
use domain::mirror::forge::{
    ActivatePersona, Aggregate, AggregateAnswers, DerivePictures, Derived, DiscardDraft,
    DiscardPicture, Forge, ForgePersona, PaintPortrait, Painted, WritePersona, Written,
};
use domain::mirror::persona_text::PersonaText;
use domain::mirror::rarity::Rarity;
use domain::mirror::statistics::Stats;
use saga_core::Saga as _;
use saga_core::rehearsal::{Rehearsal, Story};
use saga_core::state::SagaState;
use saga_core::usage::Usage;
use uuid::Uuid;

fn variant() -> Variant {
    Variant {
        name: "1024".to_owned(),
        width: 1024,
        height: 1024,
        bytes: 1,
        etag: "e".to_owned(),
    }
}

pub(crate) fn forge() -> Rehearsal<ForgePersona> {
    let text = PersonaText {
        name: "Ember".to_owned(),
        title: "The lantern in the hallway".to_owned(),
        traits: ["warm", "quick", "sure"].map(str::to_owned).to_vec(),
        persona_prompt: "You are".to_owned(),
        greeting: "Hello".to_owned(),
    };
    Rehearsal::of(Forge {
        survey: Uuid::from_u128(7),
        mode: Mode::Fated,
        archetype: None,
    })
    .answer(|step: AggregateAnswers| {
        Ok(Aggregate {
            persona: step.persona,
            survey: step.survey,
            mode: step.mode,
            responses: 3,
            stats: Stats::default(),
            archetype: Archetype::Sage,
            rarity: Rarity::Rare,
        })
    })
    .answer(move |step: WritePersona| {
        assert_eq!(step.responses, 3, "the answers that were added up");
        Ok(Written {
            persona: step.persona,
            text: text.clone(),
            provider: "local".to_owned(),
            usage: Usage::default(),
        })
    })
    .answer(|step: PaintPortrait| {
        let provider = "local".to_owned();
        Ok(Painted {
            owner: Uuid::nil(),
            persona: step.persona,
            media: step.media,
            original: variant(),
            provider,
            usage: Usage::default(),
        })
    })
    .answer(|step: DerivePictures| {
        Ok(Derived {
            owner: Uuid::nil(),
            persona: step.persona,
            portrait: step.portrait,
            painter: "local".to_owned(),
            portrait_variants: vec![variant()],
            card: step.card,
            card_variant: variant(),
        })
    })
    .answer(|step: ActivatePersona| Ok(step))
    .answer(|step: DiscardDraft| Ok(step))
    .answer(|step: DiscardPicture| Ok(step))
}

const DEEDS: [&str; 5] = [
    "persona.aggregate#1",
    "persona.write#1",
    "persona.paint#1",
    "persona.derive#1",
    "persona.activate#1",
];

fn activation(story: &Story) -> &str {
    story
        .lines
        .iter()
        .find(|line| line.contains("persona.activate#1 ->"))
        .unwrap()
}

#[test]
fn five_deeds_and_the_persona_is_there() {
    let story = forge().play();

    assert_eq!(story.state, SagaState::Succeeded, "{:#?}", story.lines);
    assert_eq!(story.did(), DEEDS);
    let planned = domain::catalog::plan(ForgePersona::KIND);
    let planned: Vec<String> = planned.iter().map(|name| format!("{name}#1")).collect();
    assert_eq!(story.did(), planned, "the plan tells the same story");
    assert!(activation(&story).contains("\"degraded\":false"));
    assert!(story.undid().is_empty());
}

#[test]
fn without_answers_there_is_no_letter_and_the_draft_is_taken_back() {
    let story = forge().breaking_at(0).play();

    assert_eq!(story.state, SagaState::Undone);
    assert!(
        !story.lines.iter().any(|line| line.starts_with("parked")),
        "{:#?}",
        story.lines
    );
    assert_eq!(story.undid(), ["persona.discard_draft#1"]);
}

#[test]
fn without_words_it_waits_for_an_operator_and_is_taken_back_when_discarded() {
    let story = forge().breaking_at(1).play();

    assert_eq!(story.state, SagaState::Undone);
    assert!(
        story.lines.iter().any(|line| line.starts_with("parked")),
        "{:#?}",
        story.lines
    );
    assert_eq!(story.undid(), ["persona.discard_draft#1"]);
}

#[test]
fn without_a_portrait_the_persona_is_ready_and_degraded() {
    let story = forge().breaking_at(2).play();

    assert_eq!(story.state, SagaState::Succeeded);
    assert_eq!(
        story.did(),
        [
            "persona.aggregate#1",
            "persona.write#1",
            "persona.paint#1",
            "persona.activate#1"
        ]
    );
    let activation = activation(&story);
    assert!(
        activation.contains("\"degraded\":true") && activation.contains("\"portrait\":null"),
        "{activation}"
    );
}

#[test]
fn without_a_card_the_persona_keeps_its_portrait() {
    let story = forge().breaking_at(3).play();

    assert_eq!(story.state, SagaState::Succeeded);
    let activation = activation(&story);
    assert!(
        activation.contains("\"degraded\":true") && activation.contains("\"card\":null"),
        "{activation}"
    );
    assert!(!activation.contains("\"portrait\":null"), "{activation}");
}

#[test]
fn past_the_pivot_nothing_is_taken_back() {
    let story = forge().breaking_at(4).play();

    assert!(
        story.lines.iter().any(|line| line.starts_with("parked")),
        "{:#?}",
        story.lines
    );
    assert!(story.undid().is_empty());
}

#[test]
fn doing_every_step_twice_changes_nothing() {
    let story = forge().twice().play();

    assert_eq!(story.state, SagaState::Succeeded, "{:#?}", story.lines);
    let once: std::collections::BTreeSet<&str> = story.did().into_iter().collect();
    assert_eq!(once, DEEDS.into_iter().collect());
    let undone = forge().twice().breaking_at(1).play();
    assert_eq!(undone.state, SagaState::Undone, "{:#?}", undone.lines);
}
