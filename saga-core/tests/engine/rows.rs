//! What a handler brings may be bad: its rows, its words, its pauses. The engine takes it calmly.

use crate::acts::LONG;
use crate::doer::Doer;
use crate::sagas::deed;
use crate::stories::{Story, Told};
use crate::support::{World, combinations};
use chrono::TimeDelta;
use saga_core::run::Answer;
use saga_core::state::{SagaState, StepState};
use saga_core::{Class, Retry, Saga, StepError};
use std::time::Duration;

/// What an error says, and what of it must be left.
type Words = (fn() -> String, &'static str);

const GOOD: Story = |flow| flow.step(deed("good"));
const BAD: Story = |flow| flow.step(deed("bad"));

/// Starts nine good sagas and a bad one, which all settle at about the same time.
async fn the_bad_one_parks_alone(world: &World, words: &str) {
    for name in ["do good", "do bad"] {
        world.doer.hold(name);
    }
    world.worker("one");
    let mut good = vec![];
    for _ in 0..9 {
        good.push(world.tell(Told::KIND, GOOD).await);
    }
    let bad = world.tell(Told::KIND, BAD).await;
    let begun = async || world.doer.attempted("do good") + world.doer.attempted("do bad") == 10;
    world.wait("all have begun", begun, bad).await;
    world.doer.let_go();
    for saga in good {
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.effects(saga).await, ["did good"], "{}", world.label);
    }
    world.until(bad, SagaState::Parked).await;
    assert!(world.effects(bad).await.is_empty(), "none of its rows stay");
    let letter = world.open_letter(bad).await;
    assert!(letter.message.contains(words), "{}", letter.message);
    assert_eq!(letter.attempts, 3, "it was tried again, like any failure");
    let after = world.tell(Told::KIND, GOOD).await;
    world.until(after, SagaState::Succeeded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_cannot_be_written_are_a_failure_of_their_step_alone() {
    for combination in combinations() {
        let doer = Doer::well().recording(|row| match row {
            "did bad" => Err(StepError::retry("no such table")),
            _ => Ok(()),
        });
        let world = World::new(combination, doer).await;
        the_bad_one_parks_alone(&world, "no such table").await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_over_the_rows_is_a_failure_of_its_step_alone() {
    for combination in combinations() {
        let doer = Doer::well().recording(|row| {
            assert_ne!(row, "did bad", "a handler's own bug");
            Ok(())
        });
        let world = World::new(combination, doer).await;
        the_bad_one_parks_alone(&world, "panicked").await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_an_error_says_it_is_kept_so_that_a_person_can_read_it() {
    const LONG_WORDS: usize = 1_000_000;
    let words: [Words; 3] = [
        (|| "no\0such\0page".to_owned(), "page"),
        (
            || format!("too long: {}", "x".repeat(LONG_WORDS)),
            "too long: xxx",
        ),
        (
            || format!("too long: {}", "ä€".repeat(LONG_WORDS)),
            "too long: ä€",
        ),
    ];
    for combination in combinations() {
        for (say, kept) in words {
            let fails = Doer::new(move |_, _| Err(StepError::fail(say())));
            let world = World::new(combination, fails).await;
            world.worker("one");
            let saga = world.tell(Told::KIND, BAD).await;
            world.until(saga, SagaState::Parked).await;
            let letter = world.open_letter(saga).await.message;
            let error = world.run(saga).await.saga.error.unwrap().message;
            for message in [letter, error] {
                assert!(message.contains(kept), "{}", world.label);
                assert!(!message.contains('\0'), "{message:?}");
                assert!(message.len() < LONG_WORDS, "nobody reads {}", message.len());
            }
            world.end().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_is_never_nothing_and_never_for_ever() {
    let failed = |class, after| Answer::Failed {
        class,
        message: "later".to_owned(),
        after: Some(after),
        retry: Retry::STANDARD,
    };
    let endless = Duration::from_secs(u64::MAX);
    let answers = [
        failed(Class::Throttled, Duration::ZERO),
        failed(Class::Throttled, endless),
        failed(Class::Transient, Duration::ZERO),
        failed(Class::Transient, endless),
        failed(Class::Content, endless),
    ];
    for combination in combinations() {
        let world = World::new(combination, Doer::well()).await;
        for answer in &answers {
            let (saga, tickets) = world.tell_quietly(Told::KIND, GOOD).await;
            let claimed = world.claim(&tickets[0], "one", LONG).await.unwrap();
            let now = world.now().await;
            let (_, tickets) = world.settle(&claimed, answer.clone()).await;
            let step = world.run(saga).await.steps.remove(0);
            let what = format!("{}: {answer:?} makes {step:?}", world.label);
            assert_eq!(step.state, StepState::Retrying, "{what}");
            assert!(tickets.is_empty(), "{what}");
            let pause = step.wake_at.unwrap() - now;
            assert!(pause >= TimeDelta::milliseconds(10), "{what}");
            assert!(pause <= TimeDelta::days(101 * 365), "{what}");
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_attempt_does_not_count() {
    for combination in combinations() {
        let busy = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(5));
        let seen = busy.clone();
        let doer = Doer::new(move |_, attempt| {
            assert_eq!(attempt, 1, "every attempt is the first");
            match seen.load(std::sync::atomic::Ordering::SeqCst) {
                0 => Ok(()),
                left => {
                    seen.store(left - 1, std::sync::atomic::Ordering::SeqCst);
                    Err(StepError::throttled("slow down", Some(Duration::ZERO)))
                }
            }
        });
        let world = World::new(combination, doer).await;
        world.worker("one");
        let saga = world.tell(Told::KIND, GOOD).await;
        world.until(saga, SagaState::Succeeded).await;
        assert_eq!(world.doer.attempted("do good"), 6, "{}", world.label);
        world.end().await;
    }
}
