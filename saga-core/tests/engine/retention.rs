//! What ended long ago leaves the tables; what is under way, or waits for somebody, never does.

use crate::doer::Doer;
use crate::sagas::{Kid, kid};
use crate::stories::Told;
use crate::support::{World, combinations};
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::Durability;
use saga_core::retirement::Retirement;
use saga_core::state::SagaState;
use saga_core::store::audit::{AuditFilter, Entry, write};
use saga_core::store::{Keep, LetterFilter};
use saga_core::{Flow, Saga as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const KEEP: Keep = Keep {
    sagas: Some(Duration::from_hours(30 * 24)),
    letters: Some(Duration::from_hours(90 * 24)),
    answers: Some(Duration::from_hours(7 * 24)),
    effects: Some(Duration::from_hours(200 * 24)),
    audit: Some(Duration::from_hours(300 * 24)),
};

async fn ago(world: &World, days: i64) -> DateTime<Utc> {
    world.store.db().now().await.unwrap() - TimeDelta::days(days)
}

/// Has what a statement names have happened so many days ago.
async fn aged(world: &World, sql: &'static str, days: i64, of: Uuid) {
    let then = ago(world, days).await;
    let aged = world.store.db().query(sql).bind(then).bind(of).execute();
    assert!(aged.await.unwrap() > 0, "{sql}");
}

/// Has a saga be so many days old, and ended as long ago, if it has ended.
async fn old(world: &World, saga: Uuid, days: i64) {
    let sql = "UPDATE sagas SET created_at = $1, finished_at = CASE WHEN finished_at IS NULL THEN NULL ELSE $1 END WHERE id = $2";
    aged(world, sql, days, saga).await;
}

async fn count(world: &World, sql: &'static str, saga: Uuid) -> i64 {
    let counted = world.store.db().query(sql).bind(saga);
    counted.scalar().await.unwrap()
}

async fn kept(world: &World, saga: Uuid) -> bool {
    world.store.view(&[saga]).await.unwrap().contains_key(&saga)
}

/// A paid call that was answered.
async fn pay(world: &World, saga: Uuid) {
    let sql = "INSERT INTO effects (saga_id, step_key, name, round, state, idempotency_key, provider, model, request_hash,
                                    calls, answer, dispatched_at, answered_at)
               VALUES ($2, 'deed#1', 'text', 0, 'answered', 'key', 'local', 'rules', 'hash', 1, $3, $1, $1)";
    let now = ago(world, 0).await;
    let query = world.store.db().query(sql).bind(now).bind(saga);
    assert_eq!(query.bind(b"said".to_vec()).execute().await.unwrap(), 1);
    let sql = "INSERT INTO charges (saga_id, step_key, name, round, kind, purpose, provider, model, at,
                                    input_tokens, output_tokens, images, cost_micros)
               VALUES ($2, 'deed#1', 'text', 0, 'test.line', 'persona', 'local', 'rules', $1, 1, 1, 0, 2)";
    let query = world.store.db().query(sql).bind(now).bind(saga);
    assert_eq!(query.execute().await.unwrap(), 1);
    let sql = "INSERT INTO budgets (scope, day, subject, spent_micros, held_micros) VALUES ('saga', '', $1, 2, 0)";
    let query = world.store.db().query(sql).bind(saga.to_string());
    assert_eq!(query.execute().await.unwrap(), 1);
}

/// How many rows the books have of it, and how many its budget has.
async fn booked(world: &World, saga: Uuid) -> (i64, i64) {
    let books = "SELECT count(*) FROM charges WHERE saga_id = $1";
    let budget = "SELECT count(*) FROM budgets WHERE scope = 'saga' AND subject = $1";
    let budget = world.store.db().query(budget).bind(saga.to_string());
    (
        count(world, books, saga).await,
        budget.scalar().await.unwrap(),
    )
}

async fn answer(world: &World, saga: Uuid) -> Option<Vec<u8>> {
    let sql = "SELECT answer FROM effects WHERE saga_id = $1";
    let row: Option<(Vec<u8>,)> = world
        .store
        .db()
        .query(sql)
        .bind(saga)
        .optional()
        .await
        .unwrap();
    row.map(|(answer,)| answer)
}

async fn turn(world: &World, keep: Keep) -> Option<u64> {
    let retirement = Retirement::new(world.store.clone(), keep);
    retirement.turn(&CancellationToken::new()).await.unwrap()
}

/// Lets the next turn begin at once, as if an hour had passed.
async fn rested(world: &World) {
    world
        .store
        .hold_chore("retention", Duration::ZERO)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_ended_long_ago_leaves_and_takes_all_of_its_own_along() {
    for combination in combinations() {
        let (doer, broken) = Doer::without("do a");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let parked = world.start("test.line", Value::Null).await;
        world.until(parked, SagaState::Parked).await;
        broken.mend();
        let waits = world.start("test.patient", json!(1)).await;
        world.until(waits, SagaState::Waiting).await;
        let (mut ended, recent) = (vec![], world.start("test.line", Value::Null).await);
        for _ in 0..3 {
            ended.push(world.start("test.line", Value::Null).await);
        }
        for saga in ended.iter().chain([&recent]) {
            world.until(*saga, SagaState::Succeeded).await;
            pay(&world, *saga).await;
        }
        for saga in ended.iter().chain([&parked, &waits]) {
            old(&world, *saga, 31).await;
        }
        old(&world, recent, 29).await;

        let last = world.store.gauges().await.unwrap().retired;
        assert_eq!(last, None, "it never came to its end");
        assert_eq!(turn(&world, KEEP).await, Some(3), "{}", world.label);
        let last = world.store.gauges().await.unwrap().retired.unwrap();
        assert!(last.as_secs() < 60, "{last:?}");
        for saga in [parked, waits, recent] {
            assert!(kept(&world, saga).await, "{}", world.label);
            let steps = count(
                &world,
                "SELECT count(*) FROM steps WHERE saga_id = $1",
                saga,
            );
            assert!(steps.await > 0);
        }
        for saga in ended {
            assert!(!kept(&world, saga).await, "{}", world.label);
            let steps = count(
                &world,
                "SELECT count(*) FROM steps WHERE saga_id = $1",
                saga,
            );
            let events = count(
                &world,
                "SELECT count(*) FROM events WHERE saga_id = $1",
                saga,
            );
            assert_eq!((steps.await, events.await), (0, 0), "{}", world.label);
            assert_eq!(
                answer(&world, saga).await,
                Some(vec![]),
                "paid for, and blank"
            );
            assert_eq!(world.effects(saga).await.len(), 3, "what it did stays");
            assert_eq!(booked(&world, saga).await, (1, 0), "{}", world.label);
        }
        assert_eq!(answer(&world, recent).await, Some(b"said".to_vec()));
        assert_eq!(booked(&world, recent).await, (1, 1), "{}", world.label);
        let letters = LetterFilter {
            saga_id: Some(parked),
            limit: 10,
            ..LetterFilter::default()
        };
        let letter = world.store.letters(&letters).await.unwrap().remove(0).id;
        let replayed = world.store.replay(letter, "ana", "mended").await;
        world.client.publish(replayed.unwrap().1);
        world.until(parked, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_stays_as_long_as_its_letters_do() {
    for combination in combinations() {
        let (doer, _broken) = Doer::without("do a");
        let world = World::new(combination, doer).await;
        world.worker("one");
        let saga = world.start("test.line", Value::Null).await;
        world.until(saga, SagaState::Parked).await;
        let of_saga = LetterFilter {
            saga_id: Some(saga),
            limit: 10,
            ..LetterFilter::default()
        };
        let letter = world.store.letters(&of_saga).await.unwrap().remove(0).id;
        let discarded = world.store.discard(letter, "ana", "not wanted").await;
        world.client.publish(discarded.unwrap());
        world.until(saga, SagaState::Undone).await;
        old(&world, saga, 80).await;
        let judged = "UPDATE letters SET resolved_at = $1 WHERE id = $2";
        aged(&world, judged, 80, letter).await;
        assert_eq!(turn(&world, KEEP).await, Some(0), "{}", world.label);
        assert!(kept(&world, saga).await);
        old(&world, saga, 91).await;
        aged(&world, judged, 91, letter).await;
        rested(&world).await;
        let for_ever = Keep::default();
        assert_eq!(turn(&world, for_ever).await, Some(0), "{}", world.label);
        rested(&world).await;
        assert_eq!(turn(&world, KEEP).await, Some(1), "{}", world.label);
        assert!(!kept(&world, saga).await);
        let letters = world.store.letters(&of_saga).await.unwrap();
        assert!(letters.is_empty(), "{letters:?}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sagas_leave_in_batches_that_pass_by_those_that_stay() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let mut sagas = vec![];
        for at in 0..7 {
            let kind = if at % 3 == 0 {
                "test.patient"
            } else {
                "test.line"
            };
            let input = if at % 3 == 0 { json!(1) } else { Value::Null };
            sagas.push(world.start(kind, input).await);
        }
        for (at, saga) in sagas.iter().enumerate() {
            let state = if at % 3 == 0 {
                SagaState::Waiting
            } else {
                SagaState::Succeeded
            };
            world.until(*saga, state).await;
            old(&world, *saga, 40).await;
        }
        let (mut place, mut batches) = (Some((DateTime::UNIX_EPOCH, Uuid::nil())), vec![]);
        while let Some(after) = place {
            let retired = world.store.retire_sagas(&KEEP, after, 3).await.unwrap();
            batches.push(retired.rows);
            place = retired.next;
        }
        assert_eq!(batches, [3, 1], "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_at_a_time_sees_to_it_and_then_nobody_for_an_hour() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (one, two) = tokio::join!(turn(&world, KEEP), turn(&world, KEEP));
        let mut turns = [one, two];
        turns.sort();
        assert_eq!(turns, [None, Some(0)], "{}", world.label);
        assert_eq!(turn(&world, KEEP).await, None, "{}", world.label);
        rested(&world).await;
        let stopped = CancellationToken::new();
        stopped.cancel();
        let retirement = Retirement::new(world.store.clone(), KEEP);
        let turned = retirement.turn(&stopped).await.unwrap();
        assert_eq!(turned, Some(0), "{}", world.label);
        // Whoever is stopped in the middle leaves the rest to the next one.
        assert_eq!(turn(&world, KEEP).await, Some(0), "{}", world.label);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paid_calls_decisions_and_letters_of_nobody_have_times_of_their_own() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (gone, live) = (Uuid::now_v7(), world.start("test.patient", json!(1)).await);
        for saga in [gone, live] {
            pay(&world, saga).await;
            let paid = "UPDATE effects SET dispatched_at = $1 WHERE saga_id = $2";
            aged(&world, paid, 201, saga).await;
            let booked = "UPDATE charges SET at = $1 WHERE saga_id = $2";
            aged(&world, booked, 201, saga).await;
        }
        let (mut poison, mut decided) = (vec![], vec![]);
        for days in [89, 91] {
            let letter = world.store.poison("left", b"?", "no ticket").await.unwrap();
            let judged = "UPDATE letters SET state = 'discarded', resolved_at = $1 WHERE id = $2";
            aged(&world, judged, days, letter).await;
            poison.push(letter);
        }
        let open = world.store.poison("left", b"!", "no ticket").await.unwrap();
        aged(
            &world,
            "UPDATE letters SET created_at = $1 WHERE id = $2",
            999,
            open,
        )
        .await;
        for days in [299, 301] {
            let target = Uuid::now_v7();
            let entry = Entry {
                actor: "ana",
                verb: "letter.discard",
                target_kind: "letter",
                target_id: target.to_string(),
                reason: "",
                detail: Value::Null,
            };
            let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
            write(&mut tx, &entry).await.unwrap();
            tx.commit().await.unwrap();
            let filter = AuditFilter {
                target: Some(target.to_string()),
                limit: 1,
                ..AuditFilter::default()
            };
            let id = world.store.audit(&filter).await.unwrap()[0].id;
            aged(&world, "UPDATE audit SET at = $1 WHERE id = $2", days, id).await;
            decided.push(filter);
        }
        assert_eq!(turn(&world, KEEP).await, Some(0), "{}", world.label);
        assert_eq!(answer(&world, gone).await, None, "{}", world.label);
        assert!(answer(&world, live).await.is_some(), "{}", world.label);
        let books = (booked(&world, gone).await.0, booked(&world, live).await.0);
        assert_eq!(books, (0, 1), "{}", world.label);
        let there = async |letter| world.store.letter(letter).await.unwrap().is_some();
        assert!(there(poison[0]).await && !there(poison[1]).await && there(open).await);
        let told = async |filter| world.store.audit(filter).await.unwrap().len();
        assert_eq!((told(&decided[0]).await, told(&decided[1]).await), (1, 0));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_said_goes_before_the_saga_that_has_ended() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let ended = world.start("test.line", Value::Null).await;
        world.until(ended, SagaState::Succeeded).await;
        let recent = world.start("test.line", Value::Null).await;
        world.until(recent, SagaState::Succeeded).await;
        let waits = world.start("test.patient", json!(1)).await;
        world.until(waits, SagaState::Waiting).await;
        for (saga, days) in [(ended, 8), (recent, 6), (waits, 8)] {
            pay(&world, saga).await;
            let sql = "UPDATE effects SET dispatched_at = $1 WHERE saga_id = $2";
            aged(&world, sql, days, saga).await;
        }

        assert_eq!(turn(&world, KEEP).await, Some(0), "{}", world.label);
        assert_eq!(answer(&world, ended).await, Some(vec![]), "{}", world.label);
        for saga in [recent, waits] {
            assert_eq!(answer(&world, saga).await, Some(b"said".to_vec()));
        }
        for saga in [ended, recent, waits] {
            assert!(kept(&world, saga).await);
            assert_eq!(booked(&world, saga).await, (1, 1), "what it cost stays");
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_does_not_leave_before_its_parent() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.worker("one");
        let story = |flow: &mut Flow| flow.child::<Kid>(kid("c"));
        let parent = world.tell(Told::KIND, story).await;
        world.until(parent, SagaState::Succeeded).await;
        let child = world.run(parent).await.children().next().unwrap();
        old(&world, child, 31).await;
        assert_eq!(turn(&world, KEEP).await, Some(0), "{}", world.label);
        rested(&world).await;
        old(&world, parent, 31).await;
        let first = turn(&world, KEEP).await.unwrap();
        rested(&world).await;
        let rest = turn(&world, KEEP).await.unwrap();
        assert_eq!(first + rest, 2, "{}", world.label);
        assert!(!kept(&world, child).await && !kept(&world, parent).await);
        world.end().await;
    }
}
