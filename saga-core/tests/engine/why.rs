//! Why a saga is where it is: every reason, told of a saga that was really brought there.

use crate::acts::{LONG, SHORT};
use crate::doer::Doer;
use crate::sagas::{LEFT, News, back, deed};
use crate::stories::{Story, Told, deploy};
use crate::support::{World, combinations};
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::run::{Answer, Outside, Reason, Why};
use saga_core::state::SagaState;
use saga_core::transport::{Health, Names, RabbitMq, Transport};
use saga_core::{Class, Retry, Saga};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

const ONE_DEED: Story = |flow| flow.step(deed("a"));
const UNDOABLE: Story = |flow| {
    flow.undo_with(back("a"));
    flow.step(deed("a"))
};
/// Slow enough that nobody sees it end.
const SLOW: Retry = Retry {
    attempts_max: 3,
    delay_first: LONG,
    delay_max: LONG,
};

/// What is known of this world from outside.
async fn outside(world: &World, transport: &Transport, now: DateTime<Utc>) -> Outside {
    let consumers = transport.consumers(LEFT.0).await;
    Outside {
        broker_up: Some(transport.health() == Health::Up),
        consumers: consumers
            .map(|count| (LEFT.0.to_owned(), count))
            .into_iter()
            .collect(),
        oldest_unconfirmed: world.store.oldest_unconfirmed(now).await.unwrap(),
        ..Outside::default()
    }
}

/// Why, as far as the saga's own rows tell.
async fn why(world: &World, saga: Uuid) -> Vec<Reason> {
    let now = world.store.db().now().await.unwrap();
    world.run(saga).await.why(now, &Outside::default())
}

fn codes(reasons: &[Reason]) -> Vec<Why> {
    for reason in reasons {
        assert!(!reason.message.is_empty() && !reason.remedy.is_empty());
    }
    reasons.iter().map(|reason| reason.code).collect()
}

fn failed(class: Class, after: Option<Duration>) -> Answer {
    Answer::Failed {
        class,
        message: "the model is away".to_owned(),
        after,
        retry: SLOW,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_nobody_takes_tells_what_is_in_its_way() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        world.connected().await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let run = world.run(saga).await;
        let now = run.saga.created_at + TimeDelta::seconds(10);
        let seen = outside(&world, &world.transport, now).await;
        assert_eq!(seen.oldest_unconfirmed, Some(run.saga.created_at));
        let reasons = run.why(now, &seen);
        let all = [Why::TicketLag, Why::NoWorker, Why::Queued];
        assert_eq!(codes(&reasons), all, "{}", world.label);
        assert_eq!(reasons[0].since, Some(run.saga.created_at));
        assert!(reasons[1].remedy.contains("chorus worker left"));
        assert_eq!(reasons[2].queue.as_deref(), Some("left"));
        let mut paused = seen.clone();
        paused.paused.insert(
            "left".to_owned(),
            "ana at noon: the provider is down".to_owned(),
        );
        let reasons = run.why(now, &paused);
        assert_eq!(
            codes(&reasons),
            [Why::TicketLag, Why::QueuePaused, Why::Queued]
        );
        assert!(
            reasons[1].message.contains("ana at noon") && reasons[1].remedy.contains("resume left")
        );
        let soon = run.saga.created_at + TimeDelta::seconds(1);
        assert_eq!(
            codes(&run.why(soon, &Outside::default())),
            [Why::Queued],
            "a ticket may take a moment, and of what nobody knows nothing is said"
        );

        let names = Names::under("nowhere");
        let away = RabbitMq::new("amqp://127.0.0.1:1", names, "test", vec![]);
        let away = Transport::RabbitMq(away);
        let blind = outside(&world, &away, now).await;
        assert_eq!(
            codes(&run.why(now, &blind)),
            [Why::BrokerDown, Why::Queued],
            "whose workers are there cannot be known then"
        );

        world.store.mark_ticketed(&tickets).await.unwrap();
        let run = world.run(saga).await;
        let seen = outside(&world, &world.transport, now).await;
        assert_eq!(seen.oldest_unconfirmed, None);
        let reasons = run.why(now, &seen);
        assert_eq!(codes(&reasons), [Why::NoWorker, Why::Queued]);
        let out = reasons[1].since.unwrap();
        assert!(run.saga.created_at <= out && out <= world.now().await);
        assert!(reasons[1].message.contains("ticket is out since"));

        world.doer.hold("do a");
        world.worker_at_work("busy").await;
        let seen = outside(&world, &world.transport, now).await;
        assert!(seen.consumers["left"] > 0, "{}: {seen:?}", world.label);
        world.client.publish(tickets);
        world.until(saga, SagaState::Running).await;
        world.doer.let_go();
        world.until(saga, SagaState::Succeeded).await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_in_a_workers_hands_tells_whose_and_until_when() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let held = world.claim(&tickets[0], "ana's", LONG).await.unwrap();
        let step = world.run(saga).await.steps.remove(0);
        let told = why(&world, saga).await;
        assert_eq!(codes(&told), [Why::Running]);
        assert_eq!(told[0].worker.as_deref(), Some("ana's"));
        assert_eq!(
            (told[0].since, told[0].until),
            (step.started_at, step.wake_at)
        );

        world.settle(&held, failed(Class::Transient, None)).await;
        let told = why(&world, saga).await;
        assert_eq!(codes(&told), [Why::Retrying]);
        assert_eq!(told[0].until, world.run(saga).await.steps[0].wake_at);
        assert!(told[0].message.contains("the model is away"));
        assert!(told[0].remedy.contains("by itself"));
        let late = told[0].until.unwrap() + TimeDelta::seconds(10);
        let told = world.run(saga).await.why(late, &Outside::default());
        assert!(told[0].remedy.contains("overdue"), "{told:?}");

        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let held = world.claim(&tickets[0], "ben's", LONG).await.unwrap();
        let patience = failed(Class::Throttled, Some(LONG));
        world.settle(&held, patience).await;
        let told = why(&world, saga).await;
        assert_eq!(codes(&told), [Why::Throttled]);
        assert!(told[0].until > Some(world.now().await));

        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        world.claim(&tickets[0], "silent", SHORT).await.unwrap();
        let ends = world.run(saga).await.steps[0].wake_at.unwrap();
        world.passed(ends, saga).await;
        let told = why(&world, saga).await;
        assert_eq!(codes(&told), [Why::LeaseStale]);
        assert_eq!(told[0].worker.as_deref(), Some("silent"));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_waits_tells_for_what() {
    let pause: Story = |flow| {
        flow.sleep(Duration::from_hours(1))?;
        Ok("rested".to_owned())
    };
    let news: Story = |flow| {
        let heard = flow.signal_within::<News>(Duration::from_hours(1))?;
        Ok(heard.map_or_else(String::new, |News(words)| words))
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, _) = world.tell_quietly(Told::KIND, pause).await;
        let told = why(&world, saga).await;
        assert_eq!(codes(&told), [Why::WaitingUntil]);
        assert_eq!(told[0].until, world.run(saga).await.steps[0].wake_at);

        let (saga, _) = world.tell_quietly(Told::KIND, news).await;
        let told = why(&world, saga).await;
        let mut found = codes(&told);
        found.sort_by_key(|code| *code == Why::WaitingUntil);
        assert_eq!(found, [Why::WaitingForSignal, Why::WaitingUntil]);
        let signal = told.iter().find(|one| one.code == Why::WaitingForSignal);
        assert!(signal.unwrap().message.contains("the signal news"));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_stands_still_tells_the_letter_to_judge() {
    let good: Story = |flow| {
        flow.step(deed("a"))?;
        let News(_) = flow.signal()?;
        flow.step(deed("b"))
    };
    let bad: Story = |flow| {
        flow.step(deed("other"))?;
        let News(_) = flow.signal()?;
        flow.step(deed("b"))
    };
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let held = world.claim(&tickets[0], "w", LONG).await.unwrap();
        world.settle(&held, failed(Class::Permanent, None)).await;
        let (letter, told) = (world.open_letter(saga).await.id, why(&world, saga).await);
        assert_eq!(codes(&told), [Why::Parked]);
        assert_eq!(told[0].letter, Some(letter));
        assert_eq!(told[0].until, world.run(saga).await.saga.parked_until);
        assert!(told[0].until.is_some() && told[0].message.contains("the model is away"));
        assert!(told[0].remedy.contains(&format!("replay {letter}")));

        let (saga, tickets) = world.tell_quietly(Told::KIND, good).await;
        let held = world.claim(&tickets[0], "w", LONG).await.unwrap();
        world.settle(&held, Answer::Done(json!("did"))).await;
        assert_eq!(codes(&why(&world, saga).await), [Why::WaitingForSignal]);
        deploy(saga, bad);
        world.tell_news(saga).await;
        let (letter, told) = (world.open_letter(saga).await.id, why(&world, saga).await);
        assert_eq!(codes(&told), [Why::Diverged]);
        assert_eq!(told[0].letter, Some(letter));
        for side in [r#""a""#, r#""other""#] {
            assert!(told[0].message.contains(side), "{}", told[0].message);
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_goes_back_tells_how_far_it_is() {
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        let (saga, tickets) = world.tell_quietly(Told::KIND, UNDOABLE).await;
        let held = world.claim(&tickets[0], "w", LONG).await.unwrap();
        world.cancel(saga).await.unwrap();
        let told = why(&world, saga).await;
        assert_eq!(
            codes(&told),
            [Why::Undoing, Why::Running],
            "a deed under way is waited for"
        );
        assert!(told[0].message.contains("canceled by ana"));
        let (_, tickets) = world.settle(&held, Answer::Done(json!("did"))).await;
        assert_eq!(codes(&why(&world, saga).await), [Why::Undoing, Why::Queued]);
        let undo = world.claim(&tickets[0], "w", LONG).await.unwrap();
        world.settle(&undo, failed(Class::Permanent, None)).await;
        let (letter, told) = (world.open_letter(saga).await.id, why(&world, saga).await);
        assert_eq!(codes(&told), [Why::UndoFailed]);
        assert_eq!(told[0].letter, Some(letter));
        world.discard(saga).await.unwrap();
        let told = why(&world, saga).await;
        assert_eq!(codes(&told), [Why::Finished]);
        assert!(told[0].message.starts_with("It was canceled"));

        let (saga, tickets) = world.tell_quietly(Told::KIND, ONE_DEED).await;
        let held = world.claim(&tickets[0], "w", LONG).await.unwrap();
        world.settle(&held, Answer::Done(json!("did"))).await;
        let told = why(&world, saga).await;
        assert_eq!(codes(&told), [Why::Finished]);
        assert!(told[0].message.contains("well"));
        assert_eq!(told[0].since, world.run(saga).await.saga.finished_at);
        world.end().await;
    }
}
