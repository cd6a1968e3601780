//! Whoever waits for a saga that stands still is not late for that.

use crate::doer::Doer;
use crate::kinds::switch_kind;
use crate::sagas::{Kid, Race, back, deed, failing, patient};
use crate::stories::{Hurried, Story, Told};
use crate::support::{World, combinations};
use chrono::TimeDelta;
use saga_core::db::Durability;
use saga_core::rules::KindMode;
use saga_core::run::child_id;
use saga_core::state::SagaState;
use saga_core::store::SagaVerb;
use saga_core::{Key, Saga};
use uuid::Uuid;

const ONE_CHILD: Story = |flow| {
    flow.undo_with(back("p"));
    flow.step(deed("p"))?;
    flow.child::<Kid>(patient("c"))
};

fn kid_of(saga: Uuid) -> Uuid {
    child_id(saga, &Key::stored("test.kid#1"))
}

/// Sweeps after the saga's deadline has passed.
async fn sweep_late(world: &World, saga: Uuid) {
    let due = world.run(saga).await.saga.deadline_at.unwrap();
    world.passed(due, saga).await;
    world.store.sweep().await.unwrap();
}

async fn decide(world: &World, saga: Uuid, verb: &SagaVerb) {
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let who = ("ana", "to see");
    let done = world.store.decide(&mut tx, saga, verb, who).await.unwrap();
    tx.commit().await.unwrap();
    world.client.publish(done.tickets);
}

async fn error_of(world: &World, saga: Uuid) -> String {
    world.run(saga).await.saga.error.unwrap().message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_of_a_child_holds_the_deadline_of_its_saga_which_then_counts_anew() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do c");
        let world = World::new(combination, doer).await;
        world.worker_at_work("one").await;
        let saga = world.tell(Hurried::KIND, ONE_CHILD).await;
        world.until(saga, SagaState::Waiting).await;
        let child = kid_of(saga);
        world.until(child, SagaState::Parked).await;
        sweep_late(&world, saga).await;
        assert_eq!(
            world.state(saga).await,
            SagaState::Waiting,
            "{}",
            world.label
        );

        broken.mend();
        world.replay(child).await;
        let replayed = world.now().await;
        let run = world.run(saga).await;
        let whole = TimeDelta::from_std(Hurried::DEADLINE.unwrap()).unwrap();
        let left = run.saga.deadline_at.unwrap() - replayed;
        assert!(left > whole / 2 && left <= whole, "{left}: {}", world.label);
        assert_eq!(run.saga.wake_at, run.saga.deadline_at);
        world.until(child, SagaState::Waiting).await;

        // Nobody stands still any more, and the news does not come.
        world.until(saga, SagaState::Undone).await;
        assert!(
            error_of(&world, saga)
                .await
                .starts_with("deadline_exceeded")
        );
        assert_eq!(world.effects(child).await, ["did c", "undid c"]);
        assert_eq!(world.effects(saga).await, ["did p", "undid p"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_somebody_paused_holds_the_deadline_of_its_saga() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("one").await;
        let saga = world.tell(Hurried::KIND, ONE_CHILD).await;
        world.until(saga, SagaState::Waiting).await;
        let child = kid_of(saga);
        world.until(child, SagaState::Waiting).await;
        decide(&world, child, &SagaVerb::Pause).await;
        sweep_late(&world, saga).await;
        assert_eq!(
            world.state(saga).await,
            SagaState::Waiting,
            "{}",
            world.label
        );
        decide(&world, child, &SagaVerb::Resume).await;
        world.tell_news(child).await;
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_whose_kind_is_paused_holds_the_deadline_of_its_saga() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("one").await;
        let saga = world.tell(Hurried::KIND, ONE_CHILD).await;
        world.until(saga, SagaState::Waiting).await;
        let child = kid_of(saga);
        world.until(child, SagaState::Waiting).await;
        switch_kind(&world, Kid::KIND, KindMode::Paused)
            .await
            .unwrap();
        sweep_late(&world, saga).await;
        let held = world.run(saga).await.saga;
        assert_eq!(held.state, SagaState::Waiting, "{}", world.label);
        // Nobody counts it anew when the kind is on again: what is left must do for the child.
        let left = held.deadline_at.unwrap() - held.wake_at.unwrap();
        assert!(left >= TimeDelta::hours(1), "{left}: {}", world.label);
        switch_kind(&world, Kid::KIND, KindMode::Enabled)
            .await
            .unwrap();
        world.tell_news(child).await;
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_that_gave_up_two_generations_below_holds_the_deadline_too() {
    let story: Story = |flow| flow.child::<Race>(vec![failing("x")]);
    for combination in combinations() {
        let (doer, broken) = Doer::without("undo x");
        let world = World::new(combination, doer).await;
        world.worker_at_work("one").await;
        let saga = world.tell(Hurried::KIND, story).await;
        let kid = kid_of(child_id(saga, &Key::stored("test.race#1")));
        world.until(kid, SagaState::Stuck).await;
        sweep_late(&world, saga).await;
        assert_eq!(
            world.state(saga).await,
            SagaState::Waiting,
            "{}",
            world.label
        );
        broken.mend();
        world.replay(kid).await;
        world.until(saga, SagaState::Undone).await;
        let error = error_of(&world, saga).await;
        assert!(error.starts_with("child_failed: test.race"), "{error}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_works_holds_no_deadline_and_a_stranger_that_stands_does_not_either() {
    for combination in combinations() {
        let (doer, _broken) = Doer::without("do stranger");
        let world = World::new(combination, doer).await;
        world.worker_at_work("one").await;
        let stranger: Story = |flow| flow.child::<Kid>(patient("stranger"));
        let stranger = world.tell(Told::KIND, stranger).await;
        world.until(kid_of(stranger), SagaState::Parked).await;
        let saga = world.tell(Hurried::KIND, ONE_CHILD).await;
        world.until(saga, SagaState::Waiting).await;
        world.until(kid_of(saga), SagaState::Waiting).await;
        world.until(saga, SagaState::Undone).await;
        assert!(
            error_of(&world, saga)
                .await
                .starts_with("deadline_exceeded")
        );
        world.end().await;
    }
}
