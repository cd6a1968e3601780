//! Forges that an owner asks for, and what an owner is told.

use crate::support::{World, on_each};
use domain::accounts::erasure;
use domain::accounts::store::Account;
use domain::mirror::archetype::{Archetype, Mode};
use domain::mirror::standing::{Latest, PersonaStatus, Standing, standing};
use domain::mirror::store::forges::{ForgeAgain, ForgeError, forge_again};
use domain::mirror::store::mine::mine;
use domain::mirror::store::surveys::Survey;
use saga_core::state::SagaState;
use saga_core::store::Cancel;
use uuid::Uuid;

fn wish(owner: &Account, survey: Option<&Survey>) -> ForgeAgain {
    ForgeAgain {
        saga: Uuid::now_v7(),
        owner: owner.id,
        survey: survey.map(|survey| survey.id),
        mode: Mode::Alchemic,
        archetype: Some(Archetype::Mystic),
        request_id: "test".to_owned(),
    }
}

async fn forge(world: &World, wish: ForgeAgain) -> Result<Uuid, ForgeError> {
    let mut tx = world.begin().await;
    let (started, tickets) = forge_again(&mut tx, &world.client, wish).await?;
    tx.commit().await.unwrap();
    assert!(started.new && tickets.len() == 1);
    Ok(started.id)
}

/// As if every forge had been cancelled before a worker took it.
async fn cancel(world: &World, saga: Uuid) {
    let cancel = Cancel {
        by: "test",
        actor: "test",
        reason: "",
    };
    world.client.store().cancel(saga, &cancel).await.unwrap();
}

#[tokio::test]
async fn another_forge_needs_answers_and_no_other_forge() {
    on_each(async |world| {
        let owner = world.account("robin@example.org").await;
        let refused = forge(world, wish(&owner, None)).await.unwrap_err();
        assert!(
            matches!(
                refused,
                ForgeError::Insufficient {
                    responses: 0,
                    min_responses: 3
                }
            ),
            "{refused:?}"
        );

        let survey = world.survey(&owner).await;
        for responder in 1..=2 {
            world.submit(survey.id, responder).await.unwrap();
        }
        let refused = forge(world, wish(&owner, Some(&survey))).await.unwrap_err();
        assert!(
            matches!(
                refused,
                ForgeError::Insufficient {
                    responses: 2,
                    min_responses: 3
                }
            ),
            "{refused:?}"
        );

        let first = world.submit(survey.id, 3).await.unwrap().forge.unwrap();
        let refused = forge(world, wish(&owner, None)).await.unwrap_err();
        assert!(
            matches!(refused, ForgeError::Running { saga } if saga == first),
            "{refused:?}"
        );

        cancel(world, first).await;
        let second = forge(world, wish(&owner, None)).await.unwrap();
        assert_eq!(
            mine(&world.db, owner.id).await.unwrap().unwrap().saga,
            Some(second)
        );
    })
    .await;
}

#[tokio::test]
async fn of_many_wishes_at_once_one_is_granted() {
    on_each(async |world| {
        let owner = world.account("robin@example.org").await;
        let survey = world.survey(&owner).await;
        for responder in 1..=3 {
            if let Some(saga) = world.submit(survey.id, responder).await.unwrap().forge {
                cancel(world, saga).await;
            }
        }
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (db, client, wish) = (world.db.clone(), world.client.clone(), wish(&owner, None));
            tasks.spawn(async move {
                let mut tx = db.begin(saga_core::db::Durability::Full).await.unwrap();
                let told = forge_again(&mut tx, &client, wish).await;
                if told.is_ok() {
                    tx.commit().await.unwrap();
                }
                told.map(drop)
            });
        }
        let told = tasks.join_all().await;
        assert_eq!(
            told.iter().filter(|told| told.is_ok()).count(),
            1,
            "{told:?}"
        );
        let running = |told: &Result<(), ForgeError>| {
            matches!(told, Ok(()) | Err(ForgeError::Running { .. }))
        };
        assert!(told.iter().all(running), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn another_owners_survey_is_not_there() {
    on_each(async |world| {
        let (robin, kim) = (
            world.account("robin@example.org").await,
            world.account("kim@example.org").await,
        );
        let survey = world.survey(&robin).await;
        for responder in 1..=3 {
            world.submit(survey.id, responder).await.unwrap();
        }
        let refused = forge(world, wish(&kim, Some(&survey))).await.unwrap_err();
        assert!(matches!(refused, ForgeError::NotFound), "{refused:?}");

        world
            .force(
                "UPDATE surveys SET status = 'archived' WHERE id = $1",
                survey.id,
            )
            .await;
        let refused = forge(world, wish(&robin, Some(&survey))).await.unwrap_err();
        assert!(matches!(refused, ForgeError::Closed), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn an_owner_is_told_how_many_have_answered_and_that_it_is_queued() {
    on_each(async |world| {
        let owner = world.account("robin@example.org").await;
        assert_eq!(mine(&world.db, Uuid::now_v7()).await.unwrap(), None);
        let nothing = mine(&world.db, owner.id).await.unwrap().unwrap();
        assert_eq!(
            (nothing.standing.status, nothing.survey, nothing.responses),
            (PersonaStatus::Pending, None, 0)
        );

        let survey = world.survey(&owner).await;
        for responder in 1..=2 {
            world.submit(survey.id, responder).await.unwrap();
        }
        let waiting = mine(&world.db, owner.id).await.unwrap().unwrap();
        assert_eq!(waiting.standing.status, PersonaStatus::Pending);
        assert_eq!(
            (waiting.responses, waiting.min_responses, waiting.survey),
            (2, 3, Some(survey.id))
        );

        let saga = world.submit(survey.id, 3).await.unwrap().forge.unwrap();
        let queued = mine(&world.db, owner.id).await.unwrap().unwrap();
        assert_eq!(
            (queued.standing.status, queued.saga, queued.responses),
            (PersonaStatus::Queued, Some(saga), 3)
        );

        cancel(world, saga).await;
        let canceled = mine(&world.db, owner.id).await.unwrap().unwrap();
        assert_eq!(
            canceled.standing,
            Standing {
                status: PersonaStatus::Pending,
                retryable: false
            }
        );
    })
    .await;
}

#[test]
fn what_an_owner_is_told_follows_from_the_latest_forge() {
    use PersonaStatus::{Failed, GeneratingImage, Pending, Queued, Ready, Synthesizing};
    let latest = |state, canceled, draft| {
        Some(Latest {
            state,
            canceled,
            draft,
        })
    };
    let told = |latest, has| {
        let Standing { status, retryable } = standing(latest, has);
        (status, retryable)
    };
    for (has, rest) in [(false, Pending), (true, Ready)] {
        assert_eq!(told(None, has), (rest, false));
        assert_eq!(
            told(latest(SagaState::Queued, false, None), has),
            (Queued, false)
        );
        assert_eq!(
            told(latest(SagaState::Running, false, None), has),
            (Synthesizing, false)
        );
        assert_eq!(
            told(
                latest(SagaState::Running, false, Some(GeneratingImage)),
                has
            ),
            (GeneratingImage, false)
        );
        assert_eq!(
            told(latest(SagaState::Parked, false, Some(Synthesizing)), has),
            (Failed, true)
        );
        assert_eq!(
            told(latest(SagaState::Undoing, false, None), has),
            (Failed, false)
        );
        assert_eq!(
            told(latest(SagaState::Stuck, false, None), has),
            (Failed, false)
        );
        assert_eq!(
            told(latest(SagaState::Undone, false, None), has),
            (Failed, true)
        );
        assert_eq!(
            told(latest(SagaState::Undone, true, None), has),
            (rest, false)
        );
        assert_eq!(
            told(latest(SagaState::Undoing, true, None), has),
            (rest, false)
        );
    }
    assert_eq!(
        told(latest(SagaState::Succeeded, false, None), true),
        (Ready, false)
    );
}

#[tokio::test]
async fn who_is_about_to_go_gets_no_other_forge() {
    on_each(async |world| {
        let owner = world.account("robin@example.org").await;
        let survey = world.survey(&owner).await;
        for responder in 1..=2 {
            world.submit(survey.id, responder).await.unwrap();
        }
        let first = world.submit(survey.id, 3).await.unwrap().forge;
        cancel(world, first.unwrap()).await;
        let mut tx = world.begin().await;
        erasure::asked(&mut tx, Uuid::now_v7(), owner.id)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let refused = forge(world, wish(&owner, None)).await.unwrap_err();
        assert!(matches!(refused, ForgeError::Leaving), "{refused:?}");
        assert_eq!(world.count("SELECT count(*) FROM sagas").await, 1);
    })
    .await;
}
