//! Taking back: everything that may have happened, newest first, and never past the pivot.

use crate::acts::LONG;
use crate::doer::Doer;
use crate::sagas::{News, back, deed, far};
use crate::stories::{Story, Told};
use crate::support::{World, combinations};
use saga_core::run::{Answer, Ending, Refused, Role};
use saga_core::state::{SagaState, StepState};
use saga_core::store::ControlError;
use saga_core::{Class, Retry, Saga};
use serde_json::{Value, json};
use uuid::Uuid;

fn is(result: Result<(), ControlError>, why: Refused) {
    assert!(
        matches!(&result, Err(ControlError::Refused(told)) if *told == why),
        "{result:?}"
    );
}

/// Everything that the store says about a saga.
async fn all_of(world: &World, saga: Uuid) -> String {
    let (run, letters) = (world.run(saga).await, world.letters(saga).await);
    format!("{run:?} {letters:?}")
}

async fn undo_states(world: &World, saga: Uuid) -> Vec<StepState> {
    let steps = world.run(saga).await.steps.into_iter();
    steps
        .filter(|step| step.role == Role::Undo)
        .map(|step| step.state)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_undo_for_several_deeds_runs_if_any_of_them_may_have_happened() {
    let story: Story = |flow| {
        flow.undo_with(back("all"));
        Ok(flow.all(["x", "y", "z"].map(deed))?.concat())
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        for taken in 0..3 {
            let (saga, tickets) = world.tell_quietly(Told::KIND, story).await;
            let claimed = world.claim(&tickets[taken], "w", LONG).await.unwrap();
            world.cancel(saga).await.unwrap();
            assert_eq!(world.state(saga).await, SagaState::Undoing);
            let (_, tickets) = world.settle(&claimed, Answer::Done(json!("did"))).await;
            assert_eq!(
                (world.state(saga).await, tickets.len()),
                (SagaState::Undoing, 1),
                "{}: deed {taken} may have happened",
                world.label
            );
            let undo = world.claim(&tickets[0], "w", LONG).await.unwrap();
            assert_eq!(undo.input, json!({"name": "all"}));
            world.settle(&undo, Answer::Done(json!("undone"))).await;
            assert_eq!(world.state(saga).await, SagaState::Undone);
        }
        let (saga, _) = world.tell_quietly(Told::KIND, story).await;
        world.cancel(saga).await.unwrap();
        assert_eq!(
            world.state(saga).await,
            SagaState::Undone,
            "nothing happened"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_undos_for_one_deed_all_run() {
    for combination in combinations() {
        let (doer, _broken) = Doer::without("do a");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let story: Story = |flow| {
            flow.undo_with(back("first"));
            flow.undo_with(back("second"));
            flow.step(deed("a"))
        };
        let saga = world.tell(Told::KIND, story).await;
        world.until(saga, SagaState::Parked).await;
        world.discard(saga).await.unwrap();
        world.until(saga, SagaState::Undone).await;
        assert_eq!(world.effects(saga).await, ["undid second", "undid first"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_undo_is_stuck_until_it_is_replayed_or_done_by_hand() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("");
        let world = World::new(combination, doer).await;
        world.worker("one");
        for by_hand in [false, true] {
            broken.now("do c");
            let saga = world.start("test.line", Value::Null).await;
            world.until(saga, SagaState::Parked).await;
            broken.now("undo b");
            world.discard(saga).await.unwrap();
            world.until(saga, SagaState::Stuck).await;
            let letter = world.open_letter(saga).await;
            assert_eq!(letter.step_key.as_deref(), Some("take_back#2"));
            let mut effects = vec!["did a", "did b", "undid c"];
            assert_eq!(world.effects(saga).await, effects);
            if by_hand {
                world.discard(saga).await.unwrap();
            } else {
                broken.mend();
                world.replay(saga).await;
                effects.push("undid b");
            }
            world.until(saga, SagaState::Undone).await;
            effects.push("undid a");
            assert_eq!(world.effects(saga).await, effects, "{}", world.label);
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_the_pivot_a_letter_cannot_be_discarded() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do b");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let story: Story = |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            flow.pivot();
            flow.step(far("b"))
        };
        let saga = world.tell(Told::KIND, story).await;
        world.until(saga, SagaState::Parked).await;
        let before = all_of(&world, saga).await;
        is(world.discard(saga).await, Refused::Pivoted);
        is(world.cancel(saga).await, Refused::Pivoted);
        assert_eq!(all_of(&world, saga).await, before, "{}", world.label);
        broken.mend();
        world.replay(saga).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did a", "did b"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_takes_back_what_was_done_unless_it_is_past_the_pivot() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let before: Story = |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            let News(words) = flow.signal()?;
            Ok(words)
        };
        let saga = world.tell(Told::KIND, before).await;
        world.until(saga, SagaState::Waiting).await;
        world.cancel(saga).await.unwrap();
        world.until(saga, SagaState::Undone).await;
        assert_eq!(world.effects(saga).await, ["did a", "undid a"]);
        assert_eq!(world.run(saga).await.saga.ending, Some(Ending::Canceled));
        is(world.cancel(saga).await, Refused::Finished);

        let past: Story = |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            flow.pivot();
            let News(words) = flow.signal()?;
            Ok(words)
        };
        let saga = world.tell(Told::KIND, past).await;
        world.until(saga, SagaState::Waiting).await;
        let untouched = all_of(&world, saga).await;
        is(world.cancel(saga).await, Refused::Pivoted);
        assert_eq!(all_of(&world, saga).await, untouched);
        world.tell_news(saga).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did a"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undo_waits_for_a_sibling_that_is_still_at_work() {
    let story: Story = |flow| {
        flow.undo_with(back("b"));
        let b = flow.start(deed("b"))?;
        flow.undo_with(back("c"));
        let c = flow.start(far("c"))?;
        Ok(flow.wait(b)? + &flow.wait(c)?)
    };
    let no = || Answer::Failed {
        class: Class::Permanent,
        message: "no".to_owned(),
        after: None,
        retry: Retry::NEVER,
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, story).await;
        let b = world.claim(&tickets[0], "slow", LONG).await.unwrap();
        let c = world.claim(&tickets[1], "slow", LONG).await.unwrap();
        world.settle(&b, no()).await;
        assert_eq!(world.state(saga).await, SagaState::Running, "c is at work");
        world.cancel(saga).await.unwrap();
        assert_eq!(world.state(saga).await, SagaState::Undoing);
        assert_eq!(undo_states(&world, saga).await, [StepState::Waiting; 2]);
        let (_, tickets) = world.settle(&c, Answer::Done(json!("c"))).await;
        assert_eq!(
            undo_states(&world, saga).await,
            [StepState::Waiting, StepState::Ready],
            "one at a time"
        );
        world.worker("one");
        world.client.publish(tickets);
        world.until(saga, SagaState::Undone).await;
        assert_eq!(world.effects(saga).await, ["undid c", "undid b"]);
        world.end().await;
    }
}
