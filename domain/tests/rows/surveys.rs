//! Surveys.

use crate::support::{new_survey, on_each};
use domain::mirror::store::surveys::{
    NewSurvey, SurveyStatus, close, create, find_shared, list, lock, slug,
};
use uuid::Uuid;

#[tokio::test]
async fn a_friend_finds_a_survey_by_its_slug_or_its_id() {
    on_each(async |world| {
        let owner = world.account("robin@example.org").await;
        let survey = world.survey(&owner).await;

        for name in [survey.slug.clone(), survey.id.to_string()] {
            let shared = find_shared(&world.db, &name).await.unwrap().unwrap();
            assert_eq!(
                (shared.survey, shared.owner_name),
                (survey.clone(), "Robin".to_owned())
            );
        }
        assert_eq!(find_shared(&world.db, "aaaaaaaaaa").await.unwrap(), None);
        assert_eq!(survey.status, SurveyStatus::Collecting);
        assert_eq!((survey.expires_at - survey.created_at).num_days(), 30);
    })
    .await;
}

#[tokio::test]
async fn an_owner_pages_through_their_own_surveys_newest_first() {
    on_each(async |world| {
        let (robin, kim) = (
            world.account("robin@example.org").await,
            world.account("kim@example.org").await,
        );
        let mut mine = vec![];
        for _ in 0..3 {
            mine.insert(0, world.survey(&robin).await.id);
            world.survey(&kim).await;
        }

        let first: Vec<Uuid> = list(&world.db, robin.id, None, 2)
            .await
            .unwrap()
            .iter()
            .map(|one| one.id)
            .collect();
        let rest: Vec<Uuid> = list(&world.db, robin.id, Some(first[1]), 2)
            .await
            .unwrap()
            .iter()
            .map(|one| one.id)
            .collect();
        assert_eq!([first, rest].concat(), mine);
    })
    .await;
}

#[tokio::test]
async fn only_its_owner_closes_a_survey() {
    on_each(async |world| {
        let (robin, kim) = (
            world.account("robin@example.org").await,
            world.account("kim@example.org").await,
        );
        let survey = world.survey(&robin).await;
        let mut tx = world.begin().await;

        assert_eq!(close(&mut tx, kim.id, survey.id).await.unwrap(), None);
        for _ in 0..2 {
            let closed = close(&mut tx, robin.id, survey.id).await.unwrap().unwrap();
            assert_eq!(closed.status, SurveyStatus::Archived);
        }
        assert_eq!(
            lock(&mut tx, survey.id).await.unwrap().unwrap().status,
            SurveyStatus::Archived
        );
        assert_eq!(lock(&mut tx, Uuid::now_v7()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_impossible_survey_is_not_taken() {
    on_each(async |world| {
        let owner = world.account("robin@example.org").await;
        let taken = world.survey(&owner).await.slug;
        let wrong: [fn(&mut NewSurvey, &str); 6] = [
            |new, _| new.min_responses = 2,
            |new, _| new.min_responses = 51,
            |new, _| new.title = Some("x".repeat(121)),
            |new, _| new.slug = "short".to_owned(),
            |new, taken| taken.clone_into(&mut new.slug),
            |new, _| new.owner_id = Uuid::now_v7(),
        ];
        for (at, spoil) in wrong.iter().enumerate() {
            let mut new = new_survey(&owner);
            spoil(&mut new, &taken);
            let mut tx = world.begin().await;
            assert!(create(&mut tx, new).await.is_err(), "{at}");
        }
    })
    .await;
}

#[test]
fn slugs_are_ten_plain_characters_and_use_them_all() {
    let all: std::collections::BTreeSet<char> = (0..=255)
        .flat_map(|byte| slug([byte; 10]).chars().collect::<Vec<_>>())
        .collect();
    assert_eq!(all.len(), 32);
    assert!(all.iter().all(char::is_ascii_alphanumeric));
    assert_eq!(slug([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), "abcdefghjk");
}
