//! `/admin/audit`: who decided what, when and why.

use crate::auth::Staff;
use crate::page::{self, Page};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use chrono::{DateTime, Utc};
use saga_core::store::audit::{AuditFilter, Decided};
use serde::Deserialize;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    actor: Option<String>,
    verb: Option<String>,
    target: Option<String>,
    since: Option<DateTime<Utc>>,
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists decisions, newest first.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
    Params(filter): Params<Filter>,
) -> Result<axum::Json<Page<Decided>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let before: Option<(DateTime<Utc>, Uuid)> = page::read(filter.cursor.as_deref())?;
    let wanted = AuditFilter {
        actor: filter.actor,
        verb: filter.verb,
        target: filter.target,
        since: filter.since,
        before,
        limit: limit + 1,
    };
    let found = state.store().audit(&wanted).await?;
    let place = |decided: &Decided| (decided.at, decided.id);
    Ok(axum::Json(Page::cut(found, limit, place)))
}
