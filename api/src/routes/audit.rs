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

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Who decided.
    actor: Option<String>,
    /// What was done, such as `letter.replay`.
    verb: Option<String>,
    /// The id of what it was done to.
    target: Option<String>,
    /// Not earlier than this.
    since: Option<DateTime<Utc>>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
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
