//! What paid calls cost, on every store.

use crate::acts::{LONG, ask};
use crate::doer::Doer;
use crate::sagas::deed;
use crate::stories::{Story, Told};
use crate::support::{World, stores};
use saga_core::db::Durability;
use saga_core::journal::Class;
use saga_core::run::Answer;
use saga_core::store::{Ask, Claimed, Effect, Judgement, LetterFilter, Store};
use saga_core::{Price, Prices, Reply, Retry, Saga, Usage};
use serde_json::Value;

pub(crate) const ONE_DEED: Story = |flow| flow.step(deed("a"));
/// A token is a millionth of a dollar.
const PRICE: Price = Price {
    input: 1_000_000,
    output: 1_000_000,
    image: 0,
};

pub(crate) fn prices() -> Prices {
    Prices::default().with("openai", "gpt", PRICE)
}

pub(crate) fn tokens(input_tokens: u64, output_tokens: u64) -> Usage {
    Usage {
        input_tokens,
        output_tokens,
        images: 0,
    }
}

/// A saga whose one step is in a worker's hands.
pub(crate) async fn held(world: &World) -> Claimed {
    let (_, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
    world.claim(&tickets[0], "w", LONG).await.unwrap()
}

pub(crate) fn reply(usage: Usage) -> Reply {
    Reply {
        raw: b"words".to_vec(),
        usage,
        patience: None,
    }
}

async fn call(store: &Store, ask: &Ask<'_>, usage: Usage) {
    let dispatched = store.dispatch(ask).await.unwrap();
    let Effect::Dispatch { round, .. } = dispatched else {
        panic!("{dispatched:?}");
    };
    store.answered(ask, round, &reply(usage)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_answer_cost_stands_in_the_books_with_it() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let priced = world.store.clone().with_prices(prices());
        let by = held(&world).await;
        assert!(priced.spent(&[by.saga]).await.unwrap().is_empty());
        let first = ask(&by, "write", Usage::default());
        call(&priced, &first, tokens(1_000, 200)).await;
        // A late twin's answer is not stored, so it costs nothing more.
        let late = reply(tokens(9_000, 9_000));
        priced.answered(&first, 0, &late).await.unwrap();
        call(
            &priced,
            &ask(&by, "repair", Usage::default()),
            tokens(30, 4),
        )
        .await;
        let spent = priced.spent(&[by.saga]).await.unwrap()[&by.saga];
        assert_eq!(spent.usage, tokens(1_030, 204), "{}", world.label);
        assert_eq!(spent.cost_micros, Some(1_234));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cost_that_nobody_knows_is_not_nothing() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let priced = world.store.clone().with_prices(prices());
        let (one, other) = (held(&world).await, held(&world).await);
        let write = ask(&one, "write", Usage::default());
        call(&priced, &write, tokens(5, 5)).await;
        let mut strange = ask(&one, "repair", Usage::default());
        strange.provider.model = "brand-new";
        call(&priced, &strange, tokens(5, 5)).await;
        // A server that does not say what it took.
        let untold = ask(&other, "write", Usage::default());
        call(&priced, &untold, Usage::default()).await;
        let spent = priced.spent(&[one.saga, other.saga]).await.unwrap();
        assert_eq!(spent[&one.saga].usage, tokens(10, 10));
        assert_eq!(spent[&one.saga].cost_micros, None, "{}", world.label);
        assert_eq!(spent[&other.saga].cost_micros, None);

        let free = world.store.clone().with_prices(prices().free("openai"));
        let third = held(&world).await;
        call(
            &free,
            &ask(&third, "write", Usage::default()),
            Usage::default(),
        )
        .await;
        let spent = free.spent(&[third.saga]).await.unwrap();
        assert_eq!(spent[&third.saga].cost_micros, Some(0));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_a_replay_tells_the_money_that_it_saves_and_spends_again() {
    const PAIR: Story = |flow| Ok(flow.step(deed("a"))? + &flow.step(deed("b"))?);
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let priced = world.store.clone().with_prices(prices());
        let (saga, tickets) = world.tell_quietly(Told::KIND, PAIR).await;
        let first = world.claim(&tickets[0], "w", LONG).await.unwrap();
        call(
            &priced,
            &ask(&first, "write", Usage::default()),
            tokens(1_000, 200),
        )
        .await;
        let (_, tickets) = world.settle(&first, Answer::Done(Value::from("a"))).await;
        let second = world.claim(&tickets[0], "w", LONG).await.unwrap();
        call(
            &priced,
            &ask(&second, "write", Usage::default()),
            tokens(30, 4),
        )
        .await;
        let useless = Answer::Failed {
            class: Class::Permanent,
            message: "no".to_owned(),
            after: None,
            retry: Retry::NEVER,
        };
        world.settle(&second, useless).await;
        let letter = world.open_letter(saga).await;
        for (judgement, from_start, money) in [
            (Judgement::Replay, false, (0, 1_234)),
            (Judgement::ReplayFromStart, true, (1_234, 0)),
            (Judgement::Discard, false, (0, 0)),
        ] {
            let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
            let judged = world
                .store
                .judge(&mut tx, letter.id, &judgement, ("ana", ""));
            let told = judged.await.unwrap().consequence.unwrap();
            drop(tx);
            let of_one = (told.again_micros, told.saved_micros);
            assert_eq!(of_one, money, "{}: {judgement:?}", world.label);
            if judgement != Judgement::Discard {
                let all = LetterFilter::default();
                let told = world
                    .store
                    .preview_replay(&all, 10, from_start)
                    .await
                    .unwrap();
                assert_eq!(
                    (told.again_micros, told.saved_micros),
                    money,
                    "{}",
                    world.label
                );
            }
        }
        world.end().await;
    }
}
