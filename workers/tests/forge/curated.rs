//! Rounds that wait for curators.

use crate::rounds::{begin, hand_in, ideas, neighbourhood, round, topics};
use crate::support::{World, on_each};
use domain::topics::rounds::{Params, RoundState};
use domain::topics::store::clusters::{self, Change, Decision as Choice};
use saga_core::db::Durability;
use saga_core::review::Decision;
use saga_core::state::SagaState;
use saga_core::store::{ReviewFilter, Verdict};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Waits until curators are asked about a round.
async fn asked(world: &World, round: Uuid) -> Uuid {
    let began = Instant::now();
    loop {
        let filter = ReviewFilter {
            state: Some("pending".to_owned()),
            permissions: vec!["rounds.review".to_owned()],
            limit: 10,
            ..ReviewFilter::default()
        };
        let open = world.client.store().reviews(&filter).await.unwrap();
        if let Some(review) = open.iter().find(|review| review.saga_id == round) {
            assert_eq!(
                (review.subject_kind.as_str(), review.subject_id.as_str()),
                ("topic_round", round.to_string().as_str())
            );
            return review.id;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nobody is asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn decide(world: &World, review: Uuid, decision: Decision) {
    let verdict = Verdict {
        decision,
        by: "curator",
        notes: Some("seen"),
    };
    let mut tx = world.db.begin(Durability::Full).await.unwrap();
    let store = world.client.store();
    let (_, tickets) = store
        .decide_review(&mut tx, review, &verdict)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.client.publish(tickets);
}

fn reviewed() -> Params {
    Params {
        require_review: true,
        ..Params::default()
    }
}

#[tokio::test]
async fn a_cluster_that_a_curator_drops_is_not_published_and_its_ideas_are_live_again() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        world.work();
        let id = begin(world, reviewed()).await;
        let review = asked(world, id).await;
        assert_eq!(round(world, id).await.state, RoundState::InReview);
        let found = clusters::of_round(&world.db, id).await.unwrap();
        let mut tx = world.db.begin(Durability::Full).await.unwrap();
        let drop_it = Change {
            decision: Some(Choice::Drop),
            title_hint: None,
        };
        let rename = Change {
            decision: None,
            title_hint: Some(Some("How do we want to eat?".to_owned())),
        };
        clusters::decide(&mut tx, id, found[0].id, drop_it)
            .await
            .unwrap();
        clusters::decide(&mut tx, id, found[1].id, rename)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        decide(world, review, Decision::Approved).await;
        world.until(id, SagaState::Succeeded).await;

        let named =
            "SELECT count(*) FROM topics WHERE title = 'How do we want to eat?' AND ideas = 9";
        assert_eq!(world.count(named).await, 1);
        assert_eq!(
            world
                .count("SELECT count(*) FROM topics WHERE ideas = 11")
                .await,
            0
        );
        // The fourth takes the place of the first.
        assert_eq!(ideas(world).await, [17, 0, 22]);
    })
    .await;
}

#[tokio::test]
async fn a_round_that_curators_reject_gives_every_idea_back() {
    on_each(async |world| {
        hand_in(world, &neighbourhood()).await;
        world.work();
        let id = begin(world, reviewed()).await;
        let review = asked(world, id).await;
        decide(world, review, Decision::Rejected).await;
        world.until(id, SagaState::Undone).await;

        assert_eq!(ideas(world).await, [39, 0, 0]);
        assert_eq!(topics(world).await, 0);
        assert_eq!(round(world, id).await.state, RoundState::Failed);
    })
    .await;
}
