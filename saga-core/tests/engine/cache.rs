//! An answer that is paid for is given again to whoever asks the same, where that is the same to them.

use crate::acts::ask;
use crate::costs::{held, prices, reply, tokens};
use crate::doer::Doer;
use crate::sagas::near;
use crate::stories::{Story, Told};
use crate::support::{World, combinations, stores};
use chrono::{DateTime, TimeDelta};
use saga_core::db::Sql;
use saga_core::journal::Class;
use saga_core::run::Answer;
use saga_core::state::SagaState;
use saga_core::store::{Ask, Claimed, Effect, LedgerFilter, Store};
use saga_core::{Retry, Saga, Usage};
use std::time::Duration;

fn idempotent<'a>(by: &'a Claimed, hash: &str) -> Ask<'a> {
    let mut ask = ask(by, "embed", Usage::default());
    ask.provider.idempotent = true;
    hash.clone_into(&mut ask.provider.request_hash);
    ask
}

/// Makes the call, if it is to be made; says whether it was.
async fn called(store: &Store, ask: &Ask<'_>) -> bool {
    match store.dispatch(ask).await.unwrap() {
        Effect::Answered(answer) => {
            assert_eq!(answer, b"words");
            false
        }
        Effect::Dispatch { round, .. } => {
            let reply = reply(tokens(1_000, 200));
            store.answered(ask, round, &reply).await.unwrap();
            true
        }
        other @ (Effect::Closed(_) | Effect::OverBudget(_) | Effect::Fenced) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_the_same_within_the_hour_is_given_the_answer_for_nothing() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = world.store.clone().with_prices(prices());
        let (one, other, third) = (held(&world).await, held(&world).await, held(&world).await);
        assert!(called(&store, &idempotent(&one, "same")).await);
        assert!(
            !called(&store, &idempotent(&other, "same")).await,
            "{}",
            world.label
        );
        assert!(
            !called(&store, &idempotent(&other, "same")).await,
            "and again"
        );
        assert!(called(&store, &idempotent(&third, "another")).await);

        let spent = store.spent(&[one.saga, other.saga]).await.unwrap();
        assert_eq!(spent[&one.saga].cost_micros, Some(1_200));
        assert_eq!(spent[&other.saga].cost_micros, Some(0));
        assert_eq!(spent[&other.saga].usage, Usage::default());
        let filter = LedgerFilter {
            provider: None,
            model: None,
            purpose: None,
            kind: None,
            account: None,
            saga: Some(other.saga),
            status: None,
            from: DateTime::UNIX_EPOCH,
            to: world.now().await + TimeDelta::minutes(1),
            before: None,
            limit: 10,
        };
        let ledger = store.ledger(&filter).await.unwrap();
        assert_eq!(ledger.len(), 1);
        assert!(ledger[0].cache_hit, "{:?}", ledger[0]);
        assert_eq!(
            (ledger[0].cost_micros, ledger[0].status.as_str()),
            (Some(0), "completed")
        );
        let paid = LedgerFilter {
            saga: Some(one.saga),
            ..filter
        };
        assert!(!store.ledger(&paid).await.unwrap()[0].cache_hit);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_not_given_to_other_models_nor_where_it_is_to_be_new_nor_for_long() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = &world.store;
        let by = [
            held(&world).await,
            held(&world).await,
            held(&world).await,
            held(&world).await,
        ];
        assert!(called(store, &idempotent(&by[0], "same")).await);
        let mut new = idempotent(&by[1], "same");
        new.provider.idempotent = false;
        assert!(called(store, &new).await, "{}", world.label);
        let mut model = idempotent(&by[2], "same");
        model.provider.model = "gpt-next";
        assert!(called(store, &model).await);
        // An hour goes by.
        let aged = Sql::from("UPDATE answer_cache SET at = $1");
        let aged = store
            .db()
            .query(aged)
            .bind(world.now().await - TimeDelta::minutes(61));
        assert_eq!(aged.execute().await.unwrap(), 2);
        assert!(called(store, &idempotent(&by[3], "same")).await);
        assert_eq!(
            store.forget_answers().await.unwrap(),
            1,
            "the fresh one stays"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_proved_useless_is_asked_for_anew_and_given_to_nobody() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = &world.store;
        let (one, other) = (held(&world).await, held(&world).await);
        assert!(called(store, &idempotent(&one, "same")).await);
        let useless = Answer::Failed {
            class: Class::Content,
            message: "it is no JSON".to_owned(),
            after: None,
            retry: Retry {
                attempts_max: 3,
                delay_first: Duration::from_millis(1),
                delay_max: Duration::from_millis(1),
            },
        };
        world.settle(&one, useless).await;
        assert!(
            called(store, &idempotent(&other, "same")).await,
            "{}",
            world.label
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_of_a_worker_pays_once_for_what_many_ask() {
    const ASKS: Story = |flow| flow.step(near("look up"));
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        for _ in 0..3 {
            let saga = world.tell(Told::KIND, ASKS).await;
            world.until(saga, SagaState::Succeeded).await;
        }
        assert_eq!(world.doer.attempted("paid"), 1, "{}", world.label);
        assert_eq!(world.doer.attempted("do look up"), 3);
        world.end().await;
    }
}
