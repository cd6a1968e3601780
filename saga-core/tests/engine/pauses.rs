//! A queue that is paused is left alone, and loses nothing by it.

use crate::doer::Doer;
use crate::sagas::{deed, far};
use crate::stories::Told;
use crate::support::{World, combinations};
use saga_core::Saga;
use saga_core::db::Durability;
use saga_core::state::{SagaState, StepState};
use saga_core::store::{QueueSwitch, Share};
use uuid::Uuid;

/// Steps that one worker does at once.
const SLOTS: u32 = 10;

async fn switch(world: &World, paused: bool, reason: &str) -> Option<QueueSwitch> {
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let switched = world
        .store
        .switch_queue(&mut tx, "left", paused, ("ana", reason))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    switched
}

/// Waits until the share that `worker` has of the queue is so.
async fn share_is(world: &World, worker: &str, what: &str, so: impl Fn(&Share) -> bool) {
    let seen = async || {
        let workers = world.store.workers().await.unwrap();
        let one = workers.into_iter().find(|one| one.id == worker);
        let mut shares = one.into_iter().flat_map(|one| one.shares);
        shares.any(|share| share.queue == "left" && so(&share))
    };
    world.wait(what, seen, Uuid::nil()).await;
}

/// The one step of a saga: how it is, its attempts, and the tickets it took.
async fn step(world: &World, saga: Uuid, at: usize) -> (StepState, i64, i64) {
    let step = &world.run(saga).await.steps[at];
    (step.state, step.attempt, step.tickets)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_starts_while_a_queue_is_paused_leaves_it_alone() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        switch(&world, true, "the provider is down").await.unwrap();
        world.worker("one");
        let saga = world
            .tell(Told::KIND, |flow| {
                Ok(flow.step(far("a"))? + &flow.step(deed("b"))?)
            })
            .await;
        let asked = async || world.run(saga).await.steps.len() == 2;
        world.wait("b is ready", asked, saga).await;
        share_is(&world, "one", "it knows", |share| share.paused).await;
        // The other queue goes on, later work included.
        let other = world.tell(Told::KIND, |flow| flow.step(far("c"))).await;
        world.until(other, SagaState::Succeeded).await;
        let (state, attempt, _) = step(&world, saga, 1).await;
        assert_eq!((state, attempt), (StepState::Ready, 0), "{}", world.label);
        assert_eq!(world.doer.attempted("do b"), 0);

        switch(&world, false, "it is back").await.unwrap();
        world.until(saga, SagaState::Succeeded).await;
        let (_, attempt, tickets) = step(&world, saga, 1).await;
        assert_eq!(attempt, 1);
        assert!(tickets <= 1, "{}: its ticket was lost", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_lets_finish_what_runs_and_gives_the_rest_back() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("one").await;
        world.doer.hold("do a");
        let mut sagas = vec![];
        for _ in 0..SLOTS + 2 {
            sagas.push(world.tell(Told::KIND, |flow| flow.step(deed("a"))).await);
        }
        let full = async || world.doer.attempted("do a") == SLOTS;
        world.wait("every slot is busy", full, sagas[0]).await;
        switch(&world, true, "wait").await.unwrap();
        share_is(&world, "one", "it knows", |share| share.paused).await;
        world.doer.let_go();
        share_is(&world, "one", "it is idle", |share| share.busy == 0).await;
        assert_eq!(world.doer.attempted("do a"), SLOTS, "{}", world.label);
        let (mut done, mut ready) = (0, 0);
        for saga in &sagas {
            match step(&world, *saga, 0).await {
                (StepState::Done, 1, _) => done += 1,
                (StepState::Ready, 0, _) => ready += 1,
                other => panic!("{}: {other:?}", world.label),
            }
        }
        assert_eq!((done, ready), (SLOTS, 2));

        switch(&world, false, "go on").await.unwrap();
        for saga in &sagas {
            world.until(*saga, SagaState::Succeeded).await;
            let (_, attempt, tickets) = step(&world, *saga, 0).await;
            assert_eq!(attempt, 1, "{}", world.label);
            assert!(tickets <= 1, "{}: its ticket was lost", world.label);
        }
        assert_eq!(world.doer.attempted("do a"), SLOTS + 2);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resumed_queue_does_not_wait_for_a_step_of_before() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        world.doer.hold("do a");
        let long = world
            .tell(Told::KIND, |flow| {
                Ok(flow.step(deed("a"))? + &flow.step(deed("c"))?)
            })
            .await;
        let begun = async || world.doer.attempted("do a") == 1;
        world.wait("a has begun", begun, long).await;
        switch(&world, true, "wait").await.unwrap();
        share_is(&world, "one", "it knows", |share| share.paused).await;
        let new = world.tell(Told::KIND, |flow| flow.step(deed("b"))).await;
        switch(&world, false, "go on").await.unwrap();
        world.until(new, SagaState::Succeeded).await;
        assert_eq!(step(&world, long, 0).await.0, StepState::Leased);
        world.doer.let_go();
        world.until(long, SagaState::Succeeded).await;
        assert_eq!(world.doer.attempted("do a"), 1, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_decided_last_is_kept_and_the_same_decision_twice_is_one() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        assert_eq!(switch(&world, false, "why not").await, None);
        let paused = switch(&world, true, "the provider is down").await.unwrap();
        assert_eq!(
            (paused.decided_by.as_str(), paused.reason.as_str()),
            ("ana", "the provider is down")
        );
        assert_eq!(switch(&world, true, "me too").await, None);
        assert_eq!(world.store.queue_switches().await.unwrap(), [paused]);
        let resumed = switch(&world, false, "it is back").await;
        assert_eq!(
            world.store.queue_switches().await.unwrap(),
            [resumed.unwrap()]
        );
        assert!(world.store.paused_queues().await.unwrap().is_empty());
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_long_a_pause_lasts_a_step_keeps_its_one_ticket() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.connected().await; // a queue that is found new has its tickets renewed
        let (saga, tickets) = world
            .tell_quietly(Told::KIND, |flow| flow.step(deed("a")))
            .await;
        world.store.mark_ticketed(&tickets).await.unwrap();
        switch(&world, true, "the provider is down").await.unwrap();
        for _ in 0..3 {
            // As if its next ticket were due.
            world.store.nudge(&tickets[0]).await.unwrap();
            assert!(
                world.store.sweep().await.unwrap().tickets.is_empty(),
                "{}",
                world.label
            );
            let step = &world.run(saga).await.steps[0];
            assert!(
                step.wake_at.unwrap() > world.now().await,
                "it is not due at once"
            );
            assert_eq!(step.tickets, 1);
        }
        switch(&world, false, "it is back").await.unwrap();
        let missed = world.run(saga).await.steps[0].wake_at.unwrap() - world.now().await;
        assert!(
            missed.num_seconds() <= 60,
            "a lost ticket is missed soon: {missed}"
        );
        world.end().await;
    }
}
