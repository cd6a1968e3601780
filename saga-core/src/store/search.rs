//! Finds sagas among very many, newest first: each question begins at the index that leaves least to read.

use super::Store;
use super::load::saga_columns;
use super::rows::RawSaga;
use crate::db::Sql;
use crate::run::SagaRow;
use crate::state::SagaState;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Which sagas to find.
#[derive(Debug, Clone, Default)]
pub struct SagaFilter {
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only in this state.
    pub state: Option<SagaState>,
    /// Only those that have not ended.
    pub live: bool,
    /// Only of this owner.
    pub owner_id: Option<Uuid>,
    /// Only those accepted longer ago than this.
    pub older_than: Option<TimeDelta>,
    /// Only those that this request started.
    pub request_id: Option<String>,
    /// Only those whose error says this, in large letters or small.
    pub text: Option<String>,
    /// Only those before this place: where the last page ended.
    pub before: Option<Place>,
    /// At most so many.
    pub limit: i64,
}

/// A place in the order of all sagas: when one was accepted, and its id.
pub type Place = (DateTime<Utc>, Uuid);

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Without input and output, which may be long.
    pub sagas: Vec<SagaRow>,
    /// Where to look on, if not all was looked through. There may be nothing more.
    pub next: Option<Place>,
}

/// Windows of one search, of 5,000 sagas each: whoever wants what is rare among a million is given the
/// place to go on from.
const WINDOWS_MAX: usize = 10;

// Each text begins with an inner SELECT whose LIMIT keeps it a step of its own, so that the index it
// names is the one that is used, whatever the other conditions are.
macro_rules! search {
    ($name:literal, $among:literal, $error:literal) => {
        concat!(
            "-- search.",
            $name,
            "\nSELECT ",
            saga_columns!("'null' AS input, NULL AS output, sagas.error"),
            " FROM (",
            $among,
            ") AS sagas
     WHERE ($3 IS NULL OR kind = $3) AND ($4 IS NULL OR state = $4) AND ($5 IS NULL OR owner_id = $5)
       AND ($6 IS NULL OR request_id = $6) AND ($7 IS NULL OR ",
            $error,
            ") AND (created_at < $1 OR (created_at = $1 AND id < $2))
     ORDER BY created_at DESC, id DESC LIMIT $8"
        )
    };
    ($name:literal, $among:literal) => {
        Sql {
            postgres: search!($name, $among, "strpos(lower(error::json ->> 'message'), lower($7)) > 0"),
            sqlite: search!($name, $among, "instr(lower(error ->> 'message'), lower($7)) > 0"),
        }
    };
}

// `sagas_request`: the few that one request started.
const OF_REQUEST: Sql = search!(
    "of_request",
    "SELECT * FROM sagas WHERE request_id = $6 LIMIT 1000000"
);
// `sagas_live`: few among many finished ones; what is read is as much as is under way.
const LIVE: Sql = search!(
    "live",
    "SELECT * FROM sagas WHERE finished_at IS NULL ORDER BY id LIMIT 1000000"
);
// `sagas_owner`: as much as one owner has.
const OF_OWNER: Sql = search!(
    "of_owner",
    "SELECT * FROM sagas WHERE owner_id = $5 ORDER BY id LIMIT 1000000"
);
// `sagas_created`, from the place on: everything, a window at a time.
const ALL: Sql = search!(
    "all",
    "SELECT * FROM sagas WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT 5000"
);
// The last of a window; the index alone knows it.
const WINDOW_ENDS: &str = "-- search.window_ends
    SELECT created_at, id FROM sagas WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET 4999";

/// After every saga there is or will be.
const LATEST: DateTime<Utc> =
    DateTime::from_timestamp_secs(253_402_300_799).expect("the year 9999");

impl Store {
    /// Sagas that fit, newest first.
    pub async fn search(&self, filter: &SagaFilter) -> sqlx::Result<Found> {
        let live = filter.live || filter.state.is_some_and(|state| !state.is_final());
        let (sql, in_windows) = match (live, &filter.request_id, filter.owner_id) {
            (true, _, _) => (LIVE, false),
            (false, Some(_), _) => (OF_REQUEST, false),
            (false, None, Some(_)) => (OF_OWNER, false),
            (false, None, None) => (ALL, true),
        };
        let limit = usize::try_from(filter.limit).unwrap_or_default();
        let (mut from, mut sagas) = (self.beginning(filter).await?, vec![]);
        for _ in 0..WINDOWS_MAX {
            // One more than is told says whether there is more.
            let wanted = limit + 1 - sagas.len();
            sagas.extend(self.among(sql, filter, from, wanted).await?);
            if sagas.len() > limit {
                sagas.truncate(limit);
                let last = sagas.last().map(|saga| (saga.created_at, saga.id));
                return Ok(Found { sagas, next: last });
            }
            let end = if in_windows {
                let ends = self.db.query(WINDOW_ENDS).bind(from.0).bind(from.1);
                ends.optional::<Place>().await?
            } else {
                None
            };
            match end {
                Some(end) => from = end,
                None => return Ok(Found { sagas, next: None }),
            }
        }
        Ok(Found {
            sagas,
            next: Some(from),
        })
    }

    async fn beginning(&self, filter: &SagaFilter) -> sqlx::Result<Place> {
        let newest = filter.before.unwrap_or((LATEST, Uuid::max()));
        let Some(age) = filter.older_than else {
            return Ok(newest);
        };
        let born = self.db.now().await?.checked_sub_signed(age);
        Ok(newest.min((born.unwrap_or(DateTime::UNIX_EPOCH), Uuid::nil())))
    }

    async fn among(
        &self,
        sql: Sql,
        filter: &SagaFilter,
        from: Place,
        limit: usize,
    ) -> sqlx::Result<Vec<SagaRow>> {
        let rows: Vec<RawSaga> = self
            .db
            .query(sql)
            .bind(from.0)
            .bind(from.1)
            .bind(filter.kind.clone())
            .bind(filter.state.map(SagaState::as_str))
            .bind(filter.owner_id)
            .bind(filter.request_id.clone())
            .bind(filter.text.clone())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .all()
            .await?;
        rows.into_iter().map(SagaRow::try_from).collect()
    }
}
