//! Commands that are sent twice.

use crate::support::{World, on_each};
use domain::accounts::idempotency::{Claim, CommandKey, Kept, claim, forget_old, keep};

fn command(scope: &str) -> CommandKey {
    CommandKey {
        scope: scope.to_owned(),
        key: "8e03978e".to_owned(),
    }
}

async fn done(world: &World, command: &CommandKey) -> Kept {
    let kept = Kept {
        status: 202,
        response: r#"{"id":1}"#.to_owned(),
    };
    let mut tx = world.begin().await;
    assert_eq!(
        claim(&mut tx, command, ("body", "sha")).await.unwrap(),
        Claim::Fresh
    );
    keep(&mut tx, command, &kept).await.unwrap();
    tx.commit().await.unwrap();
    kept
}

#[tokio::test]
async fn a_repeated_command_is_told_its_first_answer() {
    on_each(async |world| {
        let kept = done(world, &command("robin POST /surveys")).await;
        let mut tx = world.begin().await;

        assert_eq!(
            claim(&mut tx, &command("robin POST /surveys"), ("body", "sha"))
                .await
                .unwrap(),
            Claim::Done(kept)
        );
        assert_eq!(
            claim(
                &mut tx,
                &command("robin POST /surveys"),
                ("other", "sha of it")
            )
            .await
            .unwrap(),
            Claim::Reused
        );
        assert_eq!(
            claim(&mut tx, &command("kim POST /surveys"), ("body", "sha"))
                .await
                .unwrap(),
            Claim::Fresh
        );
    })
    .await;
}

#[tokio::test]
async fn a_command_that_was_rolled_back_leaves_its_key_free() {
    on_each(async |world| {
        let mut tx = world.begin().await;
        assert_eq!(
            claim(&mut tx, &command("a"), ("body", "sha"))
                .await
                .unwrap(),
            Claim::Fresh
        );
        drop(tx);

        let mut tx = world.begin().await;
        assert_eq!(
            claim(&mut tx, &command("a"), ("body", "sha"))
                .await
                .unwrap(),
            Claim::Fresh
        );
    })
    .await;
}

#[tokio::test]
async fn of_two_at_once_the_second_waits_for_the_answer_of_the_first() {
    on_each(async |world| {
        let told = futures(world).await;
        assert_eq!(
            told.iter().filter(|told| **told == Claim::Fresh).count(),
            1,
            "{told:?}"
        );
        assert!(
            told.iter()
                .all(|told| matches!(told, Claim::Fresh | Claim::Done(_))),
            "{told:?}"
        );
    })
    .await;
}

async fn futures(world: &World) -> Vec<Claim> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let db = world.db.clone();
        tasks.spawn(async move {
            let mut tx = db.begin(saga_core::db::Durability::Full).await.unwrap();
            let told = claim(&mut tx, &command("a"), ("body", "sha"))
                .await
                .unwrap();
            if told == Claim::Fresh {
                tokio::task::yield_now().await;
                keep(
                    &mut tx,
                    &command("a"),
                    &Kept {
                        status: 201,
                        response: "{}".to_owned(),
                    },
                )
                .await
                .unwrap();
            }
            tx.commit().await.unwrap();
            told
        });
    }
    tasks.join_all().await
}

#[tokio::test]
async fn after_a_day_a_key_means_nothing() {
    on_each(async |world| {
        done(world, &command("a")).await;
        done(world, &command("b")).await;
        done(world, &command("c")).await;
        let old = saga_core::db::Sql {
            postgres: "UPDATE idempotency_keys SET created_at = created_at - INTERVAL '25 hours'",
            sqlite: "UPDATE idempotency_keys SET created_at = strftime('%Y-%m-%dT%H:%M:%f+00:00', created_at, '-25 hours')",
        };
        world.db.query(old).execute().await.unwrap();

        let mut tx = world.begin().await;
        assert_eq!(claim(&mut tx, &command("a"), ("other", "sha of it")).await.unwrap(), Claim::Fresh);
        assert_eq!(forget_old(&mut tx, 1).await.unwrap(), 1);
        assert_eq!(forget_old(&mut tx, 100).await.unwrap(), 1);
        assert_eq!(forget_old(&mut tx, 100).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_command_that_an_older_build_took_is_known_by_the_hash_of_then() {
    on_each(async |world| {
        let kept = Kept {
            status: 202,
            response: r#"{"id":1}"#.to_owned(),
        };
        let mut tx = world.begin().await;
        let older = ("sha", "sha");
        let fresh = claim(&mut tx, &command("a"), older).await.unwrap();
        assert_eq!(fresh, Claim::Fresh);
        keep(&mut tx, &command("a"), &kept).await.unwrap();
        let same = claim(&mut tx, &command("a"), ("keyed", "sha"))
            .await
            .unwrap();
        assert_eq!(same, Claim::Done(kept));
        let other = claim(&mut tx, &command("a"), ("keyed too", "another"))
            .await
            .unwrap();
        assert_eq!(other, Claim::Reused);
        tx.commit().await.unwrap();
    })
    .await;
}
