//! The stories of `topic.round` and `topic.draft`, and the ways in which they end early.

use domain::mirror::forge::DiscardPicture;
use domain::topics::POOL;
use domain::topics::draft::{
    ComposeTopic, Composed, Draft, DraftTopic, PaintCover, PaintedCover, PublishTopic,
};
use domain::topics::round::{
    ChooseClusters, Chosen, ClaimIdeas, ClusterIdeas, EmbedIdeas, Embedded, ForgetClusters,
    GiveBackIdeas, ReleaseIdeas, RunRound,
};
use domain::topics::rounds::{Begin, Params};
use domain::topics::store::clusters::{Cluster, Decision};
use domain::topics::store::grouping::{Group, Grouping};
use domain::topics::topic_text::TopicText;
use saga_core::Saga as _;
use saga_core::rehearsal::Rehearsal;
use saga_core::review::Decision as Decided;
use saga_core::state::SagaState;
use saga_core::usage::Usage;
use uuid::Uuid;

fn cluster(label: i64) -> Cluster {
    Cluster {
        id: Uuid::from_u128(u128::from(label.unsigned_abs())),
        round_id: Uuid::from_u128(7),
        label,
        size: 3,
        keywords: vec!["bike".to_owned()],
        samples: Vec::new(),
        decision: Decision::Pending,
        title_hint: None,
    }
}

/// A round with `ideas` ideas and `clusters` clusters, the ideas embedded in two steps.
fn of(ideas: usize, clusters: usize) -> Rehearsal<RunRound> {
    with(Params::default(), ideas, clusters)
}

fn with(params: Params, ideas: usize, clusters: usize) -> Rehearsal<RunRound> {
    Rehearsal::of(Begin {
        pool: POOL.to_owned(),
        params,
    })
    .answer(|step: ClaimIdeas| Ok(step))
    .answer(move |_: EmbedIdeas| {
        let round = Uuid::from_u128(7);
        Ok(Embedded {
            round,
            ideas,
            next: None,
        })
    })
    .answer(move |_: ClusterIdeas| {
        let group = Group {
            keywords: vec!["bike".to_owned()],
            samples: vec![0],
        };
        Ok(Grouping {
            groups: vec![group; clusters],
            members: "AAABBB".to_owned(),
            ideas: "e".to_owned(),
        })
    })
    .answer(|step: ChooseClusters| {
        Ok(Chosen {
            topics_max: step.topics_max,
            clusters: vec![cluster(0), cluster(1)],
        })
    })
    .child::<DraftTopic>(|draft| Ok(draft.cluster))
    .answer(|step: ReleaseIdeas| Ok(step))
    .answer(|step: GiveBackIdeas| Ok(step))
    .answer(|step: ForgetClusters| Ok(step))
}

pub(crate) fn round() -> Rehearsal<RunRound> {
    of(6, 2)
}

pub(crate) fn draft() -> Rehearsal<DraftTopic> {
    Rehearsal::of(Draft {
        round: Uuid::from_u128(7),
        cluster: Uuid::from_u128(1),
    })
    .answer(|_: ComposeTopic| {
        Ok(Composed {
            text: TopicText {
                title: "How should we ride?".to_owned(),
                opening_post: "Welcome".to_owned(),
                summary: "Bikes".to_owned(),
            },
            keywords: vec!["bike".to_owned()],
            provider: "local".to_owned(),
            usage: Usage::default(),
        })
    })
    .answer(|step: PaintCover| {
        Ok(PaintedCover {
            topic: step.topic,
            media: step.media,
            variants: Vec::new(),
            provider: "local".to_owned(),
            usage: Usage::default(),
        })
    })
    .answer(|step: PublishTopic| Ok(step))
    .answer(|step: DiscardPicture| Ok(step))
}

#[test]
fn a_round_claims_groups_drafts_and_lets_go() {
    let story = round().play();
    assert_eq!(story.state, SagaState::Succeeded, "{:#?}", story.lines);
    assert_eq!(
        story.did(),
        [
            "topic.claim#1",
            "topic.embed#1",
            "topic.cluster#1",
            "topic.choose#1",
            "topic.draft#1",
            "topic.draft#2",
            "topic.release#1"
        ]
    );
    let planned = domain::catalog::plan(RunRound::KIND);
    let did = story.did();
    let own = did.iter().filter(|key| !key.starts_with("topic.draft"));
    assert!(own.zip(planned).all(|(key, name)| key.starts_with(name)));
}

#[test]
fn a_round_without_ideas_groups_nothing() {
    let story = of(0, 0).play();
    assert_eq!(story.state, SagaState::Succeeded, "{:#?}", story.lines);
    let did = ["topic.claim#1", "topic.embed#1", "topic.release#1"];
    assert_eq!(story.did(), did);
}

#[test]
fn a_round_without_groups_drafts_nothing() {
    let story = of(2, 0).play();
    assert_eq!(story.state, SagaState::Succeeded, "{:#?}", story.lines);
    assert_eq!(story.did().last(), Some(&"topic.release#1"));
    assert!(!story.did().iter().any(|key| key.starts_with("topic.draft")));
}

#[test]
fn vectors_are_made_step_by_step_until_there_are_no_more() {
    let story = of(6, 2)
        .answer(|step: EmbedIdeas| {
            let next = (step.from < 512).then_some(step.from + 256);
            Ok(Embedded {
                round: Uuid::nil(),
                ideas: 700,
                next,
            })
        })
        .play();
    assert_eq!(story.state, SagaState::Succeeded, "{:#?}", story.lines);
    let embedded = story
        .did()
        .into_iter()
        .filter(|key| key.starts_with("topic.embed"));
    assert_eq!(embedded.count(), 3);
}

/// A round that asks curators.
fn reviewed() -> Rehearsal<RunRound> {
    let params = Params {
        require_review: true,
        ..Params::default()
    };
    with(params, 6, 2)
}

#[test]
fn a_round_that_is_approved_or_that_nobody_looks_at_goes_on() {
    for story in [
        reviewed().decide(Decided::Approved, "fine").play(),
        reviewed().play(),
    ] {
        assert_eq!(story.state, SagaState::Succeeded, "{:#?}", story.lines);
        assert!(story.did().contains(&"topic.draft#2"));
        let curated = story
            .lines
            .iter()
            .any(|line| line.contains("topic.curate#1"));
        assert!(curated, "{:#?}", story.lines);
    }
}

#[test]
fn a_round_that_is_rejected_gives_its_ideas_back() {
    let story = reviewed().decide(Decided::Rejected, "too early").play();
    assert_eq!(story.state, SagaState::Undone, "{:#?}", story.lines);
    assert_eq!(
        story.undid(),
        ["topic.forget_clusters#1", "topic.give_back#1"]
    );
    assert!(!story.lines.iter().any(|line| line.starts_with("parked")));
}

#[test]
fn a_draft_without_words_is_no_letter_and_leaves_nothing() {
    let story = draft().breaking_at(0).play();
    assert_eq!(story.state, SagaState::Undone);
    assert!(!story.lines.iter().any(|line| line.starts_with("parked")));
}

#[test]
fn a_draft_without_a_cover_is_published_without_one() {
    let story = draft().breaking_at(1).play();
    assert_eq!(story.state, SagaState::Succeeded);
    let published = story
        .lines
        .iter()
        .find(|line| line.contains("topic.publish#1 ->"));
    assert!(
        published.is_some_and(|line| line.contains("\"cover\":null")),
        "{:#?}",
        story.lines
    );
}
