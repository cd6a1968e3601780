//! A database of its own for each test.

use saga_core::db::{Db, Location};
use sqlx::Connection as _;
use uuid::Uuid;

/// A PostgreSQL database with nothing in it.
pub struct Throwaway {
    server: String,
    name: String,
}

impl Throwaway {
    /// Makes one on this server; its name tells the suite.
    pub async fn create(server: impl Into<String>, suite: &str) -> Self {
        let (server, unique) = (server.into(), Uuid::now_v7().simple());
        let name = format!("chorus_{suite}_{unique}");
        run(&server, format!("CREATE DATABASE {name}")).await;
        Self { server, name }
    }

    /// Its name, which nothing else has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn url(&self) -> String {
        let (root, _) = self.server.rsplit_once('/').unwrap();
        format!("{root}/{}", self.name)
    }

    /// Drops it, whoever is still connected.
    pub async fn end(self) {
        let name = self.name;
        run(
            &self.server,
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .await;
    }
}

async fn run(server: &str, sql: String) {
    let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
    let sql = sqlx::AssertSqlSafe(sql);
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

/// The servers that stores are tested on: none, which means SQLite, and PostgreSQL if it is there.
pub fn servers() -> Vec<Option<String>> {
    let postgres = crate::postgres("PostgreSQL").map(Some);
    [None].into_iter().chain(postgres).collect()
}

/// A store with its tables and nothing in them, and a folder beside it.
pub struct Fresh {
    /// The store.
    pub db: Db,
    /// Goes with it.
    pub dir: tempfile::TempDir,
    postgres: Option<Throwaway>,
}

impl Fresh {
    /// Makes one on a PostgreSQL server or, without, on SQLite in its folder.
    pub async fn on(server: Option<String>, suite: &str, connections_max: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let postgres = match server {
            Some(server) => Some(Throwaway::create(server, suite).await),
            None => None,
        };
        let location = match &postgres {
            Some(database) => Location::Postgres {
                url: database.url(),
                connections_max,
            },
            None => Location::Sqlite {
                path: dir.path().join("test.db"),
            },
        };
        let db = Db::open(&location).await.unwrap();
        db.migrate().await.unwrap();
        Self { db, dir, postgres }
    }

    /// The address of its PostgreSQL database, which it must have.
    pub fn url(&self) -> String {
        self.postgres.as_ref().unwrap().url()
    }

    /// Closes it, and leaves nothing behind.
    pub async fn end(self) {
        self.db.close().await;
        if let Some(database) = self.postgres {
            database.end().await;
        }
    }
}
