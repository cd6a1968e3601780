//! What keeps the bill bounded, on every store.

use crate::acts::{LONG, SHORT, ask};
use crate::costs::{ONE_DEED, held, prices, reply, tokens};
use crate::doer::Doer;
use crate::sagas::{back, deed};
use crate::stories::{Hurried, Story};
use crate::support::{World, stores};
use chrono::TimeDelta;
use saga_core::db::Sql;
use saga_core::run::{Answer, Outside, Why};
use saga_core::state::{SagaState, StepState};
use saga_core::store::{Ask, Claimed, Effect, Store};
use saga_core::{Caps, Class, Retry, Saga, Usage};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;
use uuid::Uuid;

const WRITERS: usize = 32;
/// What each of their calls may cost at most, a token a micro-dollar.
const AT_MOST: u64 = 100;
const CAP: i64 = 2_050;

pub(crate) fn most() -> Usage {
    tokens(AT_MOST - 60, 60)
}

fn all_in_a_day(cap: i64) -> Caps {
    Caps {
        all: Some(cap),
        ..Caps::default()
    }
}

pub(crate) fn capped(world: &World, caps: Caps) -> Store {
    world.store.clone().with_prices(prices()).with_caps(caps)
}

/// Sets money aside; none if a cap is in the way.
pub(crate) async fn dispatch(store: &Store, ask: &Ask<'_>) -> Option<i64> {
    match store.dispatch(ask).await.unwrap() {
        Effect::Dispatch { round, .. } => Some(round),
        Effect::OverBudget(over) => {
            assert!(over.pause > TimeDelta::zero() && over.pause <= TimeDelta::hours(1));
            None
        }
        other @ (Effect::Answered(_) | Effect::Closed(_) | Effect::Fenced) => panic!("{other:?}"),
    }
}

/// What is spent and set aside in a scope, all together.
pub(crate) async fn budget(store: &Store, scope: &str) -> (i64, i64) {
    let sums = Sql {
        postgres: "SELECT COALESCE(SUM(spent_micros), 0)::bigint, COALESCE(SUM(held_micros), 0)::bigint FROM budgets WHERE scope = $1",
        sqlite: "SELECT COALESCE(SUM(spent_micros), 0), COALESCE(SUM(held_micros), 0) FROM budgets WHERE scope = $1",
    };
    let sums = store.db().query(sums).bind(scope.to_owned());
    sums.one().await.unwrap()
}

/// Calls until there is no money left. Every fourth writer dies in its second call.
async fn writer(store: &Store, number: usize, by: &Claimed) -> i64 {
    let mut paid = 0;
    for call in 0..20 {
        let name = format!("call {call}");
        let ask = ask(by, &name, most());
        let Some(round) = dispatch(store, &ask).await else {
            break;
        };
        if number % 4 == 3 && call == 1 {
            break;
        }
        tokio::task::yield_now().await;
        let took = tokens(20, 10 + (number as u64 * 7 + call * 3) % 30);
        store.answered(&ask, round, &reply(took)).await.unwrap();
        paid += i64::try_from(took.input_tokens + took.output_tokens).unwrap();
    }
    paid
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_two_writers_never_spend_more_than_the_cap() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let capped = capped(&world, all_in_a_day(CAP));
        let mut claims = vec![];
        for _ in 0..WRITERS {
            claims.push(held(&world).await);
        }
        let over = AtomicBool::new(false);
        let watch = async {
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) {
                let (spent, aside) = budget(&capped, "all").await;
                assert!(spent + aside <= CAP, "{spent} + {aside}: {}", world.label);
                looks += 1;
            }
            looks
        };
        let work = async {
            let mut writers = JoinSet::new();
            for (number, by) in claims.clone().into_iter().enumerate() {
                let store = capped.clone();
                writers.spawn(async move { writer(&store, number, &by).await });
            }
            let paid = writers.join_all().await;
            over.store(true, Ordering::Relaxed);
            paid
        };
        let (paid, looks) = tokio::join!(work, watch);
        let (spent, aside) = budget(&capped, "all").await;
        assert!(looks > 1 && spent + aside <= CAP, "{}", world.label);
        assert_eq!(
            spent,
            paid.iter().sum::<i64>(),
            "all that was answered counts"
        );
        assert!(
            spent > 0 && aside > 0 && aside % 100 == 0,
            "{spent}, {aside}"
        );

        // What was set aside and not needed is there for others, to the last call that fits.
        let last = held(&world).await;
        let more = writer(&capped, 0, &last).await;
        let (spent, still) = budget(&capped, "all").await;
        assert_eq!((spent, still), (paid.iter().sum::<i64>() + more, aside));
        assert!(CAP - spent - still < 100, "{spent} and {still} of {CAP}");
        let sagas: Vec<Uuid> = claims.iter().map(|by| by.saga).collect();
        let booked = capped.spent(&sagas).await.unwrap();
        let booked: i64 = booked.values().filter_map(|spent| spent.cost_micros).sum();
        assert_eq!(booked + more, spent, "the books say the same");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_scope_has_its_own_cap() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let (mut one, mut two, mut three) =
            (held(&world).await, held(&world).await, held(&world).await);
        let (ana, ben) = (Uuid::now_v7(), Uuid::now_v7());
        (one.owner_id, two.owner_id, three.owner_id) = (Some(ana), Some(ana), Some(ben));
        let saga = Caps {
            saga: Some(100),
            ..Caps::default()
        };
        let store = capped(&world, saga);
        assert!(dispatch(&store, &ask(&one, "a", most())).await.is_some());
        assert!(dispatch(&store, &ask(&one, "b", most())).await.is_none());
        let account = Caps {
            account: Some(299),
            ..Caps::default()
        };
        let store = capped(&world, account);
        assert!(dispatch(&store, &ask(&two, "a", most())).await.is_some());
        assert!(dispatch(&store, &ask(&one, "c", most())).await.is_none());
        assert!(dispatch(&store, &ask(&three, "a", most())).await.is_some());
        let store = capped(&world, all_in_a_day(399));
        assert!(dispatch(&store, &ask(&three, "b", most())).await.is_none());
        let store = capped(&world, all_in_a_day(400));
        assert!(dispatch(&store, &ask(&three, "b", most())).await.is_some());
        // What was turned down has left nothing behind.
        for scope in ["saga", "account", "all"] {
            assert_eq!(budget(&store, scope).await, (0, 400), "{scope}");
        }
        // A model without a price cannot be kept below a cap, and can without one.
        let mut strange = ask(&three, "strange", most());
        strange.provider.model = "brand-new";
        assert!(dispatch(&store, &strange).await.is_none());
        let store = capped(&world, Caps::default());
        assert!(dispatch(&store, &strange).await.is_some());
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_which_nobody_knows_what_became_counts_as_spent() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = capped(&world, all_in_a_day(300));
        let (saga, tickets) = world.tell_quietly(Hurried::KIND, ONE_DEED).await;
        let dead = world.claim(&tickets[0], "dead", SHORT).await.unwrap();
        let lost = ask(&dead, "write", most());
        let round = dispatch(&store, &lost).await.unwrap();
        assert_eq!(budget(&store, "all").await, (0, 100));

        // Its next try sets money aside anew: the provider may have charged for both.
        let ticket = world.sweep_for(saga).await;
        let next = world.claim(&ticket, "next", LONG).await.unwrap();
        let again = ask(&next, "write", most());
        let tight = capped(&world, all_in_a_day(199));
        assert!(dispatch(&tight, &again).await.is_none());
        assert_eq!(budget(&store, "all").await, (0, 100), "{}", world.label);
        assert_eq!(dispatch(&store, &again).await, Some(round));
        assert_eq!(budget(&store, "all").await, (100, 100));
        // The provider turns the lost one down, late: that lets go of nothing that is another's.
        store.let_go(&lost, round).await.unwrap();
        assert_eq!(budget(&store, "all").await, (100, 100), "{}", world.label);
        store.let_go(&again, round).await.unwrap();
        assert_eq!(budget(&store, "all").await, (100, 0), "that is free");

        // Nobody comes back for this one. A worker at it keeps it, however long it takes.
        let other = held(&world).await;
        let ask = ask(&other, "write", most());
        let round = dispatch(&store, &ask).await.unwrap();
        let old = "UPDATE holds SET at = $1";
        let long_ago = world.now().await - TimeDelta::hours(1);
        let old = store.db().query(old).bind(long_ago);
        old.execute().await.unwrap();
        assert_eq!(store.settle_stale().await.unwrap(), 0);
        world.settle(&other, Answer::Done("did".into())).await;
        assert_eq!(store.settle_stale().await.unwrap(), 1);
        assert_eq!(budget(&store, "all").await, (200, 0), "{}", world.label);
        // Its answer comes all the same, and is not counted twice.
        let late = reply(tokens(30, 30));
        store.answered(&ask, round, &late).await.unwrap();
        assert_eq!(budget(&store, "all").await, (200, 0), "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_say_what_it_took_is_charged_at_the_most() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let store = capped(&world, all_in_a_day(1_000));
        let by = held(&world).await;
        let ask = ask(&by, "write", most());
        let round = dispatch(&store, &ask).await.unwrap();
        let untold = reply(Usage::default());
        store.answered(&ask, round, &untold).await.unwrap();
        assert_eq!(budget(&store, "all").await, (100, 0), "{}", world.label);
        let spent = store.spent(&[by.saga]).await.unwrap()[&by.saga];
        assert_eq!(spent.cost_micros, None, "what it cost is still not known");
        // Nor does one say it whose numbers cannot be true.
        let bogus = [tokens(30, u64::MAX), tokens(1_000_000_000, 1)];
        for (call, took) in bogus.into_iter().enumerate() {
            let name = format!("bogus {call}");
            let ask = crate::acts::ask(&by, &name, most());
            let round = dispatch(&store, &ask).await.unwrap();
            store.answered(&ask, round, &reply(took)).await.unwrap();
        }
        assert_eq!(budget(&store, "all").await, (300, 0), "{}", world.label);
        let spent = store.spent(&[by.saga]).await.unwrap()[&by.saga];
        assert_eq!((spent.usage, spent.cost_micros), (Usage::default(), None));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_over_budget_waits_uncounted_and_is_not_late() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let story: Story = |flow| {
            flow.undo_with(back("a"));
            flow.step(deed("a"))
        };
        let (saga, tickets) = world.tell_quietly(Hurried::KIND, story).await;
        let claimed = world.claim(&tickets[0], "w", LONG).await.unwrap();
        let due = world.run(saga).await.saga.deadline_at.unwrap();
        let waits = Answer::Failed {
            class: Class::OverBudget,
            message: "the cap is 1.00 USD".to_owned(),
            after: Some(LONG),
            retry: Retry::NEVER,
        };
        world.settle(&claimed, waits).await;
        let run = world.run(saga).await;
        let step = run.find(&claimed.key).map(|at| &run.steps[at]).unwrap();
        assert_eq!((step.state, step.attempt), (StepState::Retrying, 0));
        assert_eq!(run.saga.state, SagaState::Running);
        let length = TimeDelta::from_std(LONG).unwrap();
        assert_eq!(run.saga.deadline_at, Some(due + length), "{}", world.label);
        assert_eq!(run.saga.wake_at, run.saga.deadline_at);
        let told = run.why(world.now().await, &Outside::default());
        assert_eq!(told[0].code, Why::OverBudget, "{told:?}");
        assert_eq!(told[0].until, step.wake_at);
        assert!(told[0].message.contains("the cap is 1.00 USD"));
        world.end().await;
    }
}
