//! One statement over many rows.

use super::{Inner, Record, Sql, Tx, Value, in_time, noted, query::arity, shape::shaped};
use sqlx::{
    Arguments as _, Encode, PgConnection, PgPool, Postgres, SqliteConnection, Type,
    error::BoxDynError, postgres::PgArguments, sqlite::SqliteArguments,
};

/// A value that may stand in a column of a batch.
pub trait Cell: Value + Clone + 'static {
    /// Adds the whole column as one PostgreSQL array.
    fn add_array(column: Vec<Self>, args: &mut PgArguments) -> Result<(), BoxDynError>;
}

impl<T> Cell for T
where
    T: Value + Clone + 'static,
    Vec<T>: for<'q> Encode<'q, Postgres> + Type<Postgres>,
{
    fn add_array(column: Vec<Self>, args: &mut PgArguments) -> Result<(), BoxDynError> {
        args.add(column)
    }
}

trait Column: Send {
    fn add(&self, row: usize, args: &mut SqliteArguments) -> Result<(), BoxDynError>;
}

impl<T: Value + Clone> Column for Vec<T> {
    fn add(&self, row: usize, args: &mut SqliteArguments) -> Result<(), BoxDynError> {
        args.add(self[row].clone())
    }
}

enum Columns {
    /// Arrays, for `UNNEST($1::uuid[], $2::text[])`.
    Arrays(PgArguments),
    /// Columns, from which each execution takes its row for `$1, $2`.
    Rows(Vec<Box<dyn Column>>),
}

enum Target<'e> {
    /// A statement that is a transaction by itself.
    Pool(&'e PgPool),
    Tx(&'e mut PgConnection, &'e mut bool),
    Lite(&'e mut SqliteConnection),
}

/// One statement over many rows: PostgreSQL unnests one array a column, SQLite runs the single-row
/// text once a row, prepared once.
#[must_use = "a batch does nothing until it is run"]
pub struct Batch<'e> {
    target: Target<'e>,
    sql: Sql,
    columns: Columns,
    lengths: Vec<usize>,
    ragged: bool,
    refused: Option<sqlx::Error>,
}

impl<'e> Batch<'e> {
    pub(super) fn on_pool(pool: &'e PgPool, sql: Sql) -> Self {
        Self::new(Target::Pool(pool), sql)
    }

    pub(super) fn in_tx(tx: &'e mut Tx, sql: Sql) -> Self {
        match &mut tx.inner {
            Inner::Postgres(connection) => Self::new(Target::Tx(connection, &mut tx.spoiled), sql),
            Inner::Sqlite(tx) => Self::new(Target::Lite(tx), sql),
        }
    }

    fn new(target: Target<'e>, sql: Sql) -> Self {
        let columns = match &target {
            Target::Pool(_) | Target::Tx(..) => Columns::Arrays(PgArguments::default()),
            Target::Lite(_) => Columns::Rows(vec![]),
        };
        Self {
            target,
            sql,
            columns,
            lengths: vec![],
            ragged: false,
            refused: None,
        }
    }

    /// Lets columns differ in length: a PostgreSQL statement that writes several tables.
    pub fn ragged(mut self) -> Self {
        self.ragged = true;
        self
    }

    /// Gives the next `$n` its value in every row.
    pub fn column<T: Cell>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        let column: Vec<T> = values.into_iter().collect();
        self.lengths.push(column.len());
        debug_assert!(
            self.ragged || self.lengths.first() == Some(&column.len()),
            "every column has one value a row: {}",
            self.sql.sqlite
        );
        match &mut self.columns {
            Columns::Arrays(args) => {
                if let Err(error) = T::add_array(column, args) {
                    self.refused = Some(sqlx::Error::Encode(error));
                }
            }
            Columns::Rows(columns) => columns.push(Box::new(column)),
        }
        self
    }

    /// Runs it and says how many rows it touched.
    pub async fn execute(self) -> sqlx::Result<u64> {
        let (target, sql, columns, rows) = self.checked()?;
        match (target, columns) {
            (Target::Pool(pool), Columns::Arrays(args)) => {
                in_time(sqlx::query_with(sql, args).execute(pool))
                    .await
                    .map(|done| done.rows_affected())
            }
            (Target::Tx(tx, spoiled), Columns::Arrays(args)) => {
                let done = in_time(sqlx::query_with(sql, args).execute(tx)).await;
                noted(spoiled, done).map(|done| done.rows_affected())
            }
            (Target::Lite(tx), Columns::Rows(columns)) => {
                let mut touched = 0;
                for row in 0..rows {
                    let args = row_of(&columns, row)?;
                    touched += sqlx::query_with(sql, args)
                        .execute(&mut *tx)
                        .await?
                        .rows_affected();
                }
                Ok(touched)
            }
            _ => unreachable!("columns are made for their database"),
        }
    }

    /// Runs it and collects the rows it returns; in what order is not promised.
    pub async fn all<R: Record>(self) -> sqlx::Result<Vec<R>> {
        let (target, sql, columns, rows) = self.checked()?;
        match (target, columns) {
            (Target::Pool(pool), Columns::Arrays(args)) => {
                in_time(sqlx::query_as_with(sql, args).fetch_all(pool)).await
            }
            (Target::Tx(tx, spoiled), Columns::Arrays(args)) => {
                let found = in_time(sqlx::query_as_with(sql, args).fetch_all(tx)).await;
                noted(spoiled, found)
            }
            (Target::Lite(tx), Columns::Rows(columns)) => {
                let mut found = vec![];
                for row in 0..rows {
                    let args = row_of(&columns, row)?;
                    found.extend(sqlx::query_as_with(sql, args).fetch_all(&mut *tx).await?);
                }
                Ok(found)
            }
            _ => unreachable!("columns are made for their database"),
        }
    }

    fn checked(self) -> sqlx::Result<(Target<'e>, &'static str, Columns, usize)> {
        let text = match self.target {
            Target::Pool(_) | Target::Tx(..) => self.sql.postgres,
            Target::Lite(_) => self.sql.sqlite,
        };
        debug_assert_eq!(
            self.lengths.len(),
            arity(text),
            "columns and placeholders differ: {text}"
        );
        if let Some(error) = self.refused {
            return Err(error);
        }
        let rows = self.lengths.first().copied().unwrap_or(0);
        Ok((self.target, shaped(text, &self.lengths), self.columns, rows))
    }
}

fn row_of(columns: &[Box<dyn Column>], row: usize) -> sqlx::Result<SqliteArguments> {
    let mut args = SqliteArguments::default();
    for column in columns {
        column.add(row, &mut args).map_err(sqlx::Error::Encode)?;
    }
    Ok(args)
}

/// Reads the rows of many ids from PostgreSQL.
pub(super) async fn any<R: Record>(
    db: &super::Db,
    sql: Sql,
    ids: &[uuid::Uuid],
) -> sqlx::Result<Vec<R>> {
    match db {
        super::Db::Postgres(pool) => {
            let asked = sqlx::query_as(sql.postgres).bind(ids.to_vec());
            in_time(asked.fetch_all(pool)).await
        }
        super::Db::Sqlite { .. } => unreachable!("SQLite has no arrays"),
    }
}
