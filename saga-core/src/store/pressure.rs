//! Queues that hold more than they may: new sagas that would begin there are turned away, so that nobody is told
//! to wait for what cannot be done in time.

use super::{NewSaga, StartError, Store};
use crate::state::StepState;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// How deep a queue may be, and which are deeper, as this process knows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pressure {
    most: Option<u64>,
    over: Arc<RwLock<BTreeMap<String, u64>>>,
}

impl Store {
    /// The same, turning away what would begin in a queue of more than so many ready steps.
    #[must_use]
    pub fn with_depth_max(mut self, most: u64) -> Self {
        self.pressure.most = Some(most);
        self
    }

    /// Reads how deep the queues are; from then on this process acts by it. Steps that no worker may take
    /// now, since their kind is switched off or at its limit, do not count.
    pub async fn look_at_depths(&self) -> sqlx::Result<()> {
        let Some(most) = self.pressure.most else {
            return Ok(());
        };
        let mut deep: BTreeMap<String, u64> = BTreeMap::new();
        for standing in self.standing().await? {
            if standing.state == StepState::Ready.as_str() {
                *deep.entry(standing.queue).or_default() +=
                    u64::try_from(standing.steps).unwrap_or(0);
            }
        }
        deep.retain(|_, ready| *ready > most);
        let mut over = (self.pressure.over.write()).unwrap_or_else(PoisonError::into_inner);
        for (queue, ready) in &deep {
            if !over.contains_key(queue) {
                tracing::warn!(
                    queue,
                    ready,
                    most,
                    "The queue is full: new jobs are turned away"
                );
            }
        }
        *over = deep;
        Ok(())
    }

    /// Refuses a saga that would begin in a queue that is full. Whoever repeats a command that was accepted is
    /// refused, too, and may ask again: it keeps its id.
    pub(crate) fn admit(&self, new: &NewSaga) -> Result<(), StartError> {
        let over = (self.pressure.over.read()).unwrap_or_else(PoisonError::into_inner);
        if over.is_empty() {
            return Ok(());
        }
        for draft in self.drafts(std::slice::from_ref(new)) {
            for step in draft.steps {
                let queue = step.queue.filter(|_| step.state == StepState::Ready);
                let Some(queue) = queue else { continue };
                if let Some(ready) = over.get(&queue).copied() {
                    return Err(StartError::Full { queue, ready });
                }
            }
        }
        Ok(())
    }
}
