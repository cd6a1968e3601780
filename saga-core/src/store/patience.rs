//! The deadlines of sagas that wait for one that stands still: held meanwhile, and counted anew afterwards.

use super::{Store, children};
use crate::db::{Sql, Tx};
use crate::run::Run;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use uuid::Uuid;

// Asked about sagas that are late, and about no others. The way down leads through those that have ended, too:
// one that called a child back has not ended for its parent before that child has. Whoever waits for a decision, for
// its kind or for money is not late either, and no more is who waits for it.
const BELOW: Sql = Sql {
    postgres: "-- patience.below
        WITH RECURSIVE down AS (
            SELECT s.id AS top, s.id, '' AS kind, '' AS state FROM sagas s WHERE s.id = ANY($1)
             UNION ALL SELECT down.top, c.id, c.kind, c.state FROM down JOIN sagas c ON c.parent_id = down.id)
        SELECT DISTINCT top FROM down
         WHERE state IN ('parked', 'paused', 'stuck')
            OR state IN ('queued', 'running', 'waiting')
               AND (EXISTS (SELECT 1 FROM kind_switches k WHERE k.kind = down.kind AND k.mode = 'paused')
                    OR EXISTS (SELECT 1 FROM steps t WHERE t.saga_id = down.id
                                  AND (t.role = 'review' AND t.state = 'waiting'
                                       OR t.state = 'retrying' AND t.error LIKE '%\"over_budget\"%')))",
    sqlite: "-- patience.below
        WITH RECURSIVE down AS (
            SELECT s.id AS top, s.id, '' AS kind, '' AS state FROM sagas s WHERE s.id = $1
             UNION ALL SELECT down.top, c.id, c.kind, c.state FROM down JOIN sagas c ON c.parent_id = down.id)
        SELECT DISTINCT top FROM down
         WHERE state IN ('parked', 'paused', 'stuck')
            OR state IN ('queued', 'running', 'waiting')
               AND (EXISTS (SELECT 1 FROM kind_switches k WHERE k.kind = down.kind AND k.mode = 'paused')
                    OR EXISTS (SELECT 1 FROM steps t WHERE t.saga_id = down.id
                                  AND (t.role = 'review' AND t.state = 'waiting'
                                       OR t.state = 'retrying' AND t.error LIKE '%\"over_budget\"%')))",
};

/// Those of these sagas, which are locked, that wait for one that stands still: a child, a child of a child, and
/// so on.
pub(super) async fn kept_waiting(tx: &mut Tx, late: Vec<Uuid>) -> sqlx::Result<BTreeSet<Uuid>> {
    if late.is_empty() {
        return Ok(BTreeSet::new());
    }
    let waiting: Vec<(Uuid,)> = tx.batch(BELOW).column(late).all().await?;
    Ok(waiting.into_iter().map(|(id,)| id).collect())
}

/// Gives everybody their time anew who waits for one of `runs` that stood still and moves again. They are locked
/// already, by `load::whole`, and join `runs`.
pub(super) async fn count_anew(
    tx: &mut Tx,
    runs: &mut Vec<Run>,
    store: &Store,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let above = |run: &Run| run.saga.parent.as_ref().map(|parent| parent.id);
    let moving = runs.iter().filter(|run| run.moves_again());
    let mut next: BTreeSet<Uuid> = moving.filter_map(above).collect();
    let mut met = BTreeSet::new();
    while !next.is_empty() {
        children::join(tx, runs, next.clone(), store).await?;
        met.extend(next.iter().copied());
        let mut further = BTreeSet::new();
        for run in runs.iter_mut().filter(|run| next.contains(&run.saga.id)) {
            run.count_anew(&store.kinds, now);
            further.extend(above(run));
        }
        next = further.difference(&met).copied().collect();
    }
    Ok(())
}
