//! Friends' answers.

use crate::support::{World, answers, on_each, submission};
use domain::accounts::erasure;
use domain::mirror::store::responses::{SubmitError, submit_response, up_to};
use domain::mirror::store::surveys::{Survey, SurveyStatus, close};
use uuid::Uuid;

async fn fresh(world: &World) -> Survey {
    let owner = world.account("robin@example.org").await;
    world.survey(&owner).await
}

#[tokio::test]
async fn the_answer_that_makes_enough_starts_the_forge_and_no_other_does() {
    on_each(async |world| {
        let survey = fresh(world).await;
        let mut forges = vec![];
        for responder in 1..=5 {
            let submitted = world.submit(survey.id, responder).await.unwrap();
            assert_eq!(submitted.forge.is_some(), !submitted.tickets.is_empty());
            forges.push(submitted.forge.is_some());
        }

        assert_eq!(forges, [false, false, true, false, false]);
        let survey = world.again(&survey).await;
        assert_eq!(
            (survey.status, survey.response_count),
            (SurveyStatus::Ready, 5)
        );
        assert_eq!(world.count("SELECT count(*) FROM sagas").await, 1);
        assert_eq!(world.count("SELECT count(*) FROM forges").await, 1);
    })
    .await;
}

#[tokio::test]
async fn of_ten_third_answers_at_once_one_starts_the_forge() {
    on_each(async |world| {
        let survey = fresh(world).await;
        for responder in 1..=2 {
            world.submit(survey.id, responder).await.unwrap();
        }
        let mut tasks = tokio::task::JoinSet::new();
        for responder in 3..=12 {
            let (db, client, survey) = (world.db.clone(), world.client.clone(), survey.id);
            tasks.spawn(async move {
                let mut tx = db.begin(saga_core::db::Durability::Full).await.unwrap();
                let submitted = submit_response(&mut tx, &client, submission(survey, responder))
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
                submitted.forge
            });
        }
        let forges: Vec<Uuid> = tasks.join_all().await.into_iter().flatten().collect();

        assert_eq!(forges.len(), 1);
        assert_eq!(world.again(&survey).await.response_count, 12);
        assert_eq!(world.count("SELECT count(*) FROM sagas").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_responder_answers_once() {
    on_each(async |world| {
        let survey = fresh(world).await;
        world.submit(survey.id, 1).await.unwrap();

        let refused = world.submit(survey.id, 1).await.unwrap_err();
        assert!(matches!(refused, SubmitError::Duplicate), "{refused:?}");
        assert_eq!(
            world.again(&survey).await.response_count,
            1,
            "nothing is counted"
        );
        // Another survey is another matter.
        let other = fresh(world).await;
        world.submit(other.id, 1).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_survey_that_is_closed_over_or_not_there_takes_nothing() {
    on_each(async |world| {
        let refused = world.submit(Uuid::now_v7(), 1).await.unwrap_err();
        assert!(matches!(refused, SubmitError::NotFound), "{refused:?}");

        let closed = fresh(world).await;
        let mut tx = world.begin().await;
        close(&mut tx, closed.owner_id, closed.id).await.unwrap();
        tx.commit().await.unwrap();
        let refused = world.submit(closed.id, 1).await.unwrap_err();
        assert!(matches!(refused, SubmitError::Closed), "{refused:?}");

        let over = fresh(world).await;
        world
            .force(
                "UPDATE surveys SET expires_at = created_at WHERE id = $1",
                over.id,
            )
            .await;
        let refused = world.submit(over.id, 1).await.unwrap_err();
        assert!(matches!(refused, SubmitError::Expired), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn the_first_answers_stay_the_first() {
    on_each(async |world| {
        let survey = fresh(world).await;
        for responder in 1..=4 {
            world.submit(survey.id, responder).await.unwrap();
        }
        let first = up_to(&world.db, survey.id, 3).await.unwrap();
        assert_eq!(first, [2, 3, 4].map(answers));
        assert_eq!(up_to(&world.db, survey.id, 4).await.unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_second_survey_waits_while_the_first_is_forged() {
    on_each(async |world| {
        let (first, second) = (fresh(world).await, fresh(world).await);
        for responder in 1..=3 {
            world.submit(first.id, responder).await.unwrap();
        }
        for responder in 1..=3 {
            assert_eq!(
                world.submit(second.id, responder).await.unwrap().forge,
                None
            );
        }
        assert_eq!(
            world.again(&second).await.status,
            SurveyStatus::Ready,
            "it can be forged later"
        );
        assert_eq!(world.count("SELECT count(*) FROM sagas").await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_about_to_go_gets_no_forge_from_a_friend() {
    on_each(async |world| {
        let survey = fresh(world).await;
        for responder in 1..=2 {
            world.submit(survey.id, responder).await.unwrap();
        }
        // The third answer comes while the erasure is being asked for: whichever is first, the other knows of it.
        let mut asking = world.begin().await;
        let owner = survey.owner_id;
        erasure::asked(&mut asking, Uuid::now_v7(), owner)
            .await
            .unwrap();
        let (db, client, id) = (world.db.clone(), world.client.clone(), survey.id);
        let third = tokio::spawn(async move {
            let mut tx = db.begin(saga_core::db::Durability::Full).await.unwrap();
            let submitted = submit_response(&mut tx, &client, submission(id, 3)).await?;
            tx.commit().await.unwrap();
            Ok::<_, SubmitError>(submitted)
        });
        asking.commit().await.unwrap();
        let refused = third.await.unwrap().unwrap_err();
        assert!(matches!(refused, SubmitError::Closed), "{refused:?}");
        assert_eq!(world.count("SELECT count(*) FROM sagas").await, 0);

        let mut staying = world.begin().await;
        erasure::reopened(&mut staying, owner).await.unwrap();
        staying.commit().await.unwrap();
        let taken = world.submit(survey.id, 4).await.unwrap();
        assert!(taken.forge.is_some(), "it stays after all");
    })
    .await;
}

#[tokio::test]
async fn an_erasure_that_comes_second_finds_the_forge() {
    on_each(async |world| {
        let survey = fresh(world).await;
        for responder in 1..=2 {
            world.submit(survey.id, responder).await.unwrap();
        }
        let mut answering = world.begin().await;
        let third = submission(survey.id, 3);
        let submitted = submit_response(&mut answering, &world.client, third).await;
        let forge = submitted.unwrap().forge.unwrap();
        let (db, store, owner) = (
            world.db.clone(),
            world.client.store().clone(),
            survey.owner_id,
        );
        let live = tokio::spawn(async move {
            let erase = Uuid::now_v7();
            let mut tx = db.begin(saga_core::db::Durability::Full).await.unwrap();
            erasure::asked(&mut tx, erase, owner).await.unwrap();
            tx.commit().await.unwrap();
            store.live_of(owner, erase).await.unwrap()
        });
        answering.commit().await.unwrap();
        assert_eq!(live.await.unwrap(), [forge]);
    })
    .await;
}
