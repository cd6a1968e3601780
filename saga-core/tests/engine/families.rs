//! What a saga may spend, with all that it began, on every store.

use crate::acts::{LONG, ask};
use crate::budgets::{budget, capped, dispatch, most};
use crate::costs::{held, prices, reply, tokens};
use crate::doer::Doer;
use crate::sagas::{Kid, Race, deed, kid};
use crate::stories::{Story, Told};
use crate::support::{World, stores};
use saga_core::db::Durability;
use saga_core::run::{Answer, child_id};
use saga_core::state::SagaState;
use saga_core::store::{Claimed, Judgement};
use saga_core::{Caps, Class, Key, Retry, Saga, Ticket};
use serde_json::json;
use tokio::task::JoinSet;

const CHILDREN: usize = 12;

/// A deed of its own, beside a child, and the children of another.
const FAMILY: Story = |flow| {
    let own = flow.start(deed("own"))?;
    let first = flow.start_child::<Kid>(kid("first"))?;
    let others = (2..CHILDREN).map(|_| kid("other")).collect();
    let others = flow.start_child::<Race>(others)?;
    flow.wait(own)?;
    flow.wait_child(first)?;
    flow.wait_child(others)
};

/// A family, each of whose steps is in a worker's hands.
async fn family(world: &World) -> Vec<Claimed> {
    let (_, tickets) = world.tell_quietly(Told::KIND, FAMILY).await;
    let mut claims = vec![];
    for ticket in &tickets {
        claims.push(world.claim(ticket, "w", LONG).await.unwrap());
    }
    assert_eq!(claims.len(), CHILDREN, "{}", world.label);
    claims
}

fn of_a_saga(cap: i64) -> Caps {
    Caps {
        saga: Some(cap),
        ..Caps::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_family_that_calls_all_at_once_stays_below_the_cap_of_one_saga() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let capped = capped(&world, of_a_saga(550));
        let mut calls = JoinSet::new();
        for by in family(&world).await {
            let store = capped.clone();
            calls.spawn(async move {
                let round = dispatch(&store, &ask(&by, "write", most())).await?;
                Some((by, round))
            });
        }
        let through: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
        assert_eq!(through.len(), 5, "{}", world.label);
        assert_eq!(budget(&capped, "saga").await, (0, 500));

        // What was not needed is there for the others, of whatever generation they are.
        for (by, round) in &through {
            let ask = ask(by, "write", most());
            capped
                .answered(&ask, *round, &reply(tokens(5, 5)))
                .await
                .unwrap();
        }
        assert_eq!(budget(&capped, "saga").await, (50, 0), "{}", world.label);
        let mut again = 0;
        for (by, _) in &through {
            again += i64::from(dispatch(&capped, &ask(by, "more", most())).await.is_some());
        }
        assert_eq!((again, budget(&capped, "saga").await), (5, (50, 500)));
        let (last, _) = &through[0];
        assert!(
            dispatch(&capped, &ask(last, "most", most()))
                .await
                .is_none()
        );

        // Strangers have a cap of their own.
        let stranger = held(&world).await;
        assert!(
            dispatch(&capped, &ask(&stranger, "write", most()))
                .await
                .is_some()
        );
        let told = "SELECT COUNT(*) FROM budgets WHERE scope = 'saga'";
        let rows: i64 = capped.db().query(told).scalar().await.unwrap();
        assert_eq!(rows, 2, "{}: a row a family", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_child_gives_back_or_loses_moves_its_familys_budget() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let capped = capped(&world, of_a_saga(250));
        let claims = family(&world).await;
        let (one, two) = (ask(&claims[1], "a", most()), ask(&claims[2], "b", most()));
        let first = dispatch(&capped, &one).await.unwrap();
        dispatch(&capped, &two).await.unwrap();
        assert_eq!(budget(&capped, "saga").await, (0, 200), "{}", world.label);
        capped.let_go(&one, first).await.unwrap();
        assert_eq!(budget(&capped, "saga").await, (0, 100), "{}", world.label);
        // The other's worker made the call and died: its next try sets money aside anew.
        dispatch(&capped, &two).await.unwrap();
        assert_eq!(budget(&capped, "saga").await, (100, 100), "{}", world.label);
        world.end().await;
    }
}

/// Past its pivot, so that a child that fails is begun anew.
const TWO_CHILDREN: Story = |flow| {
    flow.pivot();
    let one = flow.start_child::<Kid>(kid("one"))?;
    let other = flow.start_child::<Kid>(kid("other"))?;
    Ok(flow.wait_child(one)? + &flow.wait_child(other)?)
};

/// Pays for a step as its worker, and gives it this answer.
async fn pay(world: &World, ticket: &Ticket, cost: u64, answer: Answer) -> Vec<Ticket> {
    let priced = world.store.clone().with_prices(prices());
    let by = world.claim(ticket, "w", LONG).await.unwrap();
    let ask = ask(&by, "write", most());
    let round = dispatch(&priced, &ask).await.unwrap();
    let paid = reply(tokens(cost - 1, 1));
    priced.answered(&ask, round, &paid).await.unwrap();
    world.settle(&by, answer).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_a_replay_counts_what_children_have_paid() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, TWO_CHILDREN).await;
        let [one, other] =
            [1, 2].map(|nth| child_id(saga, &Key::stored(format!("test.kid#{nth}"))));
        let ticket = |of| tickets.iter().find(|ticket| ticket.saga == of).unwrap();
        pay(&world, ticket(one), 30, Answer::Done(json!("did"))).await;
        let useless = Answer::Failed {
            class: Class::Permanent,
            message: "no".to_owned(),
            after: None,
            retry: Retry::NEVER,
        };
        pay(&world, ticket(other), 7, useless).await;
        let letter = world.open_letter(other).await.id;
        let undo = world.store.discard(letter, "ana", "give up").await.unwrap();
        let undo = world.claim(&undo[0], "w", LONG).await.unwrap();
        world.settle(&undo, Answer::Done(json!("undid"))).await;
        assert_eq!(
            world.state(saga).await,
            SagaState::Parked,
            "{}",
            world.label
        );
        let letter = world.open_letter(saga).await.id;
        let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
        let who = ("ana", "");
        let judged = world.store.judge(&mut tx, letter, &Judgement::Replay, who);
        let told = judged.await.unwrap().consequence.unwrap();
        drop(tx);
        let money = (told.again_micros, told.saved_micros);
        assert_eq!(money, (7, 30), "{}: {told:?}", world.label);
        assert!(told.starts.is_some_and(|again| again != other));
        world.end().await;
    }
}
