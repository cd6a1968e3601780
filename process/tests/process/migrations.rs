//! Tables that are not up to date stop a start, and the reason names the way out.

use process::settings::{Given, Role};
use process::{Settings, fleet};
use sqlx::Connection as _;
use std::io::Write as _;

async fn admin(base: &str, sql: String) {
    let mut connection = sqlx::PgConnection::connect(base).await.unwrap();
    let sql = sqlx::AssertSqlSafe(sql);
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

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
    let Ok(base) = std::env::var("CHORUS_TEST_POSTGRES") else {
        let words = "left out: pending migrations (run scripts/test for all)";
        drop(writeln!(std::io::stderr(), "{words}"));
        return;
    };
    let name = format!("chorus_process_{}", uuid::Uuid::now_v7().simple());
    admin(&base, format!("CREATE DATABASE {name}")).await;
    let database = format!("{}/{name}", base.rsplit_once('/').unwrap().0);

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
    admin(&base, format!("DROP DATABASE {name} WITH (FORCE)")).await;
}
