//! A round from its ideas to its topics, and every way in which it ends early: no idea stays claimed.

use crate::models::{Turn, refusal};
use crate::support::{World, on_each};
use domain::accounts::store as accounts;
use domain::topics::POOL;
use domain::topics::rounds::{Params, RoundState, Trigger};
use domain::topics::sample::{NEIGHBOURHOOD, read};
use domain::topics::store::rounds::{self, NewRound, Round};
use domain::topics::store::submissions;
use saga_core::db::Durability;
use saga_core::state::SagaState;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Hands in ideas, each by a person of its own.
pub(crate) async fn hand_in(world: &World, ideas: &[&str]) {
    let mut tx = world.db.begin(Durability::Full).await.unwrap();
    for (at, idea) in ideas.iter().enumerate() {
        let email = format!("member{at}@example.org");
        let author = accounts::find_or_create(&mut tx, Uuid::now_v7(), &email, "Member").await;
        let idea = [(Uuid::now_v7(), (*idea).to_owned())];
        let author = author.unwrap().id;
        let taken = submissions::hand_in(&mut tx, author, &idea, false, "test").await;
        assert!(taken.unwrap());
    }
    tx.commit().await.unwrap();
}

pub(crate) fn neighbourhood() -> Vec<&'static str> {
    read(NEIGHBOURHOOD)
        .into_iter()
        .map(|(_, idea)| idea)
        .collect()
}

pub(crate) async fn begin(world: &World, params: Params) -> Uuid {
    let new = NewRound {
        id: Uuid::now_v7(),
        pool: POOL.to_owned(),
        trigger: Trigger::Api,
        params,
        started_by: None,
    };
    let mut tx = world.db.begin(Durability::Full).await.unwrap();
    let (started, tickets) = rounds::start(&mut tx, &world.client, new, "test")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.client.publish(tickets);
    started.id
}

pub(crate) async fn round(world: &World, id: Uuid) -> Round {
    rounds::find(&world.db, id).await.unwrap().unwrap()
}

/// How many ideas are live, claimed and archived.
pub(crate) async fn ideas(world: &World) -> [i64; 3] {
    [
        world
            .count("SELECT count(*) FROM submissions WHERE state = 'live'")
            .await,
        world
            .count("SELECT count(*) FROM submissions WHERE state = 'claimed'")
            .await,
        world
            .count("SELECT count(*) FROM submissions WHERE state = 'archived'")
            .await,
    ]
}

pub(crate) async fn topics(world: &World) -> i64 {
    world.count("SELECT count(*) FROM topics").await
}

/// Every topic has its opening post, and nobody's.
async fn openings(world: &World) -> i64 {
    let posts =
        "SELECT count(*) FROM posts p JOIN topics t ON t.id = p.topic_id WHERE p.author_id IS NULL";
    world.count(posts).await
}

#[tokio::test]
async fn thirty_nine_ideas_become_the_three_largest_themes() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        world.work();
        let id = begin(world, Params::default()).await;
        world.until(id, SagaState::Succeeded).await;

        assert_eq!(ideas(world).await, [11, 0, 28]);
        assert_eq!((topics(world).await, openings(world).await), (3, 3));
        for size in [11_i64, 9, 8] {
            let of_size: i64 = world
                .db
                .query("SELECT count(*) FROM topics WHERE ideas = $1")
                .bind(size)
                .scalar()
                .await
                .unwrap();
            assert_eq!(of_size, 1, "one topic of {size} ideas");
        }
        let counts = round(world, id).await.counts;
        assert_eq!(
            (counts.claimed, counts.published, counts.released),
            (39, 3, 11)
        );
        let covers = "SELECT count(*) FROM topics t JOIN media m ON m.id = t.cover_media_id";
        assert_eq!(world.count(covers).await, 3);
        assert_eq!(world.files().len(), 9);
    })
    .await;
}

#[tokio::test]
async fn a_round_done_twice_at_every_step_is_as_if_done_once() {
    on_each(async |world| {
        world.mischief.twice();
        hand_in(world, &neighbourhood()).await;
        world.work();
        let id = begin(world, Params::default()).await;
        world.until(id, SagaState::Succeeded).await;

        assert_eq!(ideas(world).await, [11, 0, 28]);
        assert_eq!((topics(world).await, openings(world).await), (3, 3));
        let told = "SELECT count(*) FROM domain_events WHERE name = 'topic.published'";
        assert_eq!(world.count(told).await, 3);
    })
    .await;
}

#[tokio::test]
async fn no_ideas_and_no_groups_make_an_empty_round() {
    on_each(async |world| {
        world.work();
        let id = begin(world, Params::default()).await;
        world.until(id, SagaState::Succeeded).await;
        let none = round(world, id).await;
        assert_eq!(none.state, RoundState::Empty);
        assert_eq!(none.note.as_deref(), Some("no live submissions"));

        hand_in(
            world,
            &["Repair my bike", "More bike lanes", "The frogs are gone"],
        )
        .await;
        let id = begin(world, Params::default()).await;
        world.until(id, SagaState::Succeeded).await;
        let few = round(world, id).await;
        assert_eq!(few.state, RoundState::Empty);
        assert_eq!(few.note.as_deref(), Some("no clusters"));
        assert_eq!(ideas(world).await, [3, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_cluster_without_words_gives_its_ideas_back_and_the_others_are_published() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        world.pen.script([Turn::Fails(refusal())]);
        world.work();
        let id = begin(world, Params::default()).await;
        world.until(id, SagaState::Succeeded).await;

        assert_eq!((topics(world).await, openings(world).await), (2, 2));
        let [live, claimed, archived] = ideas(world).await;
        assert_eq!((live + archived, claimed), (39, 0));
        assert!([28 - 11, 28 - 9, 28 - 8].contains(&archived), "{archived}");
        assert_eq!(round(world, id).await.state, RoundState::Finished);
    })
    .await;
}

#[tokio::test]
async fn topics_without_covers_are_published() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        world.brush.refuse(true);
        world.work();
        let id = begin(world, Params::default()).await;
        world.until(id, SagaState::Succeeded).await;

        assert_eq!(topics(world).await, 3);
        assert_eq!(world.files().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_failure_before_the_topics_gives_every_idea_back() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        for (at, step) in ["topic.claim", "topic.embed", "topic.cluster"]
            .into_iter()
            .enumerate()
        {
            world.mischief.break_step(step);
            if at == 0 {
                world.work();
            }
            let id = begin(world, Params::default()).await;
            world.until(id, SagaState::Undone).await;

            assert_eq!(ideas(world).await, [39, 0, 0], "{step}");
            assert_eq!(
                world.count("SELECT count(*) FROM topic_clusters").await,
                0,
                "{step}"
            );
            assert_eq!(round(world, id).await.state, RoundState::Failed, "{step}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_round_that_is_cancelled_while_it_drafts_gives_every_idea_back() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        let gate = world.brush.gate();
        world.work();
        let id = begin(world, Params::default()).await;
        let began = Instant::now();
        while world.brush.calls.load(Ordering::SeqCst) == 0 {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "no cover is begun"
            );
            tokio::task::yield_now().await;
        }
        world.cancel(id).await;
        gate.add_permits(3);
        world.until(id, SagaState::Undone).await;

        assert_eq!(ideas(world).await, [39, 0, 0]);
        assert_eq!(topics(world).await, 0);
        assert_eq!(world.files(), Vec::<String>::new());
        assert_eq!(round(world, id).await.state, RoundState::Cancelled);
    })
    .await;
}

#[tokio::test]
async fn two_starts_at_once_are_one_round() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        let (one, other) = tokio::join!(
            begin(world, Params::default()),
            begin(world, Params::default())
        );
        assert_eq!(one, other);
        world.work();
        world.until(one, SagaState::Succeeded).await;
        assert_eq!(topics(world).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_models_vectors_are_bought_once_and_in_batches() {
    on_each(async |world| {
        // More than one batch, and one text twice.
        let more: Vec<String> = (0..40)
            .map(|at| format!("Something else, number {at}"))
            .collect();
        let ideas: Vec<&str> = neighbourhood()
            .into_iter()
            .chain(more.iter().map(String::as_str))
            .chain([more[0].as_str()])
            .collect();
        hand_in(world, &ideas).await;
        let ruler = world.measure();
        world.work();
        let first = begin(
            world,
            Params {
                max_topics: 1,
                ..Params::default()
            },
        )
        .await;
        world.until(first, SagaState::Succeeded).await;
        assert_eq!(ruler.batches(), [64, 15]);
        assert_eq!(topics(world).await, 1);

        let second = begin(
            world,
            Params {
                max_topics: 1,
                ..Params::default()
            },
        )
        .await;
        world.until(second, SagaState::Succeeded).await;
        assert_eq!(
            ruler.batches(),
            [64, 15],
            "what is known is not asked again"
        );
        assert_eq!(topics(world).await, 2);
    })
    .await;
}
