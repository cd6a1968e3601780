//! Writes what changed in memory. Letters and reviews, of which there are few, are written one by one.

use super::write::Rows;
use super::{Store, children, letters, reviews};
use crate::db::{Sql, Tx};
use crate::run::Run;
use crate::tally::Tally;
use crate::ticket::Ticket;
use chrono::{DateTime, Utc};
use uuid::Uuid;

const SIGNALS_HEARD: Sql = Sql {
    postgres: "-- save.signals
        UPDATE signals s SET heard_by = r.heard_by FROM UNNEST($1::uuid[], $2::text[]) AS r (id, heard_by) WHERE s.id = r.id",
    sqlite: "-- save.signals
        UPDATE signals SET heard_by = $2 WHERE id = $1",
};
const SPOIL: Sql = Sql {
    postgres: "-- save.spoiled
        UPDATE effects e SET state = 'spoiled' FROM UNNEST($1::uuid[], $2::text[]) AS r (saga_id, step_key)
         WHERE e.saga_id = r.saga_id AND e.step_key = r.step_key AND e.state = 'answered'",
    sqlite: "-- save.spoiled
        UPDATE effects SET state = 'spoiled' WHERE saga_id = $1 AND step_key = $2 AND state = 'answered'",
};

/// Writes every change of `runs`, which are locked, and of the sagas that begin or go on by them, which
/// join `runs`; says which tickets are due once the transaction is committed.
pub(super) async fn save(
    tx: &mut Tx,
    runs: &mut Vec<Run>,
    store: &Store,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Ticket>> {
    children::follow(tx, runs, store, now).await?;
    let changed = changed(runs, now);
    if changed.is_empty() {
        return Ok(vec![]);
    }
    let written = Rows::of(&changed).write(tx, now).await?;
    if written.len() != changed.len() {
        let why = "a saga was changed by others while it was locked";
        return Err(sqlx::Error::Protocol(why.to_owned()));
    }
    rare(tx, &changed, now).await?;
    count(tx, Tally::of(changed.iter().copied(), &store.kinds));
    Ok(tickets(&changed))
}

/// Counts these changes once they are committed.
pub(super) fn count(tx: &mut Tx, tally: Tally) {
    if !tally.is_empty() {
        tx.afterwards(move || tally.count());
    }
}

/// The runs that are to be written, with the time of their change.
pub(super) fn changed(runs: &mut [Run], now: DateTime<Utc>) -> Vec<&Run> {
    for run in runs.iter_mut().filter(|run| run.changed()) {
        run.saga.updated_at = now;
    }
    runs.iter().filter(|run| run.changed()).collect()
}

/// The tickets of the steps that become ready with these changes.
pub(super) fn tickets(changed: &[&Run]) -> Vec<Ticket> {
    let due = |run: &&Run| -> Vec<Ticket> {
        run.made_ready()
            .filter_map(|step| Ticket::of(&run.saga, step))
            .collect()
    };
    changed.iter().flat_map(due).collect()
}

/// What most transactions have none of: news taken, answers set aside, letters, reviews.
async fn rare(tx: &mut Tx, changed: &[&Run], now: DateTime<Utc>) -> sqlx::Result<()> {
    let heard: Vec<(Uuid, String)> = changed
        .iter()
        .flat_map(|run| run.signals.iter())
        .filter_map(|signal| {
            signal
                .by
                .as_ref()
                .map(|by| (signal.id, by.as_str().to_owned()))
        })
        .collect();
    if !heard.is_empty() {
        let (ids, by): (Vec<Uuid>, Vec<String>) = heard.into_iter().unzip();
        tx.batch(SIGNALS_HEARD)
            .column(ids)
            .column(by)
            .execute()
            .await?;
    }
    let spoiled: Vec<(Uuid, String)> = changed
        .iter()
        .flat_map(|run| {
            run.spoiled
                .iter()
                .map(|key| (run.saga.id, key.as_str().to_owned()))
        })
        .collect();
    if !spoiled.is_empty() {
        let (sagas, keys): (Vec<Uuid>, Vec<String>) = spoiled.into_iter().unzip();
        tx.batch(SPOIL).column(sagas).column(keys).execute().await?;
    }
    for run in changed {
        letters::write(tx, run, now).await?;
        reviews::write(tx, run, now).await?;
    }
    Ok(())
}
