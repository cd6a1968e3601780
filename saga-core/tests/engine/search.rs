//! What operators read: sagas found among many by whatever is known of them, and their paid calls.

use crate::acts::{LONG, ask};
use crate::doer::Doer;
use crate::sagas::deed;
use crate::stories::{Told, deploy};
use crate::support::{World, new_saga, stores};
use chrono::TimeDelta;
use saga_core::db::{Durability, Sql};
use saga_core::run::Answer;
use saga_core::state::SagaState;
use saga_core::store::{Effect, NewSaga, SagaFilter};
use saga_core::{Class, Reply, Retry, Saga, Usage};
use serde_json::json;
use uuid::Uuid;

/// Every store once; no ticket travels here.
/// Every page of a search, newest first.
async fn found(world: &World, filter: SagaFilter) -> Vec<Uuid> {
    let (mut filter, mut all) = (filter, vec![]);
    filter.limit = 2;
    loop {
        let page = world.store.search(&filter).await.unwrap();
        assert!(page.sagas.len() <= 2);
        all.extend(page.sagas.iter().map(|saga| saga.id));
        match page.next {
            Some(next) => filter.before = Some(next),
            None => return all,
        }
    }
}

/// Starts a saga of this owner and request, and has its one deed fail in these words if there are any.
async fn start(world: &World, owner: Uuid, request: &str, fails: Option<&str>) -> Uuid {
    let id = Uuid::now_v7();
    deploy(id, |flow| flow.step(deed("a")));
    let new = NewSaga {
        owner_id: Some(owner),
        request_id: request.to_owned(),
        ..new_saga(id, Told::KIND, json!(id))
    };
    let (_, tickets) = world.store.start(&[new]).await.unwrap();
    if let Some(words) = fails {
        let held = world.claim(&tickets[0], "w", LONG).await.unwrap();
        let answer = Answer::Failed {
            class: Class::Permanent,
            message: words.to_owned(),
            after: None,
            retry: Retry::NEVER,
        };
        world.settle(&held, answer).await;
    }
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_question_finds_its_sagas_newest_first() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let (ana, ben) = (Uuid::now_v7(), Uuid::now_v7());
        let first = start(&world, ana, "one", None).await;
        let second = start(&world, ben, "two", Some("The printer said \"NO\" to us")).await;
        let third = start(&world, ana, "two", Some("out of paper")).await;
        let fourth = start(&world, ana, "four", Some("the printer is away")).await;
        world.cancel(first).await.unwrap();
        let of = SagaFilter::default;
        assert_eq!(found(&world, of()).await, [fourth, third, second, first]);
        let kind = |kind: &str| SagaFilter {
            kind: Some(kind.to_owned()),
            ..of()
        };
        assert_eq!(found(&world, kind(Told::KIND)).await.len(), 4);
        assert!(found(&world, kind("test.other")).await.is_empty());
        let state = |state| SagaFilter {
            state: Some(state),
            ..of()
        };
        let parked = found(&world, state(SagaState::Parked)).await;
        assert_eq!(parked, [fourth, third, second]);
        assert_eq!(found(&world, state(SagaState::Undone)).await, [first]);
        let live = SagaFilter { live: true, ..of() };
        assert_eq!(found(&world, live).await, parked);
        let owner = SagaFilter {
            owner_id: Some(ana),
            ..of()
        };
        assert_eq!(found(&world, owner.clone()).await, [fourth, third, first]);
        let both = SagaFilter {
            state: Some(SagaState::Parked),
            ..owner
        };
        assert_eq!(found(&world, both).await, [fourth, third]);
        let request = SagaFilter {
            request_id: Some("two".to_owned()),
            ..of()
        };
        assert_eq!(found(&world, request).await, [third, second]);
        for (words, sagas) in [
            ("the PRINTER", vec![fourth, second]),
            ("said \"no\"", vec![second]),
            ("%", vec![]),
            ("permanent", vec![]),
        ] {
            let text = SagaFilter {
                text: Some(words.to_owned()),
                ..of()
            };
            assert_eq!(found(&world, text).await, sagas, "{words}");
        }
        let old = |age| SagaFilter {
            older_than: Some(age),
            ..of()
        };
        assert!(found(&world, old(TimeDelta::hours(1))).await.is_empty());
        assert_eq!(found(&world, old(TimeDelta::zero())).await.len(), 4);
        world.end().await;
    }
}

/// Ended sagas of other years, one a second.
const HISTORY: Sql = Sql {
    postgres: "-- test.history
        INSERT INTO sagas (id, kind, state, input, output, request_id, seq, inbox, pivoted, degraded, created_at, updated_at, finished_at)
        SELECT gen_random_uuid(), 'test.past', 'succeeded', '{}', '{}', 'r' || i, 1, 0, FALSE, FALSE,
               '2020-01-01T00:00:00Z'::timestamptz + i * interval '1 second', '2020-02-01T00:00:00Z', '2020-02-01T00:00:00Z'
          FROM generate_series(1, $1) AS i",
    sqlite: "-- test.history
        INSERT INTO sagas (id, kind, state, input, output, request_id, seq, inbox, pivoted, degraded, created_at, updated_at, finished_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        SELECT randomblob(16), 'test.past', 'succeeded', '{}', '{}', 'r' || i, 1, 0, 0, 0,
               strftime('%Y-%m-%dT%H:%M:%S+00:00', 1577836800 + i, 'unixepoch'), '2020-02-01T00:00:00+00:00',
               '2020-02-01T00:00:00+00:00'
          FROM n",
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rare_is_found_behind_very_many_a_piece_at_a_time() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
        let many = 52_000_i64;
        tx.query(HISTORY).bind(many).execute().await.unwrap();
        tx.commit().await.unwrap();
        // The oldest of all, behind everything else.
        let rare = start(&world, Uuid::now_v7(), "rare", Some("a needle")).await;
        let aged = "UPDATE sagas SET created_at = $2 WHERE id = $1";
        let long_ago = world.now().await - TimeDelta::days(10_000);
        let aged = world.store.db().query(aged).bind(rare).bind(long_ago);
        aged.execute().await.unwrap();
        let wanted = SagaFilter {
            text: Some("needle".to_owned()),
            limit: 2,
            ..SagaFilter::default()
        };
        let first = world.store.search(&wanted).await.unwrap();
        assert!(first.sagas.is_empty(), "one search looks through 50,000");
        assert!(first.next.is_some(), "and says where to go on");
        assert_eq!(found(&world, wanted.clone()).await, [rare]);
        let parked = SagaFilter {
            state: Some(SagaState::Parked),
            ..wanted
        };
        let at_once = world.store.search(&parked).await.unwrap();
        assert_eq!(at_once.sagas.len(), 1, "few are under way");
        let request = SagaFilter {
            request_id: Some("r7".to_owned()),
            limit: 2,
            ..SagaFilter::default()
        };
        assert_eq!(world.store.search(&request).await.unwrap().sagas.len(), 1);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_call_is_told_without_its_answer() {
    for store in stores() {
        let world = World::new(store, Doer::well()).await;
        let (saga, tickets) = world
            .tell_quietly(Told::KIND, |flow| flow.step(deed("a")))
            .await;
        let held = world.claim(&tickets[0], "w", LONG).await.unwrap();
        let ask = ask(&held, "write", Usage::default());
        for _ in 0..2 {
            let dispatched = world.store.dispatch(&ask).await;
            assert!(matches!(dispatched.unwrap(), Effect::Dispatch { .. }));
        }
        let calls = world.store.paid_calls(saga).await.unwrap();
        assert_eq!(calls.len(), 1);
        assert_eq!((calls[0].state.as_str(), calls[0].calls), ("dispatched", 2));
        assert_eq!(calls[0].answered_at, None);
        let reply = Reply {
            raw: b"a secret".to_vec(),
            usage: Usage::default(),
            patience: None,
        };
        world.store.answered(&ask, 0, &reply).await.unwrap();
        let calls = world.store.paid_calls(saga).await.unwrap();
        let told = serde_json::to_value(&calls).unwrap();
        assert_eq!(told[0]["provider"], "openai");
        assert_eq!(
            (&told[0]["model"], &told[0]["name"]),
            (&json!("gpt"), &json!("write"))
        );
        assert_eq!(told[0]["step_key"], "deed#1");
        assert_eq!(told[0]["state"], "answered");
        assert!(calls[0].answered_at >= Some(calls[0].dispatched_at));
        assert!(told[0].get("answer").is_none());
        world.end().await;
    }
}
