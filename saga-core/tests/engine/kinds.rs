//! A kind that is switched off or limited is accepted all the same, waits, and loses nothing by it.

use crate::acts::LONG;
use crate::doer::Doer;
use crate::sagas::{Line, deed, far};
use crate::stories::{Hurried, Story, Told};
use crate::support::{World, combinations, stores};
use saga_core::Saga;
use saga_core::db::Durability;
use saga_core::rules::KindMode;
use saga_core::run::{Answer, Lease, Outside, Why};
use saga_core::state::{SagaState, StepState};
use saga_core::store::{Bound, Claimed, KindLoad, KindSwitch, NewLimit};
use saga_core::ticket::Ticket;
use serde_json::Value;
use uuid::Uuid;

pub(crate) const ONE_DEED: Story = |flow| flow.step(deed("a"));
const TWO_DEEDS: Story = |flow| Ok(flow.step(deed("a"))? + &flow.step(deed("b"))?);

/// Switches the kind of the stories, and has this process know at once.
pub(crate) async fn switch(world: &World, mode: KindMode) -> Option<KindSwitch> {
    switch_kind(world, Told::KIND, mode).await
}

pub(crate) async fn switch_kind(world: &World, kind: &str, mode: KindMode) -> Option<KindSwitch> {
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let who = ("ana", "the provider is down");
    let switched = world.store.switch_kind(&mut tx, kind, mode, who);
    let switched = switched.await.unwrap();
    tx.commit().await.unwrap();
    world.store.look_at_rules().await.unwrap();
    switched
}

pub(crate) async fn limit(world: &World, running_max: Option<i64>, per_minute: Option<i64>) {
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let new = NewLimit {
        kind: Told::KIND.to_owned(),
        running_max: running_max.map_or(Bound::Lifted, Bound::At),
        per_minute: per_minute.map_or(Bound::Lifted, Bound::At),
    };
    let (new, who) = ([new], ("ana", "their terms"));
    world.store.limit_kinds(&mut tx, &new, who).await.unwrap();
    tx.commit().await.unwrap();
    world.store.look_at_rules().await.unwrap();
}

pub(crate) async fn load(world: &World) -> KindLoad {
    let loads = world.store.kind_loads().await.unwrap();
    loads
        .into_iter()
        .find(|load| load.kind == Told::KIND)
        .unwrap()
}

pub(crate) async fn in_line(world: &World, steps: i64) {
    let so = async || load(world).await.in_line == steps;
    world
        .wait(&format!("{steps} steps stand in line"), so, Uuid::nil())
        .await;
}

/// The ready steps that a dashboard shows.
async fn ready(world: &World) -> i64 {
    let gauges = world.store.gauges().await.unwrap();
    gauges.queues.iter().map(|queue| queue.ready).sum()
}

pub(crate) fn lease() -> Lease {
    Lease {
        worker: "one".to_owned(),
        length: LONG,
    }
}

pub(crate) async fn claim(world: &World, tickets: &[Ticket]) -> Vec<Claimed> {
    let claimed = world.store.claim(tickets, &lease()).await.unwrap();
    claimed.into_iter().flatten().collect()
}

pub(crate) async fn tickets(world: &World, count: usize) -> Vec<Ticket> {
    let mut tickets = vec![];
    for _ in 0..count {
        tickets.extend(world.tell_quietly(Told::KIND, ONE_DEED).await.1);
    }
    assert_eq!(tickets.len(), count);
    tickets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_kind_is_accepted_and_left_alone_while_others_go_on() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker_at_work("one").await;
        switch(&world, KindMode::Paused).await.unwrap();
        let saga = world.tell(Told::KIND, ONE_DEED).await;
        let other = world.start(Line::KIND, Value::Null).await;
        world.until(other, SagaState::Succeeded).await;
        in_line(&world, 1).await;
        let step = &world.run(saga).await.steps[0];
        assert_eq!((step.state, step.attempt), (StepState::Ready, 0));
        assert_eq!(step.tickets, 0, "{}: it was given a ticket", world.label);
        assert_eq!(ready(&world).await, 0, "no worker would help");
        let load = load(&world).await;
        assert_eq!((load.open, load.queued), (1, 1), "{}", world.label);

        switch(&world, KindMode::Enabled).await.unwrap();
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.run(saga).await.steps[0].attempt, 1);
        in_line(&world, 0).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_that_were_out_before_a_pause_come_to_nothing_and_count_no_attempt() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let mut sagas = vec![];
        for _ in 0..5 {
            sagas.push(world.tell(Told::KIND, ONE_DEED).await);
        }
        switch(&world, KindMode::Paused).await.unwrap();
        world.worker("one");
        in_line(&world, 5).await;
        assert_eq!(world.doer.attempted("do a"), 0, "{}", world.label);
        switch(&world, KindMode::Enabled).await.unwrap();
        for saga in sagas {
            world.until(saga, SagaState::Succeeded).await;
            let step = &world.run(saga).await.steps[0];
            assert_eq!((step.attempt, step.epoch), (1, 1), "{}", world.label);
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_lets_finish_what_runs_and_nothing_follows() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        world.doer.hold("do a");
        let saga = world.tell(Told::KIND, TWO_DEEDS).await;
        let begun = async || world.doer.attempted("do a") == 1;
        world.wait("a has begun", begun, saga).await;
        switch(&world, KindMode::Paused).await.unwrap();
        world.doer.let_go();
        in_line(&world, 1).await;
        let steps = world.run(saga).await.steps;
        let states: Vec<StepState> = steps.iter().map(|step| step.state).collect();
        assert_eq!(states, [StepState::Done, StepState::Ready]);
        assert_eq!(world.doer.attempted("do b"), 0, "{}", world.label);
        switch(&world, KindMode::Enabled).await.unwrap();
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_late_while_the_kind_is_paused_and_the_time_counts_anew() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Hurried::KIND, TWO_DEEDS).await;
        let first = claim(&world, &tickets).await.remove(0);
        let deadline = world.run(saga).await.saga.deadline_at.unwrap();
        switch_kind(&world, Hurried::KIND, KindMode::Paused).await;
        world.passed(deadline, saga).await;
        assert!(world.store.sweep().await.unwrap().due > 0);
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Running, "{}", world.label);
        // It is not looked at again and again.
        assert_eq!(world.store.sweep().await.unwrap().due, 0);
        switch_kind(&world, Hurried::KIND, KindMode::Drain).await;
        let anew = world.run(saga).await.saga;
        let full = chrono::TimeDelta::from_std(Hurried::DEADLINE.unwrap()).unwrap();
        assert!(anew.deadline_at.unwrap() >= deadline + full, "{anew:?}");
        assert_eq!(anew.wake_at, anew.deadline_at, "{}", world.label);
        // Its worker, which saw it before all this, changes nothing of that.
        world.settle(&first, Answer::Done(Value::from("a"))).await;
        let after = world.run(saga).await.saga;
        assert_eq!(after.deadline_at, anew.deadline_at, "{}", world.label);
        // What was switched off and is not paused has its time as it was.
        switch_kind(&world, Hurried::KIND, KindMode::Enabled).await;
        let after = world.run(saga).await.saga;
        assert_eq!(after.deadline_at, anew.deadline_at, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_kind_goes_on_with_what_has_begun() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        world.doer.hold("do a");
        let begun = world.tell(Told::KIND, TWO_DEEDS).await;
        let at_it = async || world.doer.attempted("do a") == 1;
        world.wait("a has begun", at_it, begun).await;
        switch(&world, KindMode::Drain).await.unwrap();
        let new = world.tell(Told::KIND, |flow| flow.step(far("c"))).await;
        in_line(&world, 1).await;
        world.doer.let_go();
        world.until(begun, SagaState::Succeeded).await;
        assert_eq!(world.state(new).await, SagaState::Queued, "{}", world.label);
        assert_eq!(world.doer.attempted("do c"), 0);
        switch(&world, KindMode::Enabled).await.unwrap();
        world.until(new, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_decision_twice_is_one_and_who_made_it_is_kept() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        assert_eq!(switch(&world, KindMode::Enabled).await, None);
        let paused = switch(&world, KindMode::Paused).await.unwrap();
        assert_eq!(paused.decided_by, "ana");
        assert_eq!(switch(&world, KindMode::Paused).await, None);
        assert_eq!(load(&world).await.switch, Some(paused));
        assert_eq!(load(&world).await.mode(), KindMode::Paused);
        assert!(switch(&world, KindMode::Drain).await.is_some());
        assert!(switch(&world, KindMode::Enabled).await.is_some());
        assert_eq!(load(&world).await.mode(), KindMode::Enabled);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_steps_of_a_limited_kind_run_than_may_and_all_get_their_turn() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(3), None).await;
        world.worker("one");
        world.worker("two");
        world.doer.hold("do a");
        let mut sagas = vec![];
        for _ in 0..12 {
            sagas.push(world.tell(Told::KIND, TWO_DEEDS).await);
        }
        let full = async || world.doer.attempted("do a") == 3;
        world.wait("three are at it", full, sagas[0]).await;
        in_line(&world, 9).await;
        assert_eq!(world.doer.attempted("do a"), 3, "{}", world.label);
        assert_eq!(ready(&world).await, 0, "no worker would help");
        world.doer.let_go();
        for saga in sagas {
            world.until(saga, SagaState::Succeeded).await;
            let run = world.run(saga).await;
            assert!(
                run.steps.iter().all(|step| step.attempt == 1),
                "{}",
                world.label
            );
        }
        assert_eq!(world.doer.attempted("do b"), 12);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_who_claim_at_once_take_no_more_than_a_limit() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(5), None).await;
        let tickets = tickets(&world, 32).await;
        let claims = tickets
            .iter()
            .map(|one| claim(&world, std::slice::from_ref(one)));
        let claimed: Vec<Claimed> = futures_util::future::join_all(claims).await.concat();
        assert_eq!(claimed.len(), 5, "{}", world.label);
        assert_eq!(load(&world).await.in_line, 27);
        // Nobody gives a slot back: it is free when its step is not leased any more.
        assert_eq!(world.store.move_lines().await.unwrap(), 0);
        let done = Answer::Done(Value::from("a"));
        world.settle(&claimed[0], done).await;
        assert_eq!(world.store.move_lines().await.unwrap(), 1);
        let gone = world.store.sweep().await.unwrap().tickets;
        assert_eq!(gone.len(), 1, "{}", world.label);
        assert_eq!(claim(&world, &gone).await.len(), 1);
        // Without a limit all may go.
        limit(&world, None, None).await;
        assert_eq!(world.store.move_lines().await.unwrap(), 26);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_steps_begin_in_a_minute_than_may() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, None, Some(1)).await;
        let tickets = tickets(&world, 8).await;
        let mut begun = claim(&world, &tickets[..4]).await.len();
        begun += claim(&world, &tickets[4..]).await.len();
        assert_eq!(begun, 1, "{}", world.label);
        assert_eq!(world.store.move_lines().await.unwrap(), 0);
        // A thousand a second: all of them are due before anybody can look.
        limit(&world, None, Some(60_000)).await;
        let gone = async || {
            world.store.move_lines().await.unwrap();
            load(&world).await.in_line == 0
        };
        world.wait("all may go", gone, Uuid::nil()).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ran_before_a_limit_counts_against_it() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let tickets = tickets(&world, 4).await;
        assert_eq!(claim(&world, &tickets[..2]).await.len(), 2);
        limit(&world, Some(3), None).await;
        assert_eq!(
            claim(&world, &tickets[2..]).await.len(),
            1,
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_whose_kind_is_off_or_full_says_so() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(1), None).await;
        let (_, first) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let (saga, second) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        assert_eq!(claim(&world, &first).await.len(), 1);
        assert_eq!(claim(&world, &second).await.len(), 0);
        let limits = world.store.kind_limits().await.unwrap();
        let mut outside = Outside {
            kind_limit: Some(limits[0].told()),
            in_line: world.store.in_line(saga).await.unwrap(),
            ..Outside::default()
        };
        let (run, now) = (world.run(saga).await, world.now().await);
        let why = run.why(now, &outside);
        assert_eq!(why[0].code, Why::Throttled, "{}: {why:?}", world.label);
        assert!(
            why[0]
                .message
                .contains("at most 1 of its steps run at once")
        );
        assert_eq!(why.len(), 1);
        outside.kind_off = Some("ana: the provider is down".to_owned());
        let why = run.why(now, &outside);
        assert_eq!((why[0].code, why.len()), (Why::KindPaused, 1));
        assert!(why[0].remedy.contains("chorus kinds resume test.told"));
        world.end().await;
    }
}
