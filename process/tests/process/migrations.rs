//! Tables that are not up to date stop a start, and the reason names the way out.

use process::settings::{Given, Role};
use process::{Settings, fleet};
use testing::Throwaway;

fn settings(database: &str, migrate: bool) -> Settings {
    let given = Given {
        database_url: Some(database.to_owned()),
        amqp_url: Some("amqp://guest:guest@127.0.0.1:5672/%2f".to_owned()),
        migrate_on_start: Some(migrate.to_string()),
        ..Given::default()
    };
    given.check(Role::Worker).unwrap()
}

#[tokio::test]
async fn an_unmigrated_database_is_refused_with_the_command_that_migrates_it() {
    let Some(server) = testing::postgres("pending migrations") else {
        return;
    };
    let empty = Throwaway::create(server, "process").await;
    let database = empty.url();

    let refusing = settings(&database, false);
    let refused = fleet::open_store(&refusing, saga_core::Kinds::default()).await;
    let told = format!("{:#}", refused.err().expect("it is refused"));
    assert!(
        told.contains("0001 engine") && told.contains("try: chorus migrate"),
        "{told}"
    );
    let may = settings(&database, true);
    let opened = fleet::open_store(&may, saga_core::Kinds::default()).await;
    opened.unwrap().db().close().await;
    let opened = fleet::open_store(&refusing, saga_core::Kinds::default()).await;
    opened.unwrap().db().close().await;
    empty.end().await;
}
