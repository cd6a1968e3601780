//! Models that ask for patience, or fail again and again, are left alone by everybody.

use crate::acts::ask;
use crate::costs::{held, reply, tokens};
use crate::doer::Doer;
use crate::sagas::near;
use crate::stories::Told;
use crate::support::{World, combinations, stores};
use saga_core::db::Sql;
use saga_core::journal::Class;
use saga_core::state::{SagaState, StepState};
use saga_core::store::{Ask, Closed, Effect, Gate, Store};
use saga_core::{Saga, Usage};
use std::time::Duration;

/// What a call finds at the gate: nothing in its way, or why it must wait.
async fn call(store: &Store, ask: &Ask<'_>) -> Result<(), Closed> {
    match store.dispatch(ask).await.unwrap() {
        Effect::Dispatch { .. } => Ok(()),
        Effect::Closed(closed) => Err(closed),
        other @ (Effect::Answered(_) | Effect::OverBudget(_) | Effect::Fenced) => {
            panic!("{other:?}")
        }
    }
}

async fn gate(store: &Store) -> Gate {
    let mut gates = store.gates().await.unwrap();
    assert_eq!(gates.len(), 1, "{gates:?}");
    gates.remove(0)
}

/// Lets the time go by for which a model is left alone.
async fn time_is_over(world: &World) {
    let over = Sql::from("UPDATE provider_gates SET closed_until = $1, patience_until = $1");
    let now = world.now().await;
    let over = world.store.db().query(over).bind(now);
    over.execute().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_failures_in_a_row_leave_a_model_alone_and_three_answers_bring_it_back() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = &world.store;
        let (one, other) = (held(&world).await, held(&world).await);
        let (mine, theirs) = (
            ask(&one, "write", Usage::default()),
            ask(&other, "write", Usage::default()),
        );
        assert_eq!(call(store, &mine).await, Ok(()), "{}", world.label);
        for _ in 0..4 {
            store.call_failed(&mine.provider).await.unwrap();
        }
        // An answer in between: they are not in a row.
        assert_eq!(call(store, &mine).await, Ok(()));
        store.call_answered(&mine.provider).await.unwrap();
        assert_eq!(gate(store).await.failures, 0);
        assert_eq!(call(store, &mine).await, Ok(()));
        for _ in 0..5 {
            store.call_failed(&mine.provider).await.unwrap();
        }
        let closed = call(store, &theirs).await.unwrap_err();
        assert!(closed.pause > Duration::from_secs(50) && closed.pause <= Duration::from_secs(72));
        assert!(closed.message.contains("failed 5 times"), "{closed:?}");
        assert_eq!(store.gauges().await.unwrap().breakers[0].2, 2);
        let mut another = theirs.clone();
        another.provider.model = "another";
        assert_eq!(call(store, &another).await, Ok(()), "another model");
        let gone = Sql::from("DELETE FROM provider_gates WHERE model = 'another'");
        store.db().query(gone).execute().await.unwrap();

        // One call at a time tries it, and a failure leaves it alone again.
        time_is_over(&world).await;
        assert_eq!(call(store, &mine).await, Ok(()));
        let closed = call(store, &theirs).await.unwrap_err();
        assert!(closed.message.contains("tries it now"), "{closed:?}");
        assert!(closed.pause < Duration::from_secs(10));
        assert_eq!(store.gauges().await.unwrap().breakers[0].2, 1);
        store.call_failed(&mine.provider).await.unwrap();
        assert!(call(store, &theirs).await.unwrap_err().pause > Duration::from_secs(50));
        time_is_over(&world).await;
        for tried in 1..=3 {
            assert!(gate(store).await.opened, "after {tried} of 3");
            assert_eq!(call(store, &mine).await, Ok(()));
            assert!(call(store, &theirs).await.is_err());
            store.call_answered(&mine.provider).await.unwrap();
        }
        assert_eq!(
            (gate(store).await.opened, gate(store).await.failures),
            (false, 0)
        );
        assert_eq!(call(store, &theirs).await, Ok(()));
        assert_eq!(call(store, &mine).await, Ok(()));
        assert_eq!(store.gauges().await.unwrap().breakers[0].2, 0);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patience_that_one_is_asked_for_is_everybodys_but_a_stored_answer_is_there() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = &world.store;
        let (one, other) = (held(&world).await, held(&world).await);
        let mine = ask(&one, "write", Usage::default());
        assert_eq!(call(store, &mine).await, Ok(()));
        store
            .answered(&mine, 0, &reply(tokens(1, 1)))
            .await
            .unwrap();
        let long = Duration::from_secs(40);
        store.call_throttled(&mine.provider, long).await.unwrap();
        let short = Duration::from_secs(1);
        store.call_throttled(&mine.provider, short).await.unwrap();
        let theirs = ask(&other, "write", Usage::default());
        let closed = call(store, &theirs).await.unwrap_err();
        assert!(closed.pause > Duration::from_secs(30) && closed.pause <= long.mul_f64(1.2));
        assert!(closed.message.contains("asked everybody"), "{closed:?}");
        assert!(store.paid_calls(other.saga).await.unwrap().is_empty());
        let kept = store.dispatch(&mine).await.unwrap();
        assert_eq!(kept, Effect::Answered(b"words".to_vec()), "{}", world.label);
        assert!(
            !gate(store).await.opened,
            "a busy model is not a broken one"
        );
        time_is_over(&world).await;
        assert_eq!(call(store, &theirs).await, Ok(()));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_between_failures_though_all_was_well_when_it_was_asked_for() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = &world.store;
        let (one, other) = (held(&world).await, held(&world).await);
        let mine = ask(&one, "write", Usage::default());
        let theirs = ask(&other, "write", Usage::default());
        // Both are on their way before anything fails.
        assert_eq!(call(store, &mine).await, Ok(()));
        assert_eq!(call(store, &theirs).await, Ok(()));
        for _ in 0..3 {
            for _ in 0..4 {
                store.call_failed(&mine.provider).await.unwrap();
            }
            store.call_answered(&theirs.provider).await.unwrap();
            assert_eq!(gate(store).await.failures, 0, "{}", world.label);
        }
        assert!(!gate(store).await.opened);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patience_is_not_shortened_by_what_comes_of_other_calls() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = &world.store;
        let (one, other) = (held(&world).await, held(&world).await);
        let mine = ask(&one, "write", Usage::default());
        let theirs = ask(&other, "write", Usage::default());
        assert_eq!(call(store, &mine).await, Ok(()));
        let long = Duration::from_mins(10);
        let waits = async |after: &str| {
            let closed = call(store, &theirs).await.unwrap_err();
            let label = &world.label;
            assert!(closed.pause > Duration::from_mins(9), "{after}, {label}");
            assert!(closed.message.contains("asked everybody"), "{closed:?}");
        };
        store.call_throttled(&mine.provider, long).await.unwrap();
        for failed in 1..=6 {
            store.call_failed(&mine.provider).await.unwrap();
            waits(&format!("after {failed} failures")).await;
        }
        assert!(gate(store).await.opened);
        for answered in 1..=3 {
            store.call_answered(&mine.provider).await.unwrap();
            waits(&format!("after {answered} answers")).await;
        }
        assert!(!gate(store).await.opened, "but it is well");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_are_shut_out_do_not_come_back_in_one_instant() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = &world.store;
        let first = held(&world).await;
        let mine = ask(&first, "write", Usage::default());
        assert_eq!(call(store, &mine).await, Ok(()));
        let long = Duration::from_secs(1_000);
        store.call_throttled(&mine.provider, long).await.unwrap();
        let mut pauses = vec![];
        for _ in 0..8 {
            let other = held(&world).await;
            let theirs = ask(&other, "write", Usage::default());
            pauses.push(call(store, &theirs).await.unwrap_err().pause);
        }
        pauses.sort();
        let (least, most) = (pauses[0], pauses[pauses.len() - 1]);
        assert!(least > Duration::from_mins(15) && most <= long.mul_f64(1.2));
        assert!(most > least + Duration::from_secs(10), "{pauses:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_uses_up_a_limit_is_kept_and_has_everybody_wait() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let last = world.tell(Told::KIND, |flow| flow.step(near("use up")));
        let last = last.await;
        world.until(last, SagaState::Succeeded).await;
        let wait = gate(&world.store).await.patience_until - world.now().await;
        assert!((3_500..=3_600).contains(&wait.num_seconds()), "{wait}");

        world.worker("two");
        let next = world.tell(Told::KIND, |flow| flow.step(near("pay"))).await;
        let waits = async || world.run(next).await.steps[0].state == StepState::Retrying;
        world.wait("the next one waits", waits, next).await;
        let step = &world.run(next).await.steps[0];
        assert_eq!(
            (step.attempt, world.doer.attempted("paid")),
            (0, 1),
            "{}",
            world.label
        );
        let error = step.error.as_ref().unwrap();
        assert_eq!(error.class, Class::Throttled);
        assert!(error.message.contains("asked everybody for patience"));
        world.end().await;
    }
}
