//! The traces of tickets that nobody carries any more: looked up where the sagas began.

use super::rows::json;
use crate::db::{Sql, Tx};
use crate::ticket::Ticket;
use crate::trace::Trace;
use std::collections::BTreeMap;
use uuid::Uuid;

// The first page of a saga's history begins with what it was started by.
const FIRST: Sql = Sql {
    postgres: "-- traces.first
        SELECT e.saga_id, e.page FROM UNNEST($1::uuid[]) AS r (id)
          JOIN events e ON e.saga_id = r.id AND e.seq = (SELECT MIN(f.seq) FROM events f WHERE f.saga_id = r.id)",
    sqlite: "-- traces.first
        SELECT saga_id, page FROM events WHERE saga_id = $1 ORDER BY seq LIMIT 1",
};

#[derive(serde::Deserialize)]
struct Line {
    data: Option<Data>,
}

#[derive(serde::Deserialize)]
struct Data {
    trace: Option<Trace>,
}

/// Gives tickets their sagas' traces. For the few that a sweep or a decision makes: all others carry theirs.
pub(super) async fn recall(tx: &mut Tx, tickets: &mut [Ticket]) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = tickets
        .iter()
        .filter(|ticket| ticket.trace.is_none())
        .map(|ticket| ticket.saga)
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let pages: Vec<(Uuid, String)> = tx.batch(FIRST).column(ids).all().await?;
    let mut traces = BTreeMap::new();
    for (saga, page) in pages {
        // A page that cannot be read costs its trace, not the sweep of everybody else's steps.
        let lines: Vec<Line> = json(&page).unwrap_or_default();
        let first = lines.into_iter().next().and_then(|line| line.data);
        traces.insert(saga, first.and_then(|data| data.trace));
    }
    for ticket in tickets.iter_mut().filter(|ticket| ticket.trace.is_none()) {
        ticket.trace = traces.get(&ticket.saga).cloned().flatten();
    }
    Ok(())
}
