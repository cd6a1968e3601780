//! One face for two databases: the same SQL on PostgreSQL and on SQLite.

mod batch;
mod connect;
mod query;
mod shape;

pub use batch::{Batch, Cell};
pub use connect::{Location, OpenError, Pending};
pub use query::{Query, Record, Value};

use chrono::{DateTime, SubsecRound, Utc};
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};
use std::time::Duration;

/// How long one answer of the database may take. A server that is stopped, or gone behind a silent
/// network, must not hold its callers for ever.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Waits for the database, but not for ever. Its futures are large, and stay out of their callers'.
fn in_time<'a, T>(
    answer: impl Future<Output = sqlx::Result<T>> + Send + 'a,
) -> impl Future<Output = sqlx::Result<T>> + Send + 'a
where
    T: 'a,
{
    let answer = tokio::time::timeout(ANSWER_MAX, Box::pin(answer));
    async move {
        answer.await.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", ANSWER_MAX.as_secs());
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, why).into())
        })
    }
}

/// A pool of connections to the store.
#[derive(Clone, Debug)]
pub enum Db {
    /// A PostgreSQL server; the tables live in the schema `chorus`.
    Postgres(PgPool),
    /// An SQLite file: one connection writes, which queues writers fairly, and a few read.
    Sqlite {
        /// Read-only connections.
        read: SqlitePool,
        /// The one connection that writes.
        write: SqlitePool,
    },
}

/// A transaction that may write.
pub struct Tx {
    inner: Inner,
    now: Option<DateTime<Utc>>,
    after: Vec<After>,
    /// Whether a statement failed: PostgreSQL then takes no other, and makes of a commit a rollback,
    /// which it does not call an error.
    spoiled: bool,
}

/// What is done once a transaction is committed.
type After = Box<dyn FnOnce() + Send + Sync>;

enum Inner {
    Postgres(sqlx::Transaction<'static, Postgres>),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

/// A statement, in two texts where the dialects differ.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    /// For PostgreSQL.
    pub postgres: &'static str,
    /// For SQLite.
    pub sqlite: &'static str,
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self {
            postgres: both,
            sqlite: both,
        }
    }
}

/// How much a commit promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk before `commit` returns.
    Full,
    /// Visible at once, on disk a moment later. Only for what the sweeper makes good again: a
    /// heartbeat, a ticket's mark. SQLite gives `Full` all the same.
    Relaxed,
}

impl Db {
    /// A statement outside any transaction: a SELECT reads, everything else writes.
    pub fn query(&self, sql: impl Into<Sql>) -> Query<'_> {
        Query::on_pool(self, sql.into())
    }

    /// Begins a transaction. SQLite takes the write lock at once: a transaction that reads first and
    /// writes later would fail as soon as another has written in between.
    pub async fn begin(&self, durability: Durability) -> sqlx::Result<Tx> {
        let inner = async {
            Ok(match self {
                Self::Postgres(pool) => Inner::Postgres(match durability {
                    Durability::Full => pool.begin().await?,
                    Durability::Relaxed => {
                        pool.begin_with("BEGIN; SET LOCAL synchronous_commit = off")
                            .await?
                    }
                }),
                Self::Sqlite { write, .. } => {
                    Inner::Sqlite(match write.begin_with("BEGIN IMMEDIATE").await {
                        // A full disk has ended a transaction that the driver believes to be open, for ever: the
                        // connection makes room for another.
                        Err(sqlx::Error::InvalidSavePointStatement) => {
                            write.acquire().await?.close().await?;
                            write.begin_with("BEGIN IMMEDIATE").await?
                        }
                        begun => begun?,
                    })
                }
            })
        };
        Ok(Tx {
            inner: in_time(inner).await?,
            now: None,
            after: vec![],
            spoiled: false,
        })
    }

    /// Reads rows by id, outside any transaction: one `ANY($1)` on PostgreSQL, one query an id on SQLite.
    pub async fn read<R: Record>(&self, sql: Sql, ids: &[uuid::Uuid]) -> sqlx::Result<Vec<R>> {
        match self {
            Self::Postgres(_) => batch::any(self, sql, ids).await,
            Self::Sqlite { .. } => {
                let mut rows = vec![];
                for id in ids {
                    rows.extend(self.query(sql).bind(*id).all::<R>().await?);
                }
                Ok(rows)
            }
        }
    }

    /// A statement over many rows that is a transaction by itself; none on SQLite, where it is many statements.
    pub(crate) fn batch_alone(&self, sql: Sql) -> Option<Batch<'_>> {
        match self {
            Self::Postgres(pool) => Some(Batch::on_pool(pool, sql)),
            Self::Sqlite { .. } => None,
        }
    }

    /// The word for this database in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "postgres",
            Self::Sqlite { .. } => "sqlite",
        }
    }

    /// The store's clock, for whoever only reads: no transaction, so no lock.
    pub async fn now(&self) -> sqlx::Result<DateTime<Utc>> {
        let now = match self {
            Self::Postgres(_) => self.query("SELECT clock_timestamp()").scalar().await?,
            Self::Sqlite { .. } => Utc::now(),
        };
        Ok(now.trunc_subsecs(6))
    }

    /// Asks the database for a sign of life.
    pub async fn ping(&self) -> sqlx::Result<()> {
        self.query("SELECT CAST(1 AS BIGINT)")
            .scalar::<i64>()
            .await
            .map(drop)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
        }
    }
}

/// Notes whether a statement of a transaction failed.
fn noted<T>(spoiled: &mut bool, done: sqlx::Result<T>) -> sqlx::Result<T> {
    *spoiled |= done.is_err();
    done
}

impl Tx {
    /// A statement inside this transaction.
    pub fn query(&mut self, sql: impl Into<Sql>) -> Query<'_> {
        Query::in_tx(self, sql.into())
    }

    /// A statement over many rows: one round trip on PostgreSQL, one execution a row on SQLite.
    pub fn batch(&mut self, sql: Sql) -> Batch<'_> {
        Batch::in_tx(self, sql)
    }

    /// The store's clock, read once a transaction: the only clock that decides leases and timers.
    pub async fn now(&mut self) -> sqlx::Result<DateTime<Utc>> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        let now = match &mut self.inner {
            Inner::Postgres(tx) => {
                let asked = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut **tx);
                in_time(asked).await?
            }
            Inner::Sqlite(_) => Utc::now(),
        };
        let now = now.trunc_subsecs(6);
        self.now = Some(now);
        Ok(now)
    }

    /// The store's clock, read anew: after a wait for what others held.
    pub(crate) async fn later(&mut self) -> sqlx::Result<DateTime<Utc>> {
        self.now = None;
        self.now().await
    }

    /// Takes a time that a statement of this transaction brought along: no need to ask again.
    pub(crate) fn was_told(&mut self, now: DateTime<Utc>) {
        self.now.get_or_insert(now);
    }

    /// Whether a statement of this transaction takes PostgreSQL's text.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// Has something done once this transaction is committed, if it ever is.
    pub(crate) fn afterwards(&mut self, what: impl FnOnce() + Send + Sync + 'static) {
        self.after.push(Box::new(what));
    }

    /// Whether a statement failed, so that nothing of this transaction can come true.
    pub(crate) fn is_spoiled(&self) -> bool {
        self.spoiled
    }

    /// Makes everything in this transaction true, or nothing.
    pub async fn commit(self) -> sqlx::Result<()> {
        if self.spoiled {
            let why = "a statement of this transaction failed, so it cannot be committed";
            return Err(sqlx::Error::Protocol(why.to_owned()));
        }
        match self.inner {
            Inner::Postgres(tx) => in_time(tx.commit()).await,
            Inner::Sqlite(tx) => in_time(tx.commit()).await,
        }?;
        self.after.into_iter().for_each(|what| what());
        Ok(())
    }
}
