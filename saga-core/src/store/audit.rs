//! Who decided what, when and why: written in the transaction of the decision, never changed.

use super::Store;
use super::rows::{json, text};
use crate::db::Tx;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// A decision, as it is about to be written down.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Who decided: the signature of a caller.
    pub actor: &'a str,
    /// What was done, as `noun.verb`: `letter.replay`, `saga.cancel` …
    pub verb: &'static str,
    /// What it was done to: `letter`, `saga` …
    pub target_kind: &'static str,
    /// Which one: an id, or a name.
    pub target_id: String,
    /// Why, in the words of whoever decided.
    pub reason: &'a str,
    /// What else is worth knowing years later. Ids, never the data of a person.
    pub detail: Value,
}

/// A decision, as it was written down.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Decision)]
pub struct Decided {
    /// Its id.
    pub id: Uuid,
    /// When, by the store's clock.
    pub at: DateTime<Utc>,
    /// Who decided.
    pub actor: String,
    /// What was done.
    pub verb: String,
    /// What it was done to.
    pub target_kind: String,
    /// Which one.
    pub target_id: String,
    /// Why.
    pub reason: String,
    /// What else is worth knowing.
    pub detail: Value,
}

/// Which decisions to list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Only of this person.
    pub actor: Option<String>,
    /// Only this verb.
    pub verb: Option<String>,
    /// Only about this thing.
    pub target: Option<String>,
    /// None older than this.
    pub since: Option<DateTime<Utc>>,
    /// Only those before this one: where the last page ended.
    pub before: Option<(DateTime<Utc>, Uuid)>,
    /// At most so many.
    pub limit: i64,
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    at: DateTime<Utc>,
    actor: String,
    verb: String,
    target_kind: String,
    target_id: String,
    reason: String,
    detail: String,
}

const INSERT: &str = "-- audit.write
    INSERT INTO audit (id, at, actor, verb, target_kind, target_id, reason, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

macro_rules! list {
    ($name:literal, $of:literal) => {
        concat!(
            "-- audit.",
            $name,
            "
    SELECT id, at, actor, verb, target_kind, target_id, reason, detail FROM audit
     WHERE ($1 IS NULL OR actor = $1) AND ($2 IS NULL OR verb = $2) AND ($3 IS NULL OR at >= $3)
       AND ($4 IS NULL OR at < $4 OR (at = $4 AND id < $5))",
            $of,
            "
     ORDER BY at DESC, id DESC LIMIT $6"
        )
    };
}
const LIST: &str = list!("list", "");
// A text of its own, since a plan is made once for all values: this one begins at `audit_target`.
const OF_TARGET: &str = list!("of_target", " AND target_id = $7");

/// Writes a decision down, in its own transaction: either both become true, or neither.
pub async fn write(tx: &mut Tx, entry: &Entry<'_>) -> sqlx::Result<()> {
    let now = tx.now().await?;
    tx.query(INSERT)
        .bind(Uuid::now_v7())
        .bind(now)
        .bind(entry.actor.to_owned())
        .bind(entry.verb)
        .bind(entry.target_kind)
        .bind(entry.target_id.clone())
        .bind(entry.reason.to_owned())
        .bind(text(&entry.detail))
        .execute()
        .await
        .map(drop)
}

impl Store {
    /// Decisions, newest first.
    pub async fn audit(&self, filter: &AuditFilter) -> sqlx::Result<Vec<Decided>> {
        let sql = if filter.target.is_some() {
            OF_TARGET
        } else {
            LIST
        };
        let query = self
            .db
            .query(sql)
            .bind(filter.actor.clone())
            .bind(filter.verb.clone())
            .bind(filter.since)
            .bind(filter.before.map(|(at, _)| at))
            .bind(filter.before.map(|(_, id)| id))
            .bind(filter.limit);
        let query = match &filter.target {
            Some(target) => query.bind(target.clone()),
            None => query,
        };
        let rows: Vec<Raw> = query.all().await?;
        rows.into_iter().map(Decided::try_from).collect()
    }
}

impl TryFrom<Raw> for Decided {
    type Error = sqlx::Error;

    fn try_from(raw: Raw) -> sqlx::Result<Self> {
        Ok(Self {
            detail: json(&raw.detail)?,
            id: raw.id,
            at: raw.at,
            actor: raw.actor,
            verb: raw.verb,
            target_kind: raw.target_kind,
            target_id: raw.target_id,
            reason: raw.reason,
        })
    }
}
