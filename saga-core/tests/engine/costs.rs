//! What paid calls cost, on every store.

use crate::acts::{LONG, ask};
use crate::doer::Doer;
use crate::sagas::deed;
use crate::stories::{Story, Told};
use crate::support::{World, stores};
use saga_core::store::{Ask, Claimed, Effect, Store};
use saga_core::{Price, Prices, Reply, Saga, Usage};

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
