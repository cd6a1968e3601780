//! A saga whose code and journal do not fit stands still, and goes on when they fit again.

use crate::doer::Doer;
use crate::sagas::{News, back, deed, far};
use crate::stories::{Story, Told, deploy, withdraw};
use crate::support::{World, combinations};
use saga_core::state::SagaState;
use saga_core::{Flow, Halt, Saga};
use serde_json::json;
use uuid::Uuid;

fn good(flow: &mut Flow) -> Result<String, Halt> {
    flow.undo_with(back("a"));
    flow.step(deed("a"))?;
    let News(_) = flow.signal()?;
    flow.step(deed("b"))
}

/// Deploys that do not fit what [`good`] has asked for by the time the news comes, and the words of
/// the letter that each of them earns.
const BAD: [(&str, Story, &[&str]); 9] = [
    (
        "another input under the same key",
        |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("other"))?;
            let News(_) = flow.signal()?;
            flow.step(deed("b"))
        },
        &["diverged", "deed#1", r#""a""#, r#""other""#],
    ),
    (
        "another undo under the same key",
        |flow| {
            flow.undo_with(back("other"));
            flow.step(deed("a"))?;
            let News(_) = flow.signal()?;
            flow.step(deed("b"))
        },
        &["diverged", "take_back#1", r#""a""#, r#""other""#],
    ),
    (
        "a step no longer asked for",
        |flow| {
            flow.undo_with(back("a"));
            let News(_) = flow.signal()?;
            flow.step(far("b"))
        },
        &["orphaned", "deed#1"],
    ),
    (
        "a halt swallowed before another step",
        |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            let News(_) = flow.signal()?;
            drop(flow.step(far("optional")));
            flow.step(deed("b"))
        },
        &["swallowed"],
    ),
    (
        "a halt swallowed before the end",
        |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            let News(_) = flow.signal()?;
            drop(flow.step(deed("b")));
            Ok("well enough".to_owned())
        },
        &["swallowed"],
    ),
    (
        "a halt taken for a failure",
        |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            let News(_) = flow.signal()?;
            let Ok(b) = flow.step(deed("b")) else {
                return flow.fail("no");
            };
            Ok(b)
        },
        &["swallowed"],
    ),
    (
        "a step that nobody waits for",
        |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            let News(_) = flow.signal()?;
            drop(flow.start(deed("b"))?);
            Ok("well enough".to_owned())
        },
        &["unjoined", "deed#2"],
    ),
    (
        "a panic",
        |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            let News(_) = flow.signal()?;
            panic!("ouch")
        },
        &["panicked", "ouch"],
    ),
    (
        "an index out of bounds",
        |flow| {
            flow.undo_with(back("a"));
            let a = flow.step(deed("a"))?;
            let News(_) = flow.signal()?;
            Ok(a.split_at(2).0.to_owned())
        },
        &["panicked"],
    ),
];

async fn parked_with(world: &World, saga: Uuid, what: &str, words: &[&str]) {
    world.until(saga, SagaState::Parked).await;
    let letter = world.open_letter(saga).await;
    assert_eq!(letter.class, "diverged", "{what}");
    assert_eq!(letter.step_key, None, "{what}: it is about no single step");
    let told = world.run(saga).await.saga.error.unwrap().message;
    for word in words {
        assert!(letter.message.contains(word), "{what}: {}", letter.message);
        assert!(told.contains(word), "{what}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_that_does_not_fit_parks_and_the_old_code_goes_on() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        for (what, bad, words) in BAD {
            let saga = world.tell(Told::KIND, good).await;
            world.until(saga, SagaState::Waiting).await;
            deploy(saga, bad);
            world.tell_news(saga).await;
            parked_with(&world, saga, what, words).await;
            assert_eq!(world.effects(saga).await, ["did a"], "{what}");

            deploy(saga, good);
            world.replay(saga).await;
            world.until(saga, SagaState::Succeeded).await;
            assert_eq!(world.effects(saga).await, ["did a", "did b"], "{what}");
            assert_eq!(world.letters(saga).await[0].state, "replayed", "{what}");
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_no_longer_reads_parks_until_it_does() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, good).await;
        world.until(saga, SagaState::Waiting).await;
        withdraw(saga);
        world.tell_news(saga).await;
        let words = ["unreadable", "the stored input", "missing field `story`"];
        parked_with(&world, saga, "unreadable", &words).await;

        // Too early: it stands still again, with a letter of its own.
        let first = world.open_letter(saga).await.id;
        world.replay(saga).await;
        parked_with(&world, saga, "unreadable", &words).await;
        assert_ne!(world.open_letter(saga).await.id, first);

        deploy(saga, good);
        world.replay(saga).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.run(saga).await.saga.output, Some(json!("b")));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_run_leaves_no_marks() {
    for combination in combinations() {
        let (doer, _broken) = Doer::without("do c");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let story: Story = |flow| {
            flow.phase("early");
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            flow.undo_with(back("b"));
            flow.step(far("b"))?;
            let News(_) = flow.signal()?;
            flow.step(deed("c"))
        };
        let saga = world.tell(Told::KIND, story).await;
        world.until(saga, SagaState::Waiting).await;
        deploy(saga, |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            flow.pivot();
            flow.phase("late");
            flow.undo_with(back("b"));
            flow.step(far("other"))
        });
        world.tell_news(saga).await;
        world.until(saga, SagaState::Parked).await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.phase.as_deref(), Some("early"));
        assert!(!run.saga.pivoted, "{}: a pivot nobody passed", world.label);

        deploy(saga, story);
        world.replay(saga).await;
        let gave_up = async || {
            let letters = world.letters(saga).await;
            letters.iter().any(|letter| letter.class == "permanent")
        };
        world.wait("c gives up", gave_up, saga).await;
        world.until(saga, SagaState::Parked).await;
        world.discard(saga).await.unwrap();
        world.until(saga, SagaState::Undone).await;
        assert_eq!(
            world.effects(saga).await,
            ["did a", "did b", "undid b", "undid a"],
            "{}",
            world.label
        );
        world.end().await;
    }
}
