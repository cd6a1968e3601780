//! What a job tells of its saga that the saga's own rows do not: what it spent, and as which it was begun again.

use super::backlog::Place;
use super::envelope::{Job, may_have_spent};
use saga_core::Store;
use saga_core::run::Run;
use saga_core::store::Spent;
use std::collections::BTreeMap;
use uuid::Uuid;

/// That, of some sagas.
#[derive(Default)]
pub(super) struct Beside {
    spent: BTreeMap<Uuid, Spent>,
    again: BTreeMap<Uuid, Uuid>,
}

impl Beside {
    /// Most sagas can have neither, and are not asked about.
    pub(super) async fn of(store: &Store, runs: &BTreeMap<Uuid, Run>) -> sqlx::Result<Self> {
        let those = |which: fn(&Run) -> bool| -> Vec<Uuid> {
            let those = runs.values().filter(|run| which(run));
            those.map(|run| run.saga.id).collect()
        };
        let paying = those(may_have_spent);
        let failed = those(|run| run.saga.ending.is_some());
        let mut beside = Self::default();
        if !paying.is_empty() {
            beside.spent = store.spent(&paying).await?;
        }
        if !failed.is_empty() {
            beside.again = store.replayed_as(&failed).await?;
        }
        Ok(beside)
    }

    /// The job.
    pub(super) fn tell(&self, run: &Run, place: Option<Place>) -> Job {
        let id = run.saga.id;
        Job::of(run, place, self.spent.get(&id)).replayed_as(self.again.get(&id).copied())
    }
}
