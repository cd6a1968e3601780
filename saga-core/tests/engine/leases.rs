//! Tickets double and get lost, workers die: each step is done once for all that.

use crate::acts::{LONG, SHORT};
use crate::doer::Doer;
use crate::sagas::{deed, far};
use crate::stories::{Story, Told};
use crate::support::{World, combinations, new_saga};
use saga_core::run::Answer;
use saga_core::state::{SagaState, StepState};
use saga_core::store::SettleOutcome;
use saga_core::{Kinds, Saga, Store};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

const ONE_DEED: Story = |flow| flow.step(deed("a"));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_comes_again_and_again_is_good_once() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.doer.hold("do a");
        world.worker("one");
        world.worker("two");
        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        for _ in 0..5 {
            world.client.publish(tickets.clone());
        }
        let begun = async || world.doer.attempted("do a") > 0;
        world.wait("a has begun", begun, saga).await;
        world.client.publish(tickets.clone());
        assert!(world.claim(&tickets[0], "three", LONG).await.is_none());
        world.doer.let_go();
        world.until(saga, SagaState::Succeeded).await;
        world.client.publish(tickets.clone());
        assert!(world.claim(&tickets[0], "three", LONG).await.is_none());
        assert_eq!(world.doer.attempted("do a"), 1, "{}", world.label);
        assert_eq!(world.effects(saga).await, ["did a"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_of_an_old_turn_is_void() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (_, old) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let claimed = world.claim(&old[0], "one", LONG).await.unwrap();
        let (_, new) = world.settle(&claimed, Answer::Released).await;
        assert!(new[0].turn > old[0].turn);
        assert!(world.claim(&old[0], "two", LONG).await.is_none());
        let claimed = world.claim(&new[0], "two", LONG).await.unwrap();
        assert_eq!(claimed.attempt, 1, "a step handed back was not tried");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_worker_loses_its_step_and_its_late_answer_changes_nothing() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let silent = world.claim(&tickets[0], "silent", SHORT).await.unwrap();
        let ticket = world.sweep_for(saga).await;
        let busy = world.claim(&ticket, "busy", LONG).await.unwrap();
        let held = [(saga, silent.key.clone(), silent.epoch)];
        let renewed = world.store.heartbeat(&held, LONG).await.unwrap();
        assert!(renewed.is_empty(), "the lease is another's");
        let late = async || {
            let before = format!("{:?}", world.run(saga).await);
            let answer = Answer::Done(json!("late"));
            let (outcome, tickets) = world.settle(&silent, answer).await;
            assert!(matches!(outcome, SettleOutcome::Fenced), "{outcome:?}");
            assert!(tickets.is_empty());
            assert_eq!(format!("{:?}", world.run(saga).await), before);
        };
        late().await;
        world.settle(&busy, Answer::Done(json!("in time"))).await;
        late().await;
        let run = world.run(saga).await;
        assert_eq!(run.saga.state, SagaState::Succeeded);
        assert_eq!(run.saga.output, Some(json!("in time")));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_dead_workers_make_a_step_poison() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, mut tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let names = ["first", "second", "third"];
        for name in names {
            assert!(!world.state(saga).await.is_final(), "before {name}");
            world.claim(&tickets[0], name, SHORT).await.unwrap();
            if name != names[2] {
                tickets = vec![world.sweep_for(saga).await];
            }
        }
        let parked = async || {
            world.store.sweep().await.unwrap();
            world.state(saga).await == SagaState::Parked
        };
        world.wait("it is parked", parked, saga).await;
        let letter = world.open_letter(saga).await;
        assert_eq!(letter.class, "poison");
        assert!(letter.message.contains("third"), "{}", letter.message);
        world.worker("one");
        world.replay(saga).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did a"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_hands_the_step_back_uncounted() {
    for combination in combinations() {
        let attempts: Arc<Mutex<Vec<i64>>> = Arc::default();
        let seen = attempts.clone();
        let doer = Doer::new(move |_, attempt| {
            seen.lock().unwrap().push(attempt);
            Ok(())
        });
        let world = World::new(combination, doer).await;
        world.doer.hold("do a");
        let (shutdown, worker) = world.worker_that_drains("one", Duration::from_millis(50));
        let saga = world.tell(Told::KIND, ONE_DEED).await;
        let begun = async || world.doer.attempted("do a") == 1;
        world.wait("a has begun", begun, saga).await;
        shutdown.cancel();
        worker.await.unwrap();
        let step = world.run(saga).await.steps.remove(0);
        assert_eq!(
            (step.state, step.attempt, step.crashes),
            (StepState::Ready, 0, 0),
            "{}",
            world.label
        );
        world.doer.let_go();
        world.worker("two");
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.doer.attempted("do a"), 2);
        assert_eq!(*attempts.lock().unwrap(), [1], "the second was the first");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_ticket_is_found() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let story: Story = |flow| Ok(flow.step(deed("a"))? + &flow.step(far("b"))?);
        let (saga, tickets) = world.tell_quietly(Told::KIND, story).await;
        drop(tickets);
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did a", "did b"]);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_new_gets_a_ticket_for_all_that_was_in_it() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.connected().await;
        let (mut left, mut given) = (BTreeSet::new(), vec![]);
        for _ in 0..5 {
            let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
            left.insert(saga);
            given.extend(tickets);
            let far: Story = |flow| flow.step(far("a"));
            given.extend(world.tell_quietly(Told::KIND, far).await.1);
        }
        assert_eq!(world.store.mark_ticketed(&given).await.unwrap(), 10);
        let quiet = world.store.sweep().await.unwrap();
        assert_eq!(quiet.due, 0, "they are with the broker");
        assert_eq!(world.store.renew_tickets("left").await.unwrap(), 5);
        let tickets = world.store.sweep().await.unwrap().tickets;
        let again: Vec<_> = tickets.iter().map(|ticket| ticket.saga).collect();
        assert_eq!(again.len(), 5, "one each");
        assert_eq!(left, again.into_iter().collect(), "{}", world.label);
        world.end().await;
    }
}

/// As many as one sweep takes on.
const MANY: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_that_this_program_does_not_know_is_left_to_one_that_does() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.connected().await;
        let many: Vec<_> = (0..MANY)
            .map(|_| new_saga(Uuid::now_v7(), "test.line", Value::Null))
            .collect();
        world.store.start(&many).await.unwrap();
        world.store.renew_tickets("left").await.unwrap();

        let older = Store::new(world.store.db().clone(), Arc::new(Kinds::default()));
        let swept = older.sweep().await.unwrap();
        assert_eq!(
            (swept.due, swept.tickets.len()),
            (MANY, 0),
            "{}",
            world.label
        );
        assert!(!swept.more, "it must not spin over what it leaves alone");

        let swept = world.store.sweep().await.unwrap();
        assert_eq!(swept.tickets.len(), MANY, "{}", world.label);
        assert!(swept.more, "there may be others");
        world.end().await;
    }
}
