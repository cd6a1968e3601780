//! Reviews: written with the saga that asks, decided once, listed in one inbox.

use super::audit::{self, Entry};
use super::control::one;
use super::{Place, Store};
use crate::db::Tx;
use crate::journal::Key;
use crate::review::{Decision, Said};
use crate::run::{Run, review_id};
use crate::state::StepState;
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

/// A review as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ReviewRow {
    /// Its id.
    pub id: Uuid,
    /// The saga that asks.
    pub saga_id: Uuid,
    /// Its request.
    pub step_key: String,
    /// The saga's kind.
    pub kind: String,
    /// The point of the saga that it stands at.
    pub point: String,
    /// What it is about, a noun.
    pub subject_kind: String,
    /// Which of them.
    pub subject_id: String,
    /// For people, in a line.
    pub title: String,
    /// The account that decides; none if whoever holds the permission does.
    pub decider_id: Option<Uuid>,
    /// The permission with which anybody decides.
    pub permission: String,
    /// Whose saga asks.
    pub requested_by: Option<Uuid>,
    /// How often it was made again already.
    pub revision: i64,
    /// How often it may be made again still.
    pub rounds_left: i64,
    /// Whether whoever asked must leave it to somebody else.
    pub four_eyes: bool,
    /// `approve`, `reject` or `fail`.
    pub on_expiry: String,
    /// `pending`, `approved`, `changes_requested`, `rejected`, `expired`, or `closed` when its saga no
    /// longer asks.
    pub state: String,
    /// Why, or what is to be changed.
    pub notes: Option<String>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When it was decided, expired or closed.
    pub decided_at: Option<DateTime<Utc>>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When it was asked.
    pub created_at: DateTime<Utc>,
}

/// Which reviews are listed, the newest first.
#[derive(Debug, Clone, Default)]
pub struct ReviewFilter {
    /// Those in this state.
    pub state: Option<String>,
    /// Those about this noun.
    pub subject_kind: Option<String>,
    /// Only what concerns this account: it decides, or it asked. None is an admin, who sees all.
    pub account: Option<Uuid>,
    /// What that account may do: it sees what it may decide by that.
    pub permissions: Vec<String>,
    /// Those asked before this one.
    pub before: Option<Place>,
    /// How many.
    pub limit: i64,
}

/// Who decides, what, and why.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// What is said. Nobody says that it expired.
    pub decision: Decision,
    /// By whom.
    pub by: &'a str,
    /// Why, or what is to be changed.
    pub notes: Option<&'a str>,
}

/// Why a review was not decided.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is none.
    #[error("there is no such review")]
    NotFound,
    /// Somebody decided first, it expired, or its saga no longer asks.
    #[error("the review is {0} already")]
    Decided(String),
    /// It was sent back as often as it may be.
    #[error("it cannot be made again: approve it or reject it")]
    NoRoundsLeft,
    /// The store did not take it.
    #[error("the store did not take it")]
    Store(#[from] sqlx::Error),
}

macro_rules! columns {
    () => {
        "id, saga_id, step_key, kind, point, subject_kind, subject_id, title, decider_id, permission, requested_by, revision, \
         rounds_left, four_eyes, on_expiry, state, notes, decided_by, decided_at, expires_at, created_at"
    };
}

const INSERT: &str = "-- reviews.insert
    INSERT INTO reviews (id, saga_id, step_key, kind, point, subject_kind, subject_id, title, decider_id, permission,
                         requested_by, revision, rounds_left, four_eyes, on_expiry, state, expires_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'pending', $16, $17)";
const END: &str = "-- reviews.end
    UPDATE reviews SET state = $2, notes = $3, decided_by = $4, decided_at = $5 WHERE id = $1 AND state = 'pending'";
const FIND: &str = concat!(
    "-- reviews.find\nSELECT ",
    columns!(),
    " FROM reviews WHERE id = $1"
);
// A list of permissions is one text, `,a,b,`: a bound list is spelled differently on each database.
const LIST: &str = concat!(
    "-- reviews.list\nSELECT ",
    columns!(),
    " FROM reviews
      WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR subject_kind = $2)
        AND ($3 IS NULL OR decider_id = $3 OR requested_by = $3 OR $4 LIKE '%,' || permission || ',%')
        AND ($5 IS NULL OR (created_at, id) < ($5, $6))
      ORDER BY created_at DESC, id DESC LIMIT $7"
);

/// Writes the reviews that begin or end with the changes of a saga.
pub(super) async fn write(tx: &mut Tx, run: &Run, now: DateTime<Utc>) -> sqlx::Result<()> {
    for at in run.reviews_moved() {
        let step = &run.steps[at];
        let id = review_id(run.saga.id, &step.key);
        if at >= run.stored
            && let Some(asked) = step.asked()
        {
            let query = tx.query(INSERT).bind(id).bind(run.saga.id);
            let query = query
                .bind(step.key.as_str().to_owned())
                .bind(run.saga.kind.clone())
                .bind(step.step.clone())
                .bind(asked.review.subject_kind)
                .bind(asked.review.subject_id)
                .bind(asked.review.title)
                .bind(asked.review.decider)
                .bind(asked.review.permission)
                .bind(run.saga.owner_id)
                .bind(i64::from(asked.revision))
                .bind(i64::from(asked.rounds_left))
                .bind(asked.review.four_eyes)
                .bind(asked.review.on_expiry.as_str())
                .bind(step.wake_at.unwrap_or(now))
                .bind(now);
            query.execute().await?;
        }
        if step.state != StepState::Waiting {
            end(tx, id, step.said().as_ref(), None, now).await?; // unless somebody decided
        }
    }
    Ok(())
}

/// Ends a review, if it is open: by what was said, or since its saga no longer asks.
async fn end(
    tx: &mut Tx,
    id: Uuid,
    said: Option<&Said>,
    by: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let state = said.map_or("closed", |said| said.decision.as_str());
    let query = tx.query(END).bind(id).bind(state);
    let query = query.bind(said.and_then(|said| said.notes.clone()));
    let query = query.bind(by.map(str::to_owned)).bind(now);
    query.execute().await.map(drop)
}

impl Store {
    /// Finds a review.
    pub async fn review(&self, id: Uuid) -> sqlx::Result<Option<ReviewRow>> {
        self.db.query(FIND).bind(id).optional().await
    }

    /// Lists reviews, the newest first.
    pub async fn reviews(&self, filter: &ReviewFilter) -> sqlx::Result<Vec<ReviewRow>> {
        let permissions = format!(",{},", filter.permissions.join(","));
        let query = self.db.query(LIST).bind(filter.state.clone());
        let query = query.bind(filter.subject_kind.clone()).bind(filter.account);
        let query = query
            .bind(permissions)
            .bind(filter.before.map(|(at, _)| at));
        let query = query.bind(filter.before.map(|(_, id)| id));
        query.bind(filter.limit).all().await
    }

    /// Decides a review, in the caller's transaction: of two who decide, the second is told that it is
    /// decided. Its saga goes on by it; the tickets are to be published after the commit.
    pub async fn decide_review(
        &self,
        tx: &mut Tx,
        id: Uuid,
        verdict: &Verdict<'_>,
    ) -> Result<(ReviewRow, Vec<Ticket>), ReviewError> {
        let found = find(tx, id).await?;
        let run = one(tx, found.saga_id).await?;
        let mut run = run.ok_or(ReviewError::NotFound)?;
        // The saga is locked now: whoever decided meanwhile is seen.
        let found = find(tx, id).await?;
        if found.state != "pending" {
            return Err(ReviewError::Decided(found.state));
        }
        if verdict.decision == Decision::ChangesRequested && found.rounds_left == 0 {
            return Err(ReviewError::NoRoundsLeft);
        }
        let said = Said {
            decision: verdict.decision,
            notes: verdict.notes.map(str::to_owned),
        };
        let now = tx.now().await?;
        let at = run.find(&Key::stored(found.step_key.as_str()));
        let taken =
            at.is_some_and(|at| run.take_said(at, (&said, Some(verdict.by)), &self.kinds, now));
        if !taken {
            return Err(ReviewError::Decided("closed".to_owned()));
        }
        end(tx, id, Some(&said), Some(verdict.by), now).await?;
        let entry = Entry {
            actor: verdict.by,
            verb: match verdict.decision {
                Decision::Approved => "review.approve",
                Decision::ChangesRequested => "review.revise",
                Decision::Rejected => "review.reject",
                Decision::Expired => "review.expire",
            },
            target_kind: "review",
            target_id: id.to_string(),
            reason: verdict.notes.unwrap_or_default(),
            detail: json!({"saga": found.saga_id, "kind": found.kind, "subject_kind": found.subject_kind,
                "subject_id": found.subject_id, "revision": found.revision}),
        };
        audit::write(tx, &entry).await?;
        let tickets = self.decided(tx, run, now).await?;
        Ok((find(tx, id).await?, tickets))
    }
}

async fn find(tx: &mut Tx, id: Uuid) -> Result<ReviewRow, ReviewError> {
    let found = tx.query(FIND).bind(id).optional().await?;
    found.ok_or(ReviewError::NotFound)
}
