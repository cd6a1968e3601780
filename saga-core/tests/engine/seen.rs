//! What a worker saw of its saga is written on only while it is true: whatever others did meanwhile
//! is kept, and so is the answer.

use crate::acts::LONG;
use crate::doer::Doer;
use crate::sagas::{News, deed, far};
use crate::stories::{Story, Told};
use crate::support::{World, combinations};
use saga_core::run::Answer;
use saga_core::state::SagaState;
use saga_core::store::{SettleOutcome, Settlement};
use saga_core::{Retry, Saga};
use serde_json::json;

const DEED_AND_NEWS: Story = |flow| {
    flow.step(deed("a"))?;
    Ok(flow.signal::<News>()?.0)
};
const BRANCHES: Story = |flow| {
    let (left, right) = (flow.start(deed("left"))?, flow.start(far("right"))?);
    Ok(flow.wait(left)? + &flow.wait(right)?)
};
const PAIR: Story = |flow| Ok(flow.step(deed("a"))? + &flow.step(deed("b"))?);

fn done(output: &str) -> Answer {
    Answer::Done(json!(output))
}

fn committed(outcome: &SettleOutcome) -> bool {
    matches!(outcome, SettleOutcome::Committed(_))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_that_comes_while_a_step_is_done_is_heard() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, DEED_AND_NEWS).await;
        let claimed = world.claim(&tickets[0], "one", LONG).await.unwrap();
        world.tell_news(saga).await;
        let (outcome, _) = world.settle(&claimed, done("a")).await;
        assert!(committed(&outcome), "{}: {outcome:?}", world.label);
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Succeeded, "{}", world.label);
        assert_eq!(run.saga.output, Some(json!("hear, hear")));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_that_came_before_the_claim_is_heard() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, DEED_AND_NEWS).await;
        world.tell_news(saga).await;
        let claimed = world.claim(&tickets[0], "one", LONG).await.unwrap();
        world.settle(&claimed, done("a")).await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Succeeded, "{}", world.label);
        assert_eq!(run.saga.output, Some(json!("hear, hear")));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_cancelled_while_a_step_is_done_stays_cancelled() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, PAIR).await;
        let claimed = world.claim(&tickets[0], "one", LONG).await.unwrap();
        world.cancel(saga).await.unwrap();
        world.settle(&claimed, done("a")).await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Undone, "{}", world.label);
        assert_eq!(run.steps.len(), 1, "nothing was begun after it");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn branches_that_end_at_once_or_after_each_other_both_count() {
    for combination in combinations() {
        for at_once in [true, false] {
            let world = World::new(combination, Doer::well()).await;
            let (saga, tickets) = world.tell_quietly(Told::KIND, BRANCHES).await;
            let left = world.claim(&tickets[0], "one", LONG).await.unwrap();
            let right = world.claim(&tickets[1], "two", LONG).await.unwrap();
            let settlements = [(&left, "l"), (&right, "r")].map(|(claimed, output)| Settlement {
                saga,
                key: claimed.key.clone(),
                epoch: claimed.epoch,
                step: claimed.step.clone(),
                answer: done(output),
                recorder: None,
                retry: Retry::NEVER,
                run_on: None,
                leased: true,
                trace: None,
                seen: claimed.seen.clone(),
            });
            let batches = settlements.chunks(if at_once { 2 } else { 1 });
            for batch in batches {
                let (outcomes, _) = world.store.settle(batch).await.unwrap();
                let all = outcomes
                    .iter()
                    .all(|one| one.as_ref().is_some_and(committed));
                assert!(all, "{}: {outcomes:?}", world.label);
            }
            let run = world.run(saga).await;
            assert_eq!(run.saga.output, Some(json!("lr")), "{}", world.label);
            world.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_workers_with_the_same_ticket_one_has_the_step() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        for _ in 0..30 {
            let (saga, tickets) = world.tell_quietly(Told::KIND, PAIR).await;
            let (one, two) = tokio::join!(
                world.claim(&tickets[0], "one", LONG),
                world.claim(&tickets[0], "two", LONG)
            );
            assert!(one.is_some() != two.is_some(), "{one:?} {two:?}");
            let run = world.run(saga).await;
            assert_eq!(run.steps[0].epoch, 1, "{}", world.label);
            assert_eq!(run.steps[0].attempt, 1, "{}", world.label);
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_the_worker_does_not_know_the_saga_of_is_settled_all_the_same() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, PAIR).await;
        let mut claimed = world.claim(&tickets[0], "one", LONG).await.unwrap();
        claimed.seen = None;
        let (outcome, tickets) = world.settle(&claimed, done("a")).await;
        assert!(committed(&outcome), "{}: {outcome:?}", world.label);
        let claimed = world.claim(&tickets[0], "one", LONG).await.unwrap();
        world.settle(&claimed, done("b")).await;
        assert_eq!(world.run(saga).await.saga.output, Some(json!("ab")));
        // Once it has ended, the same answers are late.
        let (late, _) = world.settle(&claimed, done("again")).await;
        assert!(matches!(late, SettleOutcome::Fenced), "{}", world.label);
        world.end().await;
    }
}
