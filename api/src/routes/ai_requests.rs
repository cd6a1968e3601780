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

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Of this provider.
    provider: Option<String>,
    /// Of this model.
    model: Option<String>,
    /// For this purpose.
    purpose: Option<String>,
    /// Of sagas of this kind.
    kind: Option<String>,
    /// Of this account.
    account: Option<Uuid>,
    /// Of this saga.
    saga: Option<Uuid>,
    /// `processing`, `completed` or `failed`.
    #[param(pattern = "^(processing|completed|failed)$")]
    status: Option<String>,
    /// Not made earlier than this.
    from: Option<DateTime<Utc>>,
    /// Made earlier than this.
    to: Option<DateTime<Utc>>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
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
