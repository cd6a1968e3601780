//! What was spent in a time: all together, and by day, kind, model or account.

use super::Store;
use crate::db::Sql;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// By what costs are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostsBy {
    /// The day (UTC).
    Day,
    /// The kind of saga.
    Kind,
    /// Provider and model.
    Model,
    /// Whose saga it was.
    Account,
}

/// What a group of calls took and cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Costs {
    /// The day, the kind, or provider and model; none for accounts and for all together.
    pub name: Option<String>,
    /// The account; none for other groups, and for sagas of nobody.
    pub account: Option<Uuid>,
    /// Answered calls.
    pub calls: i64,
    /// Of those, the ones whose cost nobody knows.
    pub unknown: i64,
    /// Tokens of their requests.
    pub input_tokens: i64,
    /// Tokens of their answers.
    pub output_tokens: i64,
    /// Pictures in their answers.
    pub images: i64,
    /// What is known of their cost, in millionths of a dollar.
    pub cost_micros: i64,
}

// Sums of integers are no integers on PostgreSQL.
macro_rules! costs {
    ($title:literal, $name:literal, $account:literal, $group:literal) => {
        concat!(
            "-- reports.",
            $title,
            "
    SELECT ",
            $name,
            " AS name, ",
            $account,
            " AS account, count(*) AS calls, count(*) - count(cost_micros) AS unknown,
           CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens,
           CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens,
           CAST(COALESCE(SUM(images), 0) AS BIGINT) AS images,
           CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT) AS cost_micros
      FROM charges WHERE at >= $1 AND at < $2 ",
            $group
        )
    };
}
const ALL: Sql = Sql {
    postgres: costs!("all", "NULL::text", "NULL::uuid", ""),
    sqlite: costs!("all", "NULL", "NULL", ""),
};
const BY_DAY: Sql = Sql {
    postgres: costs!(
        "by_day",
        "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        "NULL::uuid",
        "GROUP BY 1 ORDER BY 1 DESC LIMIT $3"
    ),
    sqlite: costs!(
        "by_day",
        "substr(at, 1, 10)",
        "NULL",
        "GROUP BY 1 ORDER BY 1 DESC LIMIT $3"
    ),
};
const BY_KIND: Sql = Sql {
    postgres: costs!(
        "by_kind",
        "kind",
        "NULL::uuid",
        "GROUP BY kind ORDER BY 8 DESC, kind LIMIT $3"
    ),
    sqlite: costs!(
        "by_kind",
        "kind",
        "NULL",
        "GROUP BY kind ORDER BY 8 DESC, kind LIMIT $3"
    ),
};
const BY_MODEL: Sql = Sql {
    postgres: costs!(
        "by_model",
        "provider || '/' || model",
        "NULL::uuid",
        "GROUP BY provider, model ORDER BY 8 DESC, 1 LIMIT $3"
    ),
    sqlite: costs!(
        "by_model",
        "provider || '/' || model",
        "NULL",
        "GROUP BY provider, model ORDER BY 8 DESC, 1 LIMIT $3"
    ),
};
const BY_ACCOUNT: Sql = Sql {
    postgres: costs!(
        "by_account",
        "NULL::text",
        "owner_id",
        "GROUP BY owner_id ORDER BY 8 DESC, owner_id LIMIT $3"
    ),
    sqlite: costs!(
        "by_account",
        "NULL",
        "owner_id",
        "GROUP BY owner_id ORDER BY 8 DESC, owner_id LIMIT $3"
    ),
};

impl Store {
    /// What was spent from one time to another: all together.
    pub async fn costs(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> sqlx::Result<Costs> {
        self.db.query(ALL).bind(from).bind(to).one().await
    }

    /// What was spent from one time to another by each of a group: the latest days, or those that cost most.
    pub async fn costs_by(
        &self,
        by: CostsBy,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        limit: i64,
    ) -> sqlx::Result<Vec<Costs>> {
        let sql = match by {
            CostsBy::Day => BY_DAY,
            CostsBy::Kind => BY_KIND,
            CostsBy::Model => BY_MODEL,
            CostsBy::Account => BY_ACCOUNT,
        };
        let query = self.db.query(sql).bind(from).bind(to);
        query.bind(limit).all().await
    }
}
