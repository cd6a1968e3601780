//! Dead letters that have something in common: a hundred letters are seldom a hundred troubles.

use super::Store;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// What the letters of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// The failure: kind, step, class, and message without its numbers.
    Error,
    /// The saga's kind.
    Kind,
    /// The step's name.
    Step,
    /// The queue.
    Queue,
    /// The class of the failure.
    Class,
    /// Who made the last attempt.
    Worker,
}

impl GroupBy {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Kind => "kind",
            Self::Step => "step",
            Self::Queue => "queue",
            Self::Class => "class",
            Self::Worker => "worker",
        }
    }
}

/// Letters that have something in common, told by the newest of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow, utoipa::ToSchema)]
#[schema(as = GroupFacts)]
pub struct LetterGroup {
    /// What they have in common: a fingerprint, a kind, a step …
    pub key: String,
    /// How many letters.
    pub letters: i64,
    /// Attempts that all of them made together.
    pub attempts: i64,
    /// When the first gave up.
    pub first_at: DateTime<Utc>,
    /// When the last gave up.
    pub last_at: DateTime<Utc>,
    /// The newest one's kind.
    pub kind: String,
    /// The newest one's step.
    pub step: String,
    /// The newest one's queue.
    pub queue: String,
    /// The newest one's class.
    pub class: String,
    /// The newest one's message.
    pub message: String,
    /// Who made the newest one's last attempt.
    pub worker: Option<String>,
    /// What somebody noted about those that failed alike.
    pub note: Option<String>,
    /// Who noted it.
    pub noted_by: Option<String>,
    /// When.
    pub noted_at: Option<DateTime<Utc>>,
}

const GROUPS: &str = "-- letter_groups.list
    SELECT key, letters, attempts, first_at, last_at, kind, step, queue, class, message, worker, note, noted_by, noted_at
      FROM (SELECT key, kind, step, queue, class, message, worker,
                   count(*) OVER (PARTITION BY key) AS letters,
                   CAST(sum(attempts) OVER (PARTITION BY key) AS BIGINT) AS attempts,
                   min(created_at) OVER (PARTITION BY key) AS first_at,
                   max(created_at) OVER (PARTITION BY key) AS last_at,
                   row_number() OVER (PARTITION BY key ORDER BY created_at DESC, id DESC) AS place
              FROM (SELECT letters.*, CASE CAST($1 AS TEXT) WHEN 'kind' THEN kind WHEN 'step' THEN step WHEN 'queue' THEN queue
                           WHEN 'class' THEN class WHEN 'worker' THEN coalesce(worker, '') ELSE fingerprint END AS key
                      FROM letters WHERE $2 IS NULL OR state = $2) AS keyed) AS told
      LEFT JOIN letter_notes ON letter_notes.fingerprint = told.key
     WHERE place = 1 ORDER BY letters DESC, last_at DESC, key LIMIT $3";

impl Store {
    /// Groups of letters, the largest first.
    pub async fn letter_groups(
        &self,
        by: GroupBy,
        state: Option<&str>,
        limit: i64,
    ) -> sqlx::Result<Vec<LetterGroup>> {
        self.db
            .query(GROUPS)
            .bind(by.as_str())
            .bind(state.map(str::to_owned))
            .bind(limit)
            .all()
            .await
    }
}
