//! What an operator does to one saga keeps what the engine promises: no news is lost, every deed that may have
//! happened is undone, and a saga begins again once.

use crate::doer::Doer;
use crate::sagas::{News, back, deed};
use crate::stories::{Story, Told};
use crate::support::{World, stores};
use saga_core::Saga;
use saga_core::db::Durability;
use saga_core::journal::Key;
use saga_core::run::Skip;
use saga_core::state::{SagaState, StepState};
use saga_core::store::{Judgement, SagaVerb, VerbError};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const NEWS_OR_LATER: Story = |flow| {
    let first = flow.signal_within::<News>(Duration::from_millis(80))?;
    let News(second) = flow.signal()?;
    Ok(format!(
        "{}, {second}",
        first.map_or("nothing".to_owned(), |News(words)| words)
    ))
};
const CHARGE_AND_FAIL: Story = |flow| {
    flow.undo_with(back("charge"));
    flow.step(deed("charge"))?;
    flow.fail("not_good_enough")
};

impl World {
    async fn decide(&self, saga: Uuid, verb: &SagaVerb) {
        let mut tx = self.store.db().begin(Durability::Full).await.unwrap();
        let who = ("ana", "the test says so");
        let done = self.store.decide(&mut tx, saga, verb, who).await.unwrap();
        tx.commit().await.unwrap();
        self.client.publish(done.tickets);
    }

    async fn judge(&self, letter: Uuid, how: &Judgement) -> Result<Uuid, VerbError> {
        let mut tx = self.store.db().begin(Durability::Full).await.unwrap();
        let who = ("ana", "the test says so");
        let judged = self.store.judge(&mut tx, letter, how, who).await?;
        tx.commit().await.unwrap();
        self.client.publish(judged.tickets);
        Ok(judged.saga.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_for_a_wait_that_ended_while_the_saga_was_paused_is_kept() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        world.worker_at_work("w").await;
        let saga = world.tell(Told::KIND, NEWS_OR_LATER).await;
        world.decide(saga, &SagaVerb::Pause).await;
        let rung = async || {
            let run = world.run(saga).await;
            run.steps.iter().any(|step| step.state == StepState::Done)
        };
        world.wait("its time is over", rung, saga).await;
        world.tell_news(saga).await;
        world.decide(saga, &SagaVerb::Resume).await;
        world.until(saga, SagaState::Succeeded).await;
        let output = world.run(saga).await.saga.output;
        assert_eq!(
            output,
            Some(json!("nothing, hear, hear")),
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_for_a_wait_that_is_still_open_is_heard_when_the_saga_goes_on() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let story: Story = |flow| Ok(flow.signal::<News>()?.0);
        let saga = world.tell(Told::KIND, story).await;
        world.decide(saga, &SagaVerb::Pause).await;
        world.tell_news(saga).await;
        assert_eq!(world.state(saga).await, SagaState::Paused);
        world.decide(saga, &SagaVerb::Resume).await;
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deed_that_somebody_answered_for_is_undone() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let (saga, _) = world.tell_quietly(Told::KIND, CHARGE_AND_FAIL).await;
        let skip = Skip {
            step: Some(Key::stored("deed#1".to_owned())),
            output: Some(json!("charged by hand")),
            force: true,
        };
        world.decide(saga, &SagaVerb::SkipStep(skip)).await;
        world.worker_at_work("w").await;
        world.until(saga, SagaState::Undone).await;
        let effects = world.effects(saga).await;
        assert_eq!(effects, ["undid charge"], "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_saga_is_begun_again_once_whatever_letters_it_has() {
    let story: Story = |flow| {
        flow.undo_with(back("a"));
        flow.step(deed("a"))?;
        flow.step(deed("b"))
    };
    for store in stores() {
        let (doer, broken) = Doer::without("do b");
        let world = World::new(store, doer).await;
        world.worker_at_work("w").await;
        let saga = world.tell(Told::KIND, story).await;
        world.until(saga, SagaState::Parked).await;
        let first = world.open_letter(saga).await.id;
        broken.now("undo a");
        world.judge(first, &Judgement::Discard).await.unwrap();
        world.until(saga, SagaState::Stuck).await;
        let second = world.open_letter(saga).await.id;
        world.judge(second, &Judgement::Discard).await.unwrap();
        world.until(saga, SagaState::Undone).await;
        broken.mend();
        let again = world.judge(first, &Judgement::Restore).await.unwrap();
        let twice = world.judge(second, &Judgement::Restore).await;
        assert!(twice.is_err(), "{}: {twice:?}", world.label);
        world.until(again, SagaState::Succeeded).await;
        world.end().await;
    }
}
