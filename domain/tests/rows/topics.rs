//! Ideas, rounds and topics, as the steps of a round leave them.

use crate::support::{World, on_each};
use domain::events::{self, Ear, Event};
use domain::topics::POOL;
use domain::topics::rounds::{Params, RoundState, Trigger};
use domain::topics::store::clusters::{self, Change, Cluster, Decided, Decision, NewCluster};
use domain::topics::store::publication::{self, Publication};
use domain::topics::store::rounds::{self, NewRound};
use domain::topics::store::{embeddings, ideas, submissions};
use uuid::Uuid;

async fn idea(world: &World, author: Uuid, text: &str) -> Uuid {
    let id = Uuid::now_v7();
    let mut tx = world.begin().await;
    let new = [(id, text.to_owned())];
    let taken = submissions::hand_in(&mut tx, author, &new, false, "test").await;
    assert!(taken.unwrap());
    tx.commit().await.unwrap();
    id
}

/// So many ideas, each of somebody else.
async fn ideas_of(world: &World, count: usize) -> Vec<Uuid> {
    let mut all = vec![];
    for at in 0..count {
        let author = world
            .account(&format!("{at}-{}@example.org", Uuid::now_v7()))
            .await;
        all.push(idea(world, author.id, &format!("Idea {at}")).await);
    }
    all
}

fn new_round(require_review: bool) -> NewRound {
    NewRound {
        id: Uuid::now_v7(),
        pool: POOL.to_owned(),
        trigger: Trigger::Schedule,
        params: Params {
            require_review,
            ..Params::default()
        },
        started_by: None,
    }
}

async fn claimed(world: &World, require_review: bool) -> Uuid {
    let new = new_round(require_review);
    let id = new.id;
    let mut tx = world.begin().await;
    rounds::begin(&mut tx, new, None).await.unwrap();
    rounds::claim(&mut tx, id, POOL).await.unwrap();
    tx.commit().await.unwrap();
    id
}

fn cluster(label: i64, members: &[Uuid]) -> NewCluster {
    NewCluster {
        id: Uuid::now_v7(),
        label,
        keywords: vec!["word".to_owned()],
        samples: members[..1].to_vec(),
        members: members.to_vec(),
    }
}

async fn save(world: &World, round: Uuid, found: &[NewCluster]) {
    let mut tx = world.begin().await;
    clusters::save(&mut tx, round, 0, found).await.unwrap();
    tx.commit().await.unwrap();
}

fn publication(round: Uuid, cluster: Uuid) -> Publication {
    Publication {
        topic: Uuid::now_v7(),
        saga: round,
        round,
        cluster,
        title: "What would make evenings better?".to_owned(),
        summary: "Evenings".to_owned(),
        opening_post: "Several of you thought about evenings.".to_owned(),
        cover: None,
    }
}

async fn state(world: &World, round: Uuid) -> rounds::Round {
    rounds::find(&world.db, round).await.unwrap().unwrap()
}

/// Where its steps left a round; without a saga that goes on with it, it is told as failed.
async fn noted(world: &World, round: Uuid) -> String {
    let state = world
        .db
        .query("SELECT state FROM topic_rounds WHERE id = $1");
    state.bind(round).scalar().await.unwrap()
}

#[tokio::test]
async fn a_round_takes_up_all_that_is_live_once_and_lets_it_go() {
    on_each(async |world| {
        let all = ideas_of(world, 5).await;
        let round = claimed(world, false).await;
        let mut tx = world.begin().await;
        assert_eq!(
            rounds::claim(&mut tx, Uuid::now_v7(), POOL).await.unwrap(),
            0,
            "no such round"
        );
        let other = new_round(false);
        let id = other.id;
        rounds::begin(&mut tx, other, None).await.unwrap();
        assert_eq!(
            rounds::claim(&mut tx, id, POOL).await.unwrap(),
            0,
            "all are taken"
        );
        drop(tx);
        let held = ideas::claimed(&world.db, round).await.unwrap();
        assert_eq!(held.iter().map(|one| one.id).collect::<Vec<_>>(), all);

        let mut tx = world.begin().await;
        rounds::give_up(&mut tx, round).await.unwrap();
        rounds::give_up(&mut tx, round).await.unwrap();
        rounds::finish(&mut tx, round).await.unwrap();
        assert_eq!(
            rounds::claim(&mut tx, round, POOL).await.unwrap(),
            0,
            "it is over"
        );
        tx.commit().await.unwrap();
        let told = state(world, round).await;
        assert_eq!(told.state, RoundState::Failed);
        assert_eq!((told.counts.claimed, told.counts.released), (5, 5));
        let live = world
            .count("SELECT COUNT(*) FROM submissions WHERE state = 'live'")
            .await;
        assert_eq!(live, 5);
    })
    .await;
}

#[tokio::test]
async fn a_round_without_ideas_or_clusters_is_empty_and_says_why() {
    on_each(async |world| {
        for (count, why) in [(0, "no live submissions"), (2, "no clusters")] {
            ideas_of(world, count).await;
            let round = claimed(world, false).await;
            save(world, round, &[]).await;
            let mut tx = world.begin().await;
            rounds::finish(&mut tx, round).await.unwrap();
            tx.commit().await.unwrap();
            let told = state(world, round).await;
            assert_eq!(
                (told.state, told.note.as_deref()),
                (RoundState::Empty, Some(why))
            );
            assert!(told.finished_at.is_some());
        }
    })
    .await;
}

#[tokio::test]
async fn of_a_cluster_there_is_one_topic_with_its_opening_post() {
    on_each(async |world| {
        let all = ideas_of(world, 5).await;
        let round = claimed(world, false).await;
        let found = [cluster(0, &all[..3]), cluster(1, &all[3..])];
        save(world, round, &found).await;
        save(world, round, &found).await; // a repeated step finds its own
        assert_eq!(noted(world, round).await, "drafting");
        for again in [false, true] {
            let mut tx = world.begin().await;
            let new = publication(round, found[0].id);
            assert_eq!(publication::publish(&mut tx, new).await.unwrap(), !again);
            tx.commit().await.unwrap();
        }
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM topics WHERE ideas = 3")
                .await,
            1
        );
        assert_eq!(
            world
                .count("SELECT COUNT(*) FROM posts WHERE author_id IS NULL")
                .await,
            1
        );
        let made = "SELECT COUNT(*) FROM artefacts a JOIN topics t ON t.artefact_id = a.id WHERE a.state = 'published'";
        assert_eq!(world.count(made).await, 1);
        assert_eq!(world.count("SELECT COUNT(*) FROM artefacts").await, 1);
        let mut tx = world.begin().await;
        clusters::remove(&mut tx, round).await.unwrap();
        rounds::finish(&mut tx, round).await.unwrap();
        tx.commit().await.unwrap();
        let told = state(world, round).await;
        assert_eq!(told.state, RoundState::Finished);
        assert_eq!((told.counts.published, told.counts.released), (1, 2));
        assert_eq!(clusters::of_round(&world.db, round).await.unwrap().len(), 1);
        let used = ideas::of_cluster(&world.db, found[0].id).await.unwrap();
        assert_eq!(used.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_decision_that_comes_in_between_has_the_choice_made_anew() {
    on_each(async |world| {
        let all = ideas_of(world, 8).await;
        let round = claimed(world, true).await;
        let found = [
            cluster(0, &all[..3]),
            cluster(1, &all[3..5]),
            cluster(2, &all[5..]),
        ];
        save(world, round, &found).await;
        assert_eq!(noted(world, round).await, "in_review");
        let read = async || -> Vec<Cluster> {
            let all = clusters::of_round(&world.db, round).await.unwrap();
            clusters::kept(all, 2)
        };
        let labels = |kept: &[Cluster]| kept.iter().map(|one| one.label).collect::<Vec<_>>();
        let before = read().await;
        assert_eq!(labels(&before), [0, 1]);
        let decide = async |id: Uuid, decision: Decision| {
            let mut tx = world.begin().await;
            let change = Change {
                decision: Some(decision),
                title_hint: None,
            };
            let decided = clusters::decide(&mut tx, round, id, change).await.unwrap();
            tx.commit().await.unwrap();
            decided
        };
        assert!(matches!(
            decide(found[0].id, Decision::Drop).await,
            Decided::Done(_)
        ));
        assert!(matches!(
            decide(found[2].id, Decision::Keep).await,
            Decided::Done(_)
        ));
        assert_eq!(
            decide(Uuid::now_v7(), Decision::Keep).await,
            Decided::NotThere
        );
        let mut tx = world.begin().await;
        assert!(!clusters::choose(&mut tx, round, &before, 2).await.unwrap());
        drop(tx);
        let after = read().await;
        assert_eq!(labels(&after), [1, 2]);
        let mut tx = world.begin().await;
        assert!(clusters::choose(&mut tx, round, &after, 2).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(
            decide(found[1].id, Decision::Drop).await,
            Decided::NotInReview
        );
    })
    .await;
}

#[tokio::test]
async fn events_are_numbered_in_the_order_in_which_they_come_true() {
    on_each(async |world| {
        let first = world.account("ana@example.org").await;
        let second = world.account("ben@example.org").await;
        // One begins first and is true last: the other waits for its turn, and nobody finds a gap.
        let mut writers = vec![];
        for account in [&first, &second] {
            for at in 0..10 {
                let text = format!("Idea {at}");
                let (db, author) = (world.db.clone(), account.id);
                writers.push(async move {
                    let mut tx = db.begin(saga_core::db::Durability::Full).await.unwrap();
                    let new = [(Uuid::now_v7(), text)];
                    submissions::hand_in(&mut tx, author, &new, true, "test")
                        .await
                        .unwrap();
                    tx.commit().await.unwrap();
                });
            }
        }
        futures_util::future::join_all(writers).await;
        let ear = |owner| Ear {
            owner: Some(owner),
            reader: true,
            curator: true,
        };
        let last = events::last(&world.db).await.unwrap();
        assert_eq!(last, 20);
        let of = async |account: Uuid| -> Vec<Event> {
            events::heard(&world.db, ear(account), 0, last, 100)
                .await
                .unwrap()
        };
        let (mine, theirs) = (of(first.id).await, of(second.id).await);
        assert_eq!((mine.len(), theirs.len()), (10, 10));
        let mut ids: Vec<i64> = mine.iter().chain(&theirs).map(|event| event.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=20).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_vector_is_kept_as_it_was_and_once() {
    on_each(async |world| {
        let texts = [embeddings::hash("a"), embeddings::hash("b")];
        let vector = vec![0.25_f32, -1.5, f32::MIN_POSITIVE];
        for again in [vector.clone(), vec![1.0]] {
            let mut tx = world.begin().await;
            let new = [(texts[0], again)];
            embeddings::keep(&mut tx, "model", &new).await.unwrap();
            tx.commit().await.unwrap();
        }
        let found = embeddings::find(&world.db, "model", &texts).await.unwrap();
        assert_eq!(found, [Some(vector), None]);
        let other = embeddings::find(&world.db, "other", &texts).await.unwrap();
        assert_eq!(other, [None, None]);
    })
    .await;
}
