//! Accounts.

use crate::support::on_each;
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
