//! One statement with its values.

use super::{Db, Inner, Sql, Tx, in_time, noted};
use sqlx::{
    Arguments as _, Encode, FromRow, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool, Type,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

/// A Rust value that both databases store.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be stored in both databases")]
pub trait Value:
    for<'q> Encode<'q, Postgres> + Type<Postgres> + for<'q> Encode<'q, Sqlite> + Type<Sqlite> + Send
{
}
impl<T> Value for T where
    T: for<'q> Encode<'q, Postgres>
        + Type<Postgres>
        + for<'q> Encode<'q, Sqlite>
        + Type<Sqlite>
        + Send
{
}

/// A row that both databases produce: `#[derive(sqlx::FromRow)]` is enough.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a row of both databases; derive `sqlx::FromRow`"
)]
pub trait Record:
    for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}
impl<T> Record for T where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'static
{
}

enum Target<'e> {
    Pg(&'e PgPool, PgArguments),
    PgTx(&'e mut PgConnection, PgArguments, &'e mut bool),
    Lite(&'e SqlitePool, SqliteArguments),
    LiteTx(&'e mut SqliteConnection, SqliteArguments),
}

/// One statement with its values.
#[must_use = "a query does nothing until it is run"]
pub struct Query<'e> {
    target: Target<'e>,
    sql: &'static str,
    binds: usize,
    refused: Option<sqlx::Error>,
}

impl<'e> Query<'e> {
    pub(super) fn on_pool(db: &'e Db, sql: Sql) -> Self {
        match db {
            Db::Postgres(pool) => Self::new(Target::Pg(pool, PgArguments::default()), sql.postgres),
            Db::Sqlite { read, write } => {
                let pool = if reads(sql.sqlite) { read } else { write };
                Self::new(Target::Lite(pool, SqliteArguments::default()), sql.sqlite)
            }
        }
    }

    pub(super) fn in_tx(tx: &'e mut Tx, sql: Sql) -> Self {
        match &mut tx.inner {
            Inner::Postgres(connection) => {
                let target = Target::PgTx(connection, PgArguments::default(), &mut tx.spoiled);
                Self::new(target, sql.postgres)
            }
            Inner::Sqlite(tx) => {
                Self::new(Target::LiteTx(tx, SqliteArguments::default()), sql.sqlite)
            }
        }
    }

    fn new(target: Target<'e>, sql: &'static str) -> Self {
        Self {
            target,
            sql,
            binds: 0,
            refused: None,
        }
    }

    /// Gives the next `$n` its value.
    pub fn bind(mut self, value: impl Value) -> Self {
        self.binds += 1;
        let added = match &mut self.target {
            Target::Pg(_, args) | Target::PgTx(_, args, _) => args.add(value),
            Target::Lite(_, args) | Target::LiteTx(_, args) => args.add(value),
        };
        if let Err(error) = added {
            self.refused = Some(sqlx::Error::Encode(error));
        }
        self
    }

    /// Runs it and says how many rows it touched.
    pub async fn execute(self) -> sqlx::Result<u64> {
        let (target, sql) = self.checked()?;
        match target {
            Target::Pg(x, args) => in_time(sqlx::query_with(sql, args).execute(x))
                .await
                .map(|done| done.rows_affected()),
            Target::PgTx(x, args, spoiled) => {
                let done = in_time(sqlx::query_with(sql, args).execute(x)).await;
                noted(spoiled, done).map(|done| done.rows_affected())
            }
            Target::Lite(x, args) => in_time(sqlx::query_with(sql, args).execute(x))
                .await
                .map(|done| done.rows_affected()),
            Target::LiteTx(x, args) => in_time(sqlx::query_with(sql, args).execute(x))
                .await
                .map(|done| done.rows_affected()),
        }
    }

    /// The one row there is.
    pub async fn one<R: Record>(self) -> sqlx::Result<R> {
        self.optional().await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// The one row there may be.
    pub async fn optional<R: Record>(self) -> sqlx::Result<Option<R>> {
        let (target, sql) = self.checked()?;
        match target {
            Target::Pg(x, args) => in_time(sqlx::query_as_with(sql, args).fetch_optional(x)).await,
            Target::PgTx(x, args, spoiled) => {
                let found = in_time(sqlx::query_as_with(sql, args).fetch_optional(x)).await;
                noted(spoiled, found)
            }
            Target::Lite(x, args) => {
                in_time(sqlx::query_as_with(sql, args).fetch_optional(x)).await
            }
            Target::LiteTx(x, args) => {
                in_time(sqlx::query_as_with(sql, args).fetch_optional(x)).await
            }
        }
    }

    /// Every row.
    pub async fn all<R: Record>(self) -> sqlx::Result<Vec<R>> {
        let (target, sql) = self.checked()?;
        match target {
            Target::Pg(x, args) => in_time(sqlx::query_as_with(sql, args).fetch_all(x)).await,
            Target::PgTx(x, args, spoiled) => {
                let found = in_time(sqlx::query_as_with(sql, args).fetch_all(x)).await;
                noted(spoiled, found)
            }
            Target::Lite(x, args) => in_time(sqlx::query_as_with(sql, args).fetch_all(x)).await,
            Target::LiteTx(x, args) => in_time(sqlx::query_as_with(sql, args).fetch_all(x)).await,
        }
    }

    /// The one value of the one row.
    pub async fn scalar<T>(self) -> sqlx::Result<T>
    where
        (T,): Record,
    {
        self.one::<(T,)>().await.map(|row| row.0)
    }

    /// SQLite reads a forgotten bind as NULL, so debug builds and tests stop at one.
    fn checked(self) -> sqlx::Result<(Target<'e>, &'static str)> {
        debug_assert_eq!(
            self.binds,
            arity(self.sql),
            "binds and placeholders differ: {}",
            self.sql
        );
        match self.refused {
            Some(error) => Err(error),
            None => Ok((self.target, self.sql)),
        }
    }
}

/// The highest `$n` in a statement.
pub(super) fn arity(sql: &str) -> usize {
    let number = |after: &str| {
        after[..after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len())]
            .parse()
            .ok()
    };
    sql.split('$').skip(1).filter_map(number).max().unwrap_or(0)
}

/// Whether a statement only reads. Statements may open with a `-- name` line.
fn reads(sql: &str) -> bool {
    let body = sql
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("--"))
        .unwrap_or("");
    body.get(..6)
        .is_some_and(|word| word.eq_ignore_ascii_case("select"))
}
