//! Accounts.

use crate::support::on_each;
use chrono::TimeDelta;
use domain::accounts::erased_identities;
use domain::accounts::identities::{Identity, find_or_create};
use domain::accounts::permissions::Reach;
use domain::accounts::roles;
use domain::accounts::sessions::{self, Opening};
use domain::accounts::store::find;
use uuid::Uuid;

#[tokio::test]
async fn one_address_is_one_account_however_it_is_written() {
    on_each(async |world| {
        let first = world.account("Robin@Example.org").await;
        let second = world.account(" robin@example.ORG ").await;

        assert_eq!(first, second);
        assert_eq!(first.email, "robin@example.org");
        assert_eq!(find(&world.db, first.id).await.unwrap(), Some(first));
        assert_eq!(find(&world.db, Uuid::now_v7()).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn many_who_sign_up_at_once_as_the_same_are_one() {
    on_each(async |world| {
        let identity = Identity {
            issuer: "https://id.example".to_owned(),
            subject: "one".to_owned(),
            email: Some("robin@example.org".to_owned()),
            name: None,
        };
        let sign_up = async || {
            let mut tx = world.begin().await;
            let account = find_or_create(&mut tx, Uuid::now_v7(), &identity).await;
            tx.commit().await.unwrap();
            account.unwrap()
        };
        let all = futures_util::future::join_all((0..8).map(|_| sign_up())).await;
        assert!(all.iter().all(|one| *one == all[0]));
        assert_eq!(all[0].address(), Some("robin@example.org"));
        assert_eq!(world.count("SELECT COUNT(*) FROM accounts").await, 1);
        let rights = roles::of_account(&world.db, all[0].id).await.unwrap();
        assert_eq!(rights.roles, ["member"]);
        assert_eq!(rights.permissions.reach("surveys.write"), Some(Reach::Own));

        let other = Identity {
            issuer: "https://other.example".to_owned(),
            ..identity.clone()
        };
        let mut tx = world.begin().await;
        let other = find_or_create(&mut tx, Uuid::now_v7(), &other)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_ne!(other.id, all[0].id, "an address proves nothing");
        assert_eq!(other.address(), None);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_forgotten_a_day_after_its_end_with_its_spent_tokens() {
    on_each(async |world| {
        let robin = world.account("robin@example.org").await;
        let opening = |refresh: u8, life| Opening {
            id: Uuid::now_v7(),
            account: robin.id,
            roles: None,
            refresh_hash: Some([refresh; 32]),
            ip_prefix: String::new(),
            user_agent: String::new(),
            life,
        };
        let mut tx = world.begin().await;
        let (old, new) = (
            opening(1, TimeDelta::days(-2)),
            opening(2, TimeDelta::days(1)),
        );
        sessions::open(&mut tx, old).await.unwrap();
        sessions::open(&mut tx, new).await.unwrap();
        let late = sessions::rotate(&mut tx, [1; 32], [3; 32], TimeDelta::days(1)).await;
        assert_eq!(late.unwrap(), None, "it is over");
        let good = sessions::rotate(&mut tx, [2; 32], [4; 32], TimeDelta::days(-2)).await;
        assert!(
            good.unwrap()
                .is_some_and(|(_, account)| account == robin.id)
        );
        tx.commit().await.unwrap();
        let mut tx = world.begin().await;
        assert_eq!(sessions::forget_old(&mut tx, 1).await.unwrap(), 1);
        assert_eq!(sessions::forget_old(&mut tx, 9).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let left = "SELECT COUNT(*) FROM spent_refreshes";
        assert_eq!(world.count(left).await, 0);
    })
    .await;
}

#[tokio::test]
async fn an_account_of_an_older_build_is_a_members_until_somebody_decides() {
    on_each(async |world| {
        // As a build writes it that knows of no roles, on a schema that does.
        let id = Uuid::now_v7();
        let old = "INSERT INTO accounts (id, email, display_name, created_at) VALUES ($1, $2, 'Robin', $3)";
        let mut tx = world.begin().await;
        let now = tx.now().await.unwrap();
        let insert = tx.query(old).bind(id).bind("robin@example.org".to_owned());
        insert.bind(now).execute().await.unwrap();
        let names = roles::names(&mut tx, id).await.unwrap();
        assert_eq!(names, ["member"]);
        tx.commit().await.unwrap();
        let rights = roles::of_account(&world.db, id).await.unwrap();
        assert_eq!(rights.roles, ["member"]);
        assert_eq!(rights.permissions.reach("surveys.write"), Some(Reach::Own));

        let mut tx = world.begin().await;
        let before = roles::set(&mut tx, id, &[], "an admin").await.unwrap();
        assert_eq!(before, ["member"]);
        tx.commit().await.unwrap();
        let rights = roles::of_account(&world.db, id).await.unwrap();
        assert_eq!(rights, roles::Rights::default(), "none, as was decided");

        // Whoever was given another role has that one alone, and nobody is there by default.
        let other = world.account("sam@example.org").await;
        let mut tx = world.begin().await;
        let wanted = ["client".to_owned()];
        roles::set(&mut tx, other.id, &wanted, "an admin").await.unwrap();
        tx.commit().await.unwrap();
        let rights = roles::of_account(&world.db, other.id).await.unwrap();
        assert_eq!(rights.roles, ["client"]);
        let nobody = roles::of_account(&world.db, Uuid::now_v7()).await.unwrap();
        assert_eq!(nobody, roles::Rights::default());
    })
    .await;
}

#[tokio::test]
async fn who_was_erased_is_known_for_as_long_as_a_token_may_be_shown() {
    on_each(async |world| {
        let robin = world.account("robin@example.org").await;
        let mut tx = world.begin().await;
        erased_identities::note(&mut tx, robin.id, [1; 32]).await.unwrap();
        erased_identities::note(&mut tx, robin.id, [2; 32]).await.unwrap();
        tx.commit().await.unwrap();
        let known = async |hash: u8| {
            let known = erased_identities::is_known(&world.db, [hash; 32]).await;
            known.unwrap()
        };
        assert!(known(1).await && known(2).await && !known(3).await);
        let over = "UPDATE erased_identities SET until = '2020-01-01T00:00:00+00:00' WHERE account_id = $1";
        world.force(over, robin.id).await;
        assert!(!known(1).await);
        let mut tx = world.begin().await;
        assert_eq!(erased_identities::forget_old(&mut tx, 1).await.unwrap(), 1);
        assert_eq!(erased_identities::forget_old(&mut tx, 9).await.unwrap(), 1);
        tx.commit().await.unwrap();
    })
    .await;
}
