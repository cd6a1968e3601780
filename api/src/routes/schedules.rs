//! `/admin/schedules`: what begins by the clock.

use crate::auth::Staff;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::State;
use axum::extract::State as In;
use chrono::{DateTime, Utc};
use saga_core::store::ScheduleRow;
use serde::Serialize;
use uuid::Uuid;

/// Something that begins by the clock.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct Item {
    name: String,
    /// The kind of job that begins.
    kind: String,
    /// Minute, hour, day of the month, month, day of the week.
    cron: String,
    /// Whose clocks, by the name in the IANA database.
    time_zone: String,
    /// The run that comes next; null if none does.
    next_at: Option<DateTime<Utc>>,
    /// The run that came last. Those that were missed are made up for by one.
    last_at: Option<DateTime<Utc>>,
    /// The job that began then, or was open already under its key.
    last_job_id: Option<Uuid>,
    /// Why none began then.
    last_error: Option<String>,
}

impl From<ScheduleRow> for Item {
    fn from(row: ScheduleRow) -> Self {
        Self {
            name: row.name,
            kind: row.kind,
            cron: row.cron,
            time_zone: row.time_zone,
            next_at: row.next_at,
            last_at: row.last_at,
            last_job_id: row.last_saga_id,
            last_error: row.last_error,
        }
    }
}

/// Lists what begins by the clock, by name.
pub(crate) async fn list(
    _: Staff,
    In(state): In<State>,
) -> Result<axum::Json<Page<Item>>, Problem> {
    let found = state.store().schedules().await?;
    let told = found.into_iter().map(Item::from).collect();
    Ok(axum::Json(Page::new(told, None::<&()>)))
}
