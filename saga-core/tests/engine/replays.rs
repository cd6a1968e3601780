//! Many letters replayed as one operation: frozen at its start, at a rate, by one process at a time.

use crate::doer::{Broken, Doer};
use crate::sagas::deed;
use crate::stories::{Story, Told};
use crate::support::{StoreKind, TransportKind, World, combinations};
use chrono::{DateTime, Utc};
use saga_core::Saga;
use saga_core::db::Durability;
use saga_core::state::SagaState;
use saga_core::store::{LetterFilter, NewReplay, Replay, ReplayVerb};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

const PAIR: Story = |flow| Ok(flow.step(deed("a"))? + &flow.step(deed("b"))?);
const QUICK: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_hours(1);

/// A world in which the deed "b" gives up until it is mended.
async fn broken(combination: (StoreKind, TransportKind)) -> (World, Broken) {
    let (doer, broken) = Doer::without("do b");
    let world = World::new(combination, doer).await;
    world.worker("one");
    (world, broken)
}

async fn parked(world: &World, count: usize) -> Vec<Uuid> {
    let mut sagas = vec![];
    for _ in 0..count {
        sagas.push(world.tell(Told::KIND, PAIR).await);
    }
    for saga in &sagas {
        world.until(*saga, SagaState::Parked).await;
    }
    sagas
}

fn all(pause: Duration, tried_first: i64) -> NewReplay {
    NewReplay {
        id: Uuid::now_v7(),
        select: LetterFilter::default(),
        selection: serde_json::json!({"all": true}),
        limit: 100,
        pause,
        tried_first,
        from_start: false,
        failure_ratio_max: 0.5,
        by: "ana".to_owned(),
        reason: "the provider is back".to_owned(),
    }
}

async fn begin(world: &World, new: &NewReplay) -> Replay {
    let mut tx = world.store.db().begin(Durability::Full).await.unwrap();
    let replay = world.store.begin_replay(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
    replay
}

async fn now(world: &World, replay: Uuid) -> Replay {
    world.store.replay_of_many(replay).await.unwrap().unwrap()
}

/// Takes one turn, as a process would.
async fn turn(world: &World) -> Option<Duration> {
    let turn = world.store.replay_turn().await.unwrap();
    world.client.publish(turn.tickets);
    turn.idle
}

async fn turns_until(world: &World, replay: Uuid, state: &str) -> Replay {
    let met = async || {
        turn(world).await;
        now(world, replay).await.state == state
    };
    world
        .wait(&format!("the replay is {state}"), met, replay)
        .await;
    now(world, replay).await
}

fn counts(replay: &Replay) -> [i64; 5] {
    [
        replay.waiting,
        replay.running,
        replay.succeeded,
        replay.dead_again,
        replay.skipped,
    ]
}

async fn begun(world: &World, replay: Uuid) -> Vec<DateTime<Utc>> {
    let letters = world.store.replayed_letters(replay, None, 0, 100).await;
    let times = letters.unwrap().into_iter();
    times.filter_map(|letter| letter.started_at).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_letter_is_replayed_once_and_never_above_the_rate() {
    for combination in combinations() {
        let (world, broken) = broken(combination).await;
        let sagas = parked(&world, 8).await;
        broken.mend();
        let pause = Duration::from_millis(40);
        let replay = begin(&world, &all(pause, 1)).await;
        assert_eq!(counts(&replay), [8, 0, 0, 0, 0], "{}", world.label);
        // Three processes take turns as they come.
        let ended = async |_: u8| turns_until(&world, replay.id, "done").await;
        let (replay, ..) = tokio::join!(ended(1), ended(2), ended(3));
        assert_eq!(counts(&replay), [0, 0, 8, 0, 0], "{}", world.label);
        assert!(replay.finished_at.is_some() && replay.ended_because.is_none());
        for saga in sagas {
            world.until(saga, SagaState::Succeeded).await;
            assert_eq!(world.effects(saga).await, ["did a", "did b"]);
            let letters = world.letters(saga).await;
            let told: Vec<_> = letters
                .iter()
                .map(|letter| (&letter.state[..], letter.reason.as_deref()))
                .collect();
            assert_eq!(told, [("replayed", Some("the provider is back"))]);
        }
        let times = begun(&world, replay.id).await;
        assert_eq!(times.len(), 8);
        for pair in times.windows(2) {
            assert!((pair[1] - pair[0]).to_std().unwrap() >= pause, "{times:?}");
        }
        let letters = world
            .store
            .replayed_letters(replay.id, None, 0, 2)
            .await
            .unwrap();
        assert!(
            letters[0].finished_at <= letters[1].started_at,
            "one was tried first"
        );
        assert_eq!(turn(&world).await, None, "nothing is left to do");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stops_when_the_first_fails_again_and_when_too_many_do() {
    for combination in combinations() {
        let (world, _) = broken(combination).await;
        let sagas = parked(&world, 8).await;
        let first = begin(&world, &all(QUICK, 2)).await;
        let first = turns_until(&world, first.id, "stopped").await;
        assert_eq!(counts(&first), [0, 0, 0, 2, 6], "{}", world.label);
        let why = first.ended_because.unwrap();
        assert_eq!(why, "2 of the 2 tried first failed again");
        let second = begin(&world, &all(QUICK, 0)).await;
        assert_eq!(second.selected, 8, "those that died again have new letters");
        let second = turns_until(&world, second.id, "stopped").await;
        assert!(second.dead_again >= 5, "{second:?}");
        assert_eq!(second.dead_again + second.skipped, 8, "{second:?}");
        assert!(second.ended_because.unwrap().ends_with("failed again"));
        for saga in sagas {
            world.until(saga, SagaState::Parked).await;
            world.open_letter(saga).await;
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_waits_in_one_replay_at_a_time_and_what_others_decide_is_skipped() {
    for combination in combinations() {
        let (world, broken) = broken(combination).await;
        parked(&world, 3).await;
        broken.mend();
        let first = begin(&world, &all(LONG, 0)).await;
        let second = begin(&world, &all(QUICK, 0)).await;
        assert_eq!((first.selected, second.selected), (3, 0), "{}", world.label);
        turns_until(&world, second.id, "done").await;
        let begun_one = async || {
            turn(&world).await;
            begun(&world, first.id).await.len() == 1
        };
        world.wait("the first has begun", begun_one, first.id).await;
        let letters = world.store.replayed_letters(first.id, None, 0, 9).await;
        let sagas: Vec<Uuid> = letters.unwrap().iter().map(|one| one.saga_id).collect();
        world.discard(sagas[1]).await.unwrap();
        world.until(sagas[1], SagaState::Undone).await;
        assert!(
            world
                .store
                .steer_replay(first.id, ReplayVerb::Stop, "ben", "enough")
                .await
                .unwrap()
        );
        assert!(
            !world
                .store
                .steer_replay(first.id, ReplayVerb::Pause, "ben", "")
                .await
                .unwrap()
        );
        let first = turns_until(&world, first.id, "stopped").await;
        assert_eq!(counts(&first), [0, 0, 1, 0, 2], "{}", world.label);
        assert_eq!(first.ended_because.unwrap(), "stopped by ben: enough");
        // What the first left is free again.
        let third = begin(&world, &all(QUICK, 1)).await;
        assert_eq!(third.selected, 1);
        let replayed = world.replay(sagas[2]);
        replayed.await;
        let third = turns_until(&world, third.id, "done").await;
        assert_eq!(counts(&third), [0, 0, 0, 0, 1], "{}", world.label);
        world.until(sagas[2], SagaState::Succeeded).await;
        assert_eq!(
            world.doer.attempted("do b"),
            5,
            "three times in vain, twice well"
        );
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_replay_begins_nothing_until_it_is_resumed() {
    for combination in combinations() {
        let (world, broken) = broken(combination).await;
        parked(&world, 4).await;
        broken.mend();
        let replay = begin(&world, &all(QUICK, 0)).await.id;
        let steer = async |verb| {
            world
                .store
                .steer_replay(replay, verb, "ana", "")
                .await
                .unwrap()
        };
        assert!(steer(ReplayVerb::Pause).await);
        let idle = async || turn(&world).await.is_none();
        world.wait("nothing is due", idle, replay).await;
        assert_eq!(counts(&now(&world, replay).await), [4, 0, 0, 0, 0]);
        assert!(steer(ReplayVerb::Resume).await && !steer(ReplayVerb::Resume).await);
        let done = turns_until(&world, replay, "done").await;
        assert_eq!(counts(&done), [0, 0, 4, 0, 0], "{}", world.label);
        assert!(!steer(ReplayVerb::Stop).await, "it has ended");
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_says_what_would_run_and_does_nothing() {
    for combination in combinations() {
        let (world, _) = broken(combination).await;
        let sagas = parked(&world, 3).await;
        let of_one = LetterFilter {
            saga_id: Some(sagas[0]),
            ..LetterFilter::default()
        };
        let preview = world
            .store
            .preview_replay(&of_one, 100, false)
            .await
            .unwrap();
        assert_eq!(preview.steps, [("deed".to_owned(), 1)], "{}", world.label);
        let preview = world
            .store
            .preview_replay(&LetterFilter::default(), 2, false)
            .await
            .unwrap();
        assert_eq!(preview.steps, [("deed".to_owned(), 2)]);
        assert_eq!((preview.steps_kept, preview.answers_kept), (2, 0));
        assert!(world.store.replays(None, 10).await.unwrap().is_empty());
        for saga in sagas {
            world.open_letter(saga).await;
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_start_each_saga_begins_again_as_a_new_one() {
    for combination in combinations() {
        let (world, broken) = broken(combination).await;
        let sagas = parked(&world, 3).await;
        broken.mend();
        let new = NewReplay {
            from_start: true,
            ..all(QUICK, 1)
        };
        let replay = begin(&world, &new).await;
        let replay = turns_until(&world, replay.id, "done").await;
        assert_eq!(counts(&replay), [0, 0, 3, 0, 0], "{}", world.label);
        let links = world.store.replayed_as(&sagas).await.unwrap();
        let letters = world.store.replayed_letters(replay.id, None, 0, 100).await;
        let new = letters.unwrap().into_iter().map(|letter| letter.saga_id);
        let new: BTreeSet<Uuid> = new.collect();
        assert_eq!(new, links.values().copied().collect(), "{}", world.label);
        for saga in &sagas {
            assert_eq!(world.state(links[saga]).await, SagaState::Succeeded);
            assert_eq!(world.run(links[saga]).await.saga.replay_of, Some(*saga));
            assert_eq!(world.effects(links[saga]).await, ["did a", "did b"]);
            world.until(*saga, SagaState::Undone).await;
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saga_that_began_again_and_died_again_is_counted_so() {
    for combination in combinations() {
        let (world, _broken) = broken(combination).await;
        parked(&world, 2).await;
        let new = NewReplay {
            from_start: true,
            ..all(QUICK, 1)
        };
        let replay = begin(&world, &new).await;
        let replay = turns_until(&world, replay.id, "stopped").await;
        assert_eq!(counts(&replay), [0, 0, 0, 1, 1], "{}", world.label);
        world.end().await;
    }
}
