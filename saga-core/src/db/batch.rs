//! One statement over many rows.

use super::{Inner, Record, Sql, Tx, Value, in_time, query::arity};
use sqlx::{
    Arguments as _, Encode, Postgres, Type, error::BoxDynError, postgres::PgArguments,
    sqlite::SqliteArguments,
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

/// One statement over many rows: PostgreSQL unnests one array a column, SQLite runs the single-row
/// text once a row, prepared once.
#[must_use = "a batch does nothing until it is run"]
pub struct Batch<'e> {
    tx: &'e mut Tx,
    sql: Sql,
    columns: Columns,
    binds: usize,
    rows: Option<usize>,
    ragged: bool,
    refused: Option<sqlx::Error>,
}

impl<'e> Batch<'e> {
    pub(super) fn new(tx: &'e mut Tx, sql: Sql) -> Self {
        let columns = match &tx.inner {
            Inner::Postgres(_) => Columns::Arrays(PgArguments::default()),
            Inner::Sqlite(_) => Columns::Rows(vec![]),
        };
        Self {
            tx,
            sql,
            columns,
            binds: 0,
            rows: None,
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
        self.binds += 1;
        let rows = *self.rows.get_or_insert(column.len());
        debug_assert!(
            self.ragged || rows == column.len(),
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
        let (tx, sql, columns, rows) = self.checked()?;
        match (&mut tx.inner, columns) {
            (Inner::Postgres(tx), Columns::Arrays(args)) => {
                in_time(sqlx::query_with(sql.postgres, args).execute(&mut **tx))
                    .await
                    .map(|done| done.rows_affected())
            }
            (Inner::Sqlite(tx), Columns::Rows(columns)) => {
                let mut touched = 0;
                for row in 0..rows {
                    let args = row_of(&columns, row)?;
                    touched += sqlx::query_with(sql.sqlite, args)
                        .execute(&mut **tx)
                        .await?
                        .rows_affected();
                }
                Ok(touched)
            }
            (Inner::Postgres(_), Columns::Rows(_)) | (Inner::Sqlite(_), Columns::Arrays(_)) => {
                unreachable!("columns are made for their transaction")
            }
        }
    }

    /// Runs it and collects the rows it returns; in what order is not promised.
    pub async fn all<R: Record>(self) -> sqlx::Result<Vec<R>> {
        let (tx, sql, columns, rows) = self.checked()?;
        match (&mut tx.inner, columns) {
            (Inner::Postgres(tx), Columns::Arrays(args)) => {
                in_time(sqlx::query_as_with(sql.postgres, args).fetch_all(&mut **tx)).await
            }
            (Inner::Sqlite(tx), Columns::Rows(columns)) => {
                let mut found = vec![];
                for row in 0..rows {
                    let args = row_of(&columns, row)?;
                    found.extend(
                        sqlx::query_as_with(sql.sqlite, args)
                            .fetch_all(&mut **tx)
                            .await?,
                    );
                }
                Ok(found)
            }
            (Inner::Postgres(_), Columns::Rows(_)) | (Inner::Sqlite(_), Columns::Arrays(_)) => {
                unreachable!("columns are made for their transaction")
            }
        }
    }

    fn checked(self) -> sqlx::Result<(&'e mut Tx, Sql, Columns, usize)> {
        let text = if self.tx.is_postgres() {
            self.sql.postgres
        } else {
            self.sql.sqlite
        };
        debug_assert_eq!(
            self.binds,
            arity(text),
            "columns and placeholders differ: {text}"
        );
        match self.refused {
            Some(error) => Err(error),
            None => Ok((self.tx, self.sql, self.columns, self.rows.unwrap_or(0))),
        }
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
