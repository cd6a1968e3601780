//! Takes steps under a lease: only what is ready, in the turn that the ticket names.

use super::{Store, load, save};
use crate::db::Durability;
use crate::journal::Key;
use crate::run::{Lease, Run};
use crate::ticket::Ticket;
use serde_json::Value;
use uuid::Uuid;

/// A step in this worker's hands.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its saga.
    pub saga: Uuid,
    /// The saga's kind.
    pub kind: String,
    /// The step's key within the saga.
    pub key: Key,
    /// The step's name.
    pub step: String,
    /// Its queue.
    pub queue: String,
    /// The step itself.
    pub input: Value,
    /// The turn it was claimed in.
    pub turn: i64,
    /// The claim's number: a settlement needs it.
    pub epoch: i64,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// Whose saga it is.
    pub owner_id: Option<Uuid>,
    /// The request that started the saga.
    pub request_id: String,
}

impl Claimed {
    pub(super) fn of(run: &Run, at: usize) -> Self {
        let step = &run.steps[at];
        Self {
            saga: run.saga.id,
            kind: run.saga.kind.clone(),
            key: step.key.clone(),
            step: step.step.clone(),
            queue: step.queue.clone().unwrap_or_default(),
            input: step.input.clone(),
            turn: step.turn,
            epoch: step.epoch,
            attempt: step.attempt,
            owner_id: run.saga.owner_id,
            request_id: run.saga.request_id.clone(),
        }
    }
}

impl Store {
    /// Takes the steps that `tickets` name. An answer stands where its ticket does; none means that
    /// the ticket is void: another has the step, or it is an old one.
    ///
    /// The commit is durable: a claim that a power cut swallowed would let undo skip a deed that some
    /// worker is in the middle of.
    pub async fn claim(
        &self,
        tickets: &[Ticket],
        lease: &Lease,
    ) -> sqlx::Result<Vec<Option<Claimed>>> {
        let mut tx = self.db.begin(Durability::Full).await?;
        let wanted: Vec<(Uuid, Key)> = tickets
            .iter()
            .map(|ticket| (ticket.saga, ticket.step.clone()))
            .collect();
        let mut runs = load::partial(&mut tx, &wanted).await?;
        let now = tx.now().await?;
        let take = |ticket: &Ticket| {
            let run = runs.get_mut(&ticket.saga)?;
            let at = run.find(&ticket.step)?;
            run.claim(at, ticket.turn, lease, now).then(|| {
                run.arm_deadline(&self.kinds);
                Claimed::of(run, at)
            })
        };
        let claimed: Vec<Option<Claimed>> = tickets.iter().map(take).collect();
        if claimed.iter().any(Option::is_some) {
            let mut runs: Vec<Run> = runs.into_values().collect();
            save::save(&mut tx, &mut runs, now).await?;
            tx.commit().await?;
        }
        Ok(claimed)
    }
}
