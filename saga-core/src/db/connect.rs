//! Opens a store, and brings its tables up to date.

use super::Db;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use std::{path::PathBuf, str::FromStr as _, time::Duration};

static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Readers of an SQLite store: WAL lets them run beside the writer.
const SQLITE_READERS: u32 = 4;
/// How long a caller waits for a connection before it is told that the store is busy.
const ACQUIRE_MAX: Duration = Duration::from_secs(10);

/// How long a connection that was at work may idle before it is asked for a sign of life.
const TRUSTED: Duration = Duration::from_secs(5);

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A PostgreSQL URL.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
        /// Most connections of this process.
        connections_max: u32,
    },
    /// An SQLite file, made if it is not there.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It did not answer, or not as a database should.
    #[error("the store does not answer")]
    Unreachable(#[source] sqlx::Error),
    /// Its tables are not those of this program.
    #[error("the store's tables could not be brought up to date")]
    Migrate(#[source] MigrateError),
}

/// Migrations that a store lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending(pub Vec<String>);

impl Db {
    /// Opens a store. Its tables are left as they are.
    pub async fn open(location: &Location) -> Result<Self, OpenError> {
        match location {
            Location::Postgres {
                url,
                connections_max,
            } => open_postgres(url, *connections_max).await,
            Location::Sqlite { path } => open_sqlite(path).await,
        }
        .map_err(OpenError::Unreachable)
    }

    /// Brings the tables up to date; nothing happens when they are.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        match self {
            Self::Postgres(pool) => {
                pool.execute("CREATE SCHEMA IF NOT EXISTS chorus")
                    .await
                    .map_err(OpenError::Unreachable)?;
                POSTGRES.run(pool).await
            }
            Self::Sqlite { write, .. } => SQLITE.run(write).await,
        }
        .map_err(OpenError::Migrate)
    }

    /// Which migrations the store still lacks. An empty list means that this program may run on it.
    pub async fn pending(&self) -> sqlx::Result<Pending> {
        let migrator = match self {
            Self::Postgres(_) => &POSTGRES,
            Self::Sqlite { .. } => &SQLITE,
        };
        let kept: i64 = self
            .query(super::Sql {
                postgres: "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'chorus' AND table_name = '_sqlx_migrations'",
                sqlite: "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'",
            })
            .scalar()
            .await?;
        let applied: Vec<(i64,)> = if kept == 0 {
            vec![]
        } else {
            self.query("SELECT version FROM _sqlx_migrations WHERE success")
                .all()
                .await?
        };
        let lacks = |version: i64| !applied.iter().any(|(done,)| *done == version);
        Ok(Pending(
            migrator
                .iter()
                .filter(|migration| lacks(migration.version))
                .map(|migration| format!("{:04} {}", migration.version, migration.description))
                .collect(),
        ))
    }
}

async fn open_postgres(url: &str, connections_max: u32) -> sqlx::Result<Db> {
    let mut options = PgConnectOptions::from_str(url)?;
    // On this machine's own loopback, encryption unless asked for only costs: TLS cuts a batch into
    // records, the client leaves Nagle's algorithm on, and each batch then waits 40 ms for an ACK.
    let loopback = matches!(
        options.get_host(),
        "127.0.0.1" | "::1" | "[::1]" | "localhost"
    );
    if loopback && !url.contains("sslmode") {
        options = options.ssl_mode(PgSslMode::Disable);
    }
    let options = options
        .application_name("chorus")
        .options([
            // The tables have a schema of their own; `public` is never touched.
            ("search_path", "chorus"),
            // Every statement finds its rows by key, so one plan serves all. Left to itself PostgreSQL
            // plans batches anew each time (an array of one looks cheaper than one of unknown length),
            // which costs several times what running them does.
            ("plan_cache_mode", "force_generic_plan"),
            // A plan made while a table is empty would scan it whole, and stay, until the next ANALYZE.
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("jit", "off"),
            // A process that is stopped in the middle of a transaction must not hold its rows for ever.
            ("idle_in_transaction_session_timeout", "30s"),
        ])
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_MAX)
        // A ping before each use would double the round trips of a small transaction. One that was
        // at work a moment ago is taken on trust: whoever finds it broken tries again.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    Ok(Db::Postgres(pool))
}

async fn open_sqlite(path: &std::path::Path) -> sqlx::Result<Db> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a command that was answered 202 survives the power cord.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_MAX)
        .connect_with(options.clone())
        .await?;
    let read = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .acquire_timeout(ACQUIRE_MAX)
        .connect_with(options.read_only(true))
        .await?;
    Ok(Db::Sqlite { read, write })
}
