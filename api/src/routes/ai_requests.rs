//! `/admin/ai-requests`: every call of a model, without what was said.

use crate::auth::Staff;
use crate::page::{self, Page};
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::state::State;
use axum::extract::State as In;
use chrono::{DateTime, TimeDelta, Utc};
use saga_core::store::{LedgerEntry, LedgerFilter};
use serde::Deserialize;
use uuid::Uuid;

const STATUSES: [&str; 3] = ["processing", "completed", "failed"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    provider: Option<String>,
    model: Option<String>,
    purpose: Option<String>,
    kind: Option<String>,
    account: Option<Uuid>,
    saga: Option<Uuid>,
    status: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists calls, the latest first.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<LedgerEntry>>, Problem> {
    let limit = page::limit(filter.limit)?;
    if let Some(odd) = filter
        .status
        .as_deref()
        .filter(|status| !STATUSES.contains(status))
    {
        let how = format!("status: {odd:?} is none of {}.", STATUSES.join(", "));
        return Err(Problem::new(Code::BadParameter, how));
    }
    let now = state.db().now().await?;
    let wanted = LedgerFilter {
        provider: filter.provider,
        model: filter.model,
        purpose: filter.purpose,
        kind: filter.kind,
        account: filter.account,
        saga: filter.saga,
        status: filter.status,
        from: filter.from.unwrap_or(DateTime::UNIX_EPOCH),
        to: filter.to.unwrap_or(now + TimeDelta::seconds(1)),
        before: page::read(filter.cursor.as_deref())?,
        limit: limit + 1,
    };
    let found = state.store().ledger(&wanted).await?;
    let place = |call: &LedgerEntry| (call.created_at, call.id.clone());
    Ok(axum::Json(Page::cut(found, limit, place)))
}
