//! Who stands in the line of a limited kind goes in order, once, and only as far as there is room.

use crate::doer::Doer;
use crate::kinds::{ONE_DEED, claim, lease, limit, load, switch, tickets};
use crate::sagas::{far, kinds};
use crate::stories::{Hurried, Story, Told, deploy};
use crate::support::{StoreKind, World, new_saga, stores};
use saga_core::Saga;
use saga_core::client::Client;
use saga_core::db::Durability;
use saga_core::rules::KindMode;
use saga_core::run::Answer;
use saga_core::store::{Claimed, Store};
use saga_core::ticket::Ticket;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

async fn done(world: &World, claimed: &Claimed) {
    let answer = Answer::Done(Value::from("a"));
    world.settle(claimed, answer).await;
}

async fn let_go(world: &World) -> usize {
    world.store.move_lines().await.unwrap()
}

async fn swept(world: &World) -> Vec<Ticket> {
    world.store.sweep().await.unwrap().tickets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sagas_that_were_cancelled_in_line_take_nobodys_place() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(1), None).await;
        let tickets = tickets(&world, 4).await;
        let first = claim(&world, &tickets[..1]).await.remove(0);
        assert_eq!(claim(&world, &tickets[1..]).await.len(), 0);
        for gone in &tickets[1..3] {
            world.cancel(gone.saga).await.unwrap();
        }
        assert_eq!(load(&world).await.in_line, 1, "{}", world.label);
        done(&world, &first).await;
        assert_eq!(let_go(&world).await, 1, "{}", world.label);
        let next = claim(&world, &swept(&world).await).await;
        assert_eq!(next[0].saga, tickets[3].saga, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_took_before_it_heard_of_a_limit_counts_soon() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let tickets = tickets(&world, 4).await;
        let deaf = Store::new(world.store.db().clone(), Arc::new(kinds()));
        limit(&world, Some(2), None).await;
        let taken = deaf.claim(&tickets[..2], &lease()).await.unwrap();
        assert_eq!(taken.iter().flatten().count(), 2);
        let_go(&world).await;
        let more = claim(&world, &tickets[2..]).await;
        assert_eq!(more.len(), 0, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_let_go_keeps_the_place_until_it_is_taken() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(2), None).await;
        let tickets = tickets(&world, 6).await;
        let running = claim(&world, &tickets).await;
        assert_eq!(running.len(), 2);
        for claimed in &running {
            done(&world, claimed).await;
        }
        assert_eq!(let_go(&world).await, 2, "{}", world.label);
        assert_eq!(let_go(&world).await, 0, "{}: twice", world.label);
        let gone = swept(&world).await;
        assert_eq!(let_go(&world).await, 0, "{}: on the way", world.label);
        let next = claim(&world, &gone).await;
        let sagas: Vec<Uuid> = next.iter().map(|claimed| claimed.saga).collect();
        assert_eq!(sagas, [tickets[2].saga, tickets[3].saga]);
        assert_eq!(let_go(&world).await, 0, "{}: taken", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_counts_whoever_was_let_go_and_has_not_begun() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let tickets = tickets(&world, 4).await;
        switch(&world, KindMode::Paused).await.unwrap();
        assert_eq!(claim(&world, &tickets).await.len(), 0);
        limit(&world, None, Some(1)).await;
        switch(&world, KindMode::Enabled).await.unwrap();
        assert_eq!(let_go(&world).await, 1, "{}", world.label);
        assert_eq!(let_go(&world).await, 0, "{}", world.label);
        let gone = swept(&world).await;
        assert_eq!(claim(&world, &gone).await.len(), 1, "{}", world.label);
        assert_eq!(let_go(&world).await, 0, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_comes_later_passes_the_line() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(1), None).await;
        let tickets = tickets(&world, 2).await;
        let first = claim(&world, &tickets).await;
        assert_eq!(first.len(), 1);
        done(&world, &first[0]).await;
        let (_, late) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let passed = claim(&world, &late).await;
        assert_eq!(passed.len(), 0, "{}: it went first", world.label);
        assert_eq!(let_go(&world).await, 1);
        assert_eq!(claim(&world, &late).await.len(), 0, "{}", world.label);
        let next = claim(&world, &swept(&world).await).await;
        assert_eq!(next[0].saga, tickets[1].saga, "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_come_loses_the_place_to_the_next() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(1), None).await;
        let tickets = tickets(&world, 3).await;
        let first = claim(&world, &tickets).await;
        done(&world, &first[0]).await;
        assert_eq!(let_go(&world).await, 1);
        // As after two tickets that no worker of its queue has taken.
        let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
        let unheard = "UPDATE steps SET tickets = 2 WHERE saga_id = $1";
        let unheard = tx.query(unheard).bind(tickets[1].saga);
        unheard.execute().await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(let_go(&world).await, 1, "{}", world.label);
        let later = claim(&world, &tickets[1..2]).await;
        assert_eq!(later.len(), 0, "{}: there is no room left", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_of_a_batch_do_not_pay_for_a_kind_with_a_rule() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        limit(&world, Some(1), None).await;
        let mut both = tickets(&world, 2).await;
        let (_, other) = world.tell_quietly(Hurried::KIND, ONE_DEED).await;
        both.extend(other);
        let claimed = claim(&world, &both).await;
        let kinds: Vec<&str> = claimed.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(kinds, [Told::KIND, Hurried::KIND], "{}", world.label);
        // What was seen without a lock is told along with the claim.
        let unlocked = combination.0 == StoreKind::Postgres;
        assert_eq!(claimed[1].seen.is_some(), unlocked, "{}", world.label);
        assert!(claimed[0].seen.is_none(), "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_full_takes_nothing_new_and_others_do() {
    for combination in stores() {
        let world = World::new(combination, Doer::well()).await;
        let store = world.store.clone().with_depth_max(2);
        let (client, accepting) = Client::new(store.clone(), world.relay.clone());
        let accepting = tokio::spawn(accepting);
        let start = async |story: Story| {
            let id = Uuid::now_v7();
            deploy(id, story);
            client.start(new_saga(id, Told::KIND, json!(id))).await
        };
        let waiting = tickets(&world, 3).await;
        assert!(start(ONE_DEED).await.is_ok(), "nobody has looked yet");
        store.look_at_depths().await.unwrap();
        let refused = start(ONE_DEED).await.unwrap_err().to_string();
        assert_eq!(
            refused, "the queue left is full: 4 steps are ready in it",
            "{}",
            world.label
        );
        assert!(start(|flow| flow.step(far("c"))).await.is_ok());
        assert_eq!(claim(&world, &waiting).await.len(), 3);
        store.look_at_depths().await.unwrap();
        assert!(start(ONE_DEED).await.is_ok(), "{}", world.label);
        drop(client);
        accepting.await.unwrap();
        world.end().await;
    }
}
