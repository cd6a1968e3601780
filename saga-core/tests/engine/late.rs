//! Time runs out: for a saga's work, and for whoever should decide about it.

use crate::acts::LONG;
use crate::doer::Doer;
use crate::sagas::{News, back, deed, far};
use crate::stories::{Hurried, Impatient, Story, Told};
use crate::support::{World, combinations};
use chrono::TimeDelta;
use saga_core::run::Answer;
use saga_core::state::SagaState;
use saga_core::store::ControlError;
use saga_core::{Flow, Halt, Saga};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

fn deadline() -> TimeDelta {
    TimeDelta::from_std(Hurried::DEADLINE.unwrap()).unwrap()
}

fn deed_and_news(flow: &mut Flow) -> Result<String, Halt> {
    flow.undo_with(back("a"));
    flow.step(deed("a"))?;
    let News(words) = flow.signal()?;
    Ok(words)
}

async fn is_late(world: &World, saga: Uuid) {
    world.until(saga, SagaState::Undone).await;
    let error = world.run(saga).await.saga.error.unwrap();
    assert!(error.message.starts_with("deadline_exceeded"), "{error:?}");
    assert_eq!(world.effects(saga).await, ["did a", "undid a"]);
    assert!(world.letters(saga).await.is_empty(), "nobody is asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_in_a_queue_is_not_being_late() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let saga = world.tell(Hurried::KIND, |flow| flow.step(deed("a"))).await;
        let accepted = world.run(saga).await.saga.created_at;
        world.passed(accepted + deadline(), saga).await;
        world.store.sweep().await.unwrap();
        assert_eq!(world.state(saga).await, SagaState::Queued);
        world.worker("one");
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_begins_with_a_wait_has_its_deadline_all_the_same() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("one").await;
        let story: Story = |flow| {
            let News(_) = flow.signal()?;
            deed_and_news(flow)
        };
        let saga = world.tell(Hurried::KIND, story).await;
        world.until(saga, SagaState::Waiting).await;
        world.tell_news(saga).await;
        is_late(&world, saga).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_whose_first_step_hangs_is_late() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Hurried::KIND, deed_and_news).await;
        let hanging = world.claim(&tickets[0], "hanging", LONG).await.unwrap();
        let undoing = async || {
            world.store.sweep().await.unwrap();
            world.state(saga).await == SagaState::Undoing
        };
        world.wait("undo begins", undoing, saga).await;
        let (_, tickets) = world.settle(&hanging, Answer::Released).await;
        assert_eq!(
            tickets[0].step.as_str(),
            "take_back#1",
            "it may have happened"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_it_stood_parked_does_not_count() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do b");
        let world = World::new(combination, doer).await;
        world.worker_at_work("one").await;
        let story: Story = |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            flow.step(far("b"))?;
            let News(words) = flow.signal()?;
            Ok(words)
        };
        let saga = world.tell(Hurried::KIND, story).await;
        world.until(saga, SagaState::Parked).await;
        let parked = world.run(saga).await.saga.updated_at;
        world.passed(parked + deadline(), saga).await;
        world.store.sweep().await.unwrap();
        assert_eq!(world.state(saga).await, SagaState::Parked);

        broken.mend();
        world.replay(saga).await;
        world.until(saga, SagaState::Waiting).await;
        let due = world.run(saga).await.saga.deadline_at;
        assert!(due > Some(parked + deadline()), "a new one: {due:?}");
        world.tell_news(saga).await;
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_the_pivot_nothing_is_late_and_nothing_stays_due() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (stop, worker) = world.worker("one");
        let story: Story = |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            flow.pivot();
            let News(_) = flow.signal()?;
            flow.step(deed("b"))
        };
        let saga = world.tell(Hurried::KIND, story).await;
        world.until(saga, SagaState::Waiting).await;
        stop.cancel();
        worker.await.unwrap();
        let pivoted = world.run(saga).await.saga.updated_at;
        world.passed(pivoted + deadline(), saga).await;
        let quiet = async || world.store.sweep().await.unwrap().due == 0;
        world.wait("nothing is due", quiet, saga).await;
        assert_eq!(world.store.sweep().await.unwrap().due, 0);
        assert_eq!(world.state(saga).await, SagaState::Waiting);

        world.worker("two");
        world.tell_news(saga).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did a", "did b"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_nobody_decides_expires_and_undo_begins() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do b");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let story: Story = |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))?;
            flow.step(far("b"))
        };
        let saga = world.tell(Impatient::KIND, story).await;
        world.until(saga, SagaState::Undone).await;
        assert_eq!(world.effects(saga).await, ["did a", "undid a"]);
        let letter = world.letters(saga).await.remove(0);
        assert_eq!(
            (letter.class.as_str(), letter.state.as_str()),
            ("permanent", "expired")
        );

        // Its replay starts the saga anew from the stored input, once.
        broken.mend();
        let (again, tickets) = world.store.replay(letter.id, "ana", "now").await.unwrap();
        assert!(again.new && again.id != saga);
        let told = world.store.events(saga, 0, 100).await.unwrap();
        let told = told.last().unwrap();
        assert_eq!(told.name, "saga.replayed");
        let data = told.data.as_ref().unwrap();
        assert_eq!(
            (&data["by"], &data["reason"]),
            (&json!("ana"), &json!("now"))
        );
        assert_eq!(data["saga"], json!(again.id));
        world.client.publish(tickets);
        world.until(again.id, SagaState::Succeeded).await;
        assert_eq!(world.effects(again.id).await, ["did a", "did b"]);
        let twice = world.store.replay(letter.id, "ben", "me too").await;
        assert!(matches!(twice, Err(ControlError::Refused(_))), "{twice:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_without_end_is_never_due() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let story: Story = |flow| {
            flow.sleep(Duration::MAX)?;
            Ok("awake".to_owned())
        };
        let saga = world.tell(Told::KIND, story).await;
        assert_eq!(world.store.sweep().await.unwrap().due, 0);
        assert_eq!(world.state(saga).await, SagaState::Waiting);
        world.cancel(saga).await.unwrap();
        assert_eq!(world.state(saga).await, SagaState::Undone);
        world.end().await;
    }
}
