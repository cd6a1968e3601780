//! What dashboards and alarms stand on: how much there is to do, and what was done.

use crate::acts::{LONG, SHORT};
use crate::doer::Doer;
use crate::sagas::{back, deed, far};
use crate::stories::{Story, Told};
use crate::support::{World, combinations, new_saga};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use saga_core::db::Durability;
use saga_core::journal::Class;
use saga_core::run::Answer;
use saga_core::state::SagaState;
use saga_core::store::Gauges;
use saga_core::{Retry, Saga};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const ONE_DEED: Story = |flow| flow.step(deed("a"));
const FAR_DEED: Story = |flow| flow.step(far("a"));

/// How many are ready, running and delayed in a queue.
fn depth(gauges: &Gauges, queue: &str) -> (i64, i64, i64) {
    let found = gauges.queues.iter().find(|one| one.queue == queue);
    found.map_or((0, 0, 0), |found| {
        (found.ready, found.running, found.delayed)
    })
}

fn oldest(gauges: &Gauges, queue: &str) -> Duration {
    let found = gauges.queues.iter().find(|one| one.queue == queue);
    found.map(|found| found.oldest).unwrap_or_default()
}

fn failed(class: Class, attempts_max: u32) -> Answer {
    Answer::Failed {
        class,
        message: "no luck".to_owned(),
        after: Some(LONG),
        retry: Retry {
            attempts_max,
            ..Retry::STANDARD
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_queue_tells_what_is_ready_running_and_delayed() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let label = &world.label;
        assert_eq!(world.store.gauges().await.unwrap(), Gauges::default());
        let mut given = vec![];
        for _ in 0..3 {
            given.extend(world.tell_quietly(Told::KIND, ONE_DEED).await.1);
        }
        let (far, tickets) = world.tell_quietly(Told::KIND, FAR_DEED).await;
        given.extend(tickets);

        world.passed(world.now().await, far).await;
        let told = world.store.gauges().await.unwrap();
        assert_eq!(depth(&told, "left"), (3, 0, 0), "{label}");
        assert_eq!(depth(&told, "right"), (1, 0, 0), "{label}");
        let first = oldest(&told, "left");
        assert!(first > oldest(&told, "right"), "{label}: {told:?}");
        assert_eq!(told.ticket_lag, first, "{label}: none is with the broker");

        world.store.mark_ticketed(&given).await.unwrap();
        let told = world.store.gauges().await.unwrap();
        assert_eq!(told.ticket_lag, Duration::ZERO, "{label}");
        assert!(oldest(&told, "left") > first, "{label}: still they wait");

        let one = world.claim(&given[0], "one", LONG).await.unwrap();
        assert!(one.waited.is_some_and(|waited| waited >= first), "{label}");
        let two = world.claim(&given[1], "two", LONG).await.unwrap();
        let told = world.store.gauges().await.unwrap();
        assert_eq!(depth(&told, "left"), (1, 2, 0), "{label}");
        world.settle(&one, failed(Class::Transient, 2)).await;
        world.settle(&two, failed(Class::Permanent, 1)).await;
        let told = world.store.gauges().await.unwrap();
        assert_eq!(depth(&told, "left"), (1, 0, 1), "{label}");
        assert_eq!(told.letters, [("open".to_owned(), 1)], "{label}");
        world.discard(two.saga).await.unwrap();
        let told = world.store.gauges().await.unwrap();
        assert_eq!(told.letters, [("discarded".to_owned(), 1)], "{label}");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_knows_its_consumers() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let consumers_are = async |wanted: u64| {
            let began = Instant::now();
            while world.transport.consumers("right").await != Some(wanted) {
                assert!(began.elapsed() < LONG, "{}: never {wanted}", world.label);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        world.connected().await;
        consumers_are(0).await;
        let (first, _) = world.worker("one");
        consumers_are(1).await;
        world.worker("two");
        consumers_are(2).await;
        first.cancel();
        consumers_are(1).await;
        assert_eq!(world.transport.consumers("nowhere").await, None);
        world.end().await;
    }
}

/// The value of one counter, if it was ever counted.
fn count(recorder: &PrometheusRecorder, series: &str) -> Option<u64> {
    let told = recorder.handle().render();
    let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
    told.lines().find_map(value)
}

/// On one thread, whose recorder is its own.
#[tokio::test]
async fn what_is_not_committed_is_not_counted() {
    for combination in combinations() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let counted = || {
            count(
                &recorder,
                r#"chorus_jobs_submitted_total{kind="test.line"}"#,
            )
        };
        let _here = metrics::set_default_local_recorder(&recorder);
        let world = World::new(combination, Doer::well()).await;
        let start = async |commit: bool| {
            let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
            let new = new_saga(Uuid::now_v7(), "test.line", Value::Null);
            world.store.start_in(&mut tx, &[new]).await.unwrap();
            if commit {
                tx.commit().await.unwrap();
            }
        };
        start(false).await;
        assert_eq!(counted(), None, "{}", world.label);
        start(true).await;
        assert_eq!(counted(), Some(1), "{}", world.label);
        let new = new_saga(Uuid::now_v7(), "test.line", Value::Null);
        let twice = [new.clone(), new.clone()];
        world.store.start(&twice).await.unwrap();
        world.store.start(&[new]).await.unwrap();
        assert_eq!(counted(), Some(2), "{}", world.label);
        world.end().await;
    }
}

/// As above, on one thread.
#[tokio::test]
async fn each_attempt_is_counted_once_and_by_how_it_ended() {
    let story: Story = |flow| {
        flow.undo_with(back("a"));
        flow.step(deed("a"))
    };
    for combination in combinations() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _here = metrics::set_default_local_recorder(&recorder);
        let attempts = |step: &str, outcome: &str| {
            let kind = Told::KIND;
            let labels = format!(r#"{{kind="{kind}",step="{step}",outcome="{outcome}"}}"#);
            count(&recorder, &format!("chorus_step_attempts_total{labels}"))
        };
        let world = World::new(combination, Doer::well()).await;
        let label = world.label.clone();
        let (saga, tickets) = world.tell_quietly(Told::KIND, story).await;
        let mut ticket = tickets[0].clone();
        let claimed = world.claim(&ticket, "one", LONG).await.unwrap();
        ticket = world.settle(&claimed, Answer::Released).await.1.remove(0);
        for name in ["first", "second", "third"] {
            world.claim(&ticket, name, SHORT).await.unwrap();
            if name != "third" {
                ticket = world.sweep_for(saga).await;
            }
        }
        let parked = async || {
            world.store.sweep().await.unwrap();
            world.state(saga).await == SagaState::Parked
        };
        world.wait("it is parked", parked, saga).await;
        assert_eq!(attempts("deed", "released"), Some(1), "{label}");
        assert_eq!(attempts("deed", "lost"), Some(3), "{label}");
        assert_eq!(attempts("deed", "failed"), None, "{label}: it was lost");
        let letter = r#"chorus_dead_letters_total{kind="test.told",step="deed",code="poison"}"#;
        assert_eq!(count(&recorder, letter), Some(1), "{label}");

        let letter = world.open_letter(saga).await.id;
        let undo = world.store.discard(letter, "ana", "enough").await.unwrap();
        let undo = world.claim(&undo[0], "one", LONG).await.unwrap();
        world.settle(&undo, Answer::Done(json!("undone"))).await;
        assert_eq!(world.state(saga).await, SagaState::Undone, "{label}");
        assert_eq!(attempts("take_back", "succeeded"), Some(1), "{label}");
        let ended = r#"chorus_jobs_finished_total{kind="test.told",outcome="failed"}"#;
        let undone = r#"chorus_compensations_total{kind="test.told"}"#;
        for series in [ended, undone] {
            assert_eq!(count(&recorder, series), Some(1), "{label}");
        }
        world.end().await;
    }
}
