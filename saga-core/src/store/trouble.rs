//! What a database's error means for whoever wrote: the rows are bad, or the store is not well.

use sqlx::error::{DatabaseError, ErrorKind};

/// Length of an SQLSTATE; SQLite's codes are plain numbers of up to four digits.
const SQLSTATE: usize = 5;
/// SQLSTATE classes of rows that will never be taken: data exceptions, broken constraints.
const BAD_ROWS: [&str; 2] = ["22", "23"];
/// Classes of trouble that passes: connections, resources, operators, deadlocks, cancelled statements.
const PASSING: [&str; 4] = ["08", "40", "53", "57"];
/// SQLite is busy or locked, in every flavour.
const SQLITE_BUSY: [&str; 5] = ["5", "6", "261", "517", "262"];

/// Whether the database refused the rows themselves, rather than failing to serve.
pub(super) fn is_about_rows(error: &sqlx::Error) -> bool {
    let refused = |error: &dyn DatabaseError| {
        let kind = !matches!(error.kind(), ErrorKind::Other);
        kind || is_of(error, &BAD_ROWS)
    };
    matches!(error, sqlx::Error::Encode(_)) || error.as_database_error().is_some_and(refused)
}

/// Whether the same transaction may well succeed in a moment.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    let passes = |error: &dyn DatabaseError| {
        let busy = error
            .code()
            .is_some_and(|code| SQLITE_BUSY.contains(&code.as_ref()));
        busy || is_of(error, &PASSING)
    };
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    ) || error.as_database_error().is_some_and(passes)
}

fn is_of(error: &dyn DatabaseError, classes: &[&str]) -> bool {
    error.code().is_some_and(|code| {
        code.len() == SQLSTATE && classes.iter().any(|class| code.starts_with(class))
    })
}
