//! Takes steps under a lease: only what is ready, in the turn that the ticket names.

use super::admission::Admission;
use super::write::Rows;
use super::{Store, load, save};
use crate::db::{Db, Durability};
use crate::journal::Key;
use crate::run::{Lease, Run};
use crate::state::StepState;
use crate::ticket::Ticket;
use crate::trace::Trace;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::{sync::Arc, time::Duration};
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
    /// How long it stood in its queue; none if it was ready before.
    pub waited: Option<Duration>,
    /// Whose saga it is.
    pub owner_id: Option<Uuid>,
    /// The request that started the saga.
    pub request_id: String,
    /// Whether the store knows. If not, nobody is kept from the step, and its answer counts only if
    /// the saga is still as it was seen.
    pub leased: bool,
    /// The trace that the saga belongs to.
    pub trace: Option<Trace>,
    /// The whole saga as this claim leaves it.
    pub seen: Option<Seen>,
}

/// A whole saga as a worker last saw it. As long as nobody changes it, the worker's answer can be
/// written without reading it again.
#[derive(Debug, Clone)]
pub struct Seen(Arc<Run>);

impl Seen {
    /// A copy, to be moved on.
    pub(super) fn run(&self) -> Run {
        Run::clone(&self.0)
    }
}

/// Sagas that were just written.
pub(super) struct AllSeen(BTreeMap<Uuid, Seen>);

impl AllSeen {
    /// All of these sagas' changes are in the store, or nobody asks for them any more.
    pub(super) fn of(runs: impl IntoIterator<Item = Run>) -> Self {
        let seen = |run: Run| (run.saga.id, Seen(Arc::new(run)));
        let runs = runs.into_iter().map(Run::saved).filter(Run::is_whole);
        Self(runs.map(seen).collect())
    }

    /// Tells each what its saga looks like.
    pub(super) fn give<'c>(&self, claimed: impl Iterator<Item = &'c mut Claimed>) {
        for claimed in claimed {
            claimed.seen = self.0.get(&claimed.saga).cloned();
        }
    }
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
            waited: step.waited(),
            owner_id: run.saga.owner_id,
            request_id: run.saga.request_id.clone(),
            leased: true,
            trace: run.saga.trace.clone(),
            seen: None,
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
        self.take(tickets, lease, |_, _| false).await
    }

    /// As [`Store::claim`], but the first attempts that `unleased` picks are only looked at: the claim
    /// is written together with the answer, if nobody has changed the saga by then. A saga that is
    /// after two of its steps at once is not picked, nor is one on SQLite, whose single process would
    /// run into a deadly step again at each start, and never count.
    pub(crate) async fn take(
        &self,
        tickets: &[Ticket],
        lease: &Lease,
        unleased: impl Fn(usize, &Claimed) -> bool,
    ) -> sqlx::Result<Vec<Option<Claimed>>> {
        match &self.db {
            Db::Postgres(_) => self.claim_seen(tickets, lease, unleased).await,
            Db::Sqlite { .. } => self.claim_locked(tickets, lease).await,
        }
    }

    /// Reads without a lock, and takes what nobody has changed meanwhile, which is nearly always all:
    /// two round trips where a transaction makes five. The others are looked at once more, locked.
    async fn claim_seen(
        &self,
        tickets: &[Ticket],
        lease: &Lease,
        unleased: impl Fn(usize, &Claimed) -> bool,
    ) -> sqlx::Result<Vec<Option<Claimed>>> {
        let sagas = tickets.iter().map(|ticket| ticket.saga).collect();
        let (mut runs, now) = load::seen(&self.db, &sagas).await?;
        let Some(now) = now else {
            return Ok(vec![None; tickets.len()]); // nothing of the kind is there
        };
        self.clock.told(now);
        // These are counted, or join a line, which takes a lock; the others do not wait for it.
        let rules = self.rules.now();
        let counted = |_: &Uuid, run: &mut Run| rules.concern(&run.saga.kind);
        let counted = runs.extract_if(.., counted).map(|(id, _)| id);
        let counted: BTreeSet<Uuid> = counted.collect();
        if runs.is_empty() {
            return self.claim_locked(tickets, lease).await;
        }
        let mut claimed = self.mark(&mut runs, tickets, &mut Admission::default(), (lease, now));
        leave_unleased(&mut claimed, &mut runs, unleased);
        let mut runs: Vec<Run> = runs.into_values().collect();
        let changed = save::changed(&mut runs, now);
        let written = if changed.is_empty() {
            BTreeSet::new()
        } else {
            match Rows::of(&changed).write_alone(&self.db, now).await {
                Some(written) => written?,
                None => return self.claim_locked(tickets, lease).await,
            }
        };
        let lost: Vec<usize> = (0..tickets.len())
            .filter(|at| {
                let leased = claimed[*at].as_ref().filter(|claimed| claimed.leased);
                let lost = leased.is_some_and(|claimed| !written.contains(&claimed.saga));
                lost || counted.contains(&tickets[*at].saga)
            })
            .collect();
        let leased = claimed.iter_mut().flatten().filter(|one| one.leased);
        AllSeen::of(runs).give(leased);
        if lost.is_empty() {
            return Ok(claimed);
        }
        if written.is_empty() && claimed.iter().flatten().all(|one| one.leased) {
            return self.claim_locked(tickets, lease).await;
        }
        // Those that are taken must be worked on before their leases run out.
        let again: Vec<Ticket> = lost.iter().map(|at| tickets[*at].clone()).collect();
        let looked = tokio::time::timeout(lease.length / 4, self.claim_locked(&again, lease));
        let found = looked.await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        let found = found.unwrap_or_else(|error| {
            // Their steps get another ticket in a while.
            tracing::warn!(%error, steps = lost.len(), "Steps could not be claimed");
            vec![None; lost.len()]
        });
        for (at, found) in lost.into_iter().zip(found) {
            claimed[at] = found;
        }
        Ok(claimed)
    }

    async fn claim_locked(
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
        let rules = self.rules.now();
        let mut admission = Admission::of(&mut tx, rules, runs.values(), now).await?;
        let claimed = self.mark(&mut runs, tickets, &mut admission, (lease, now));
        if claimed.iter().any(Option::is_some) || admission.kept_any() {
            admission.write(&mut tx).await?;
            let mut runs: Vec<Run> = runs.into_values().collect();
            save::save(&mut tx, &mut runs, self, now).await?;
            tx.commit().await?;
        }
        Ok(claimed)
    }

    /// Marks the steps as taken, in memory.
    fn mark(
        &self,
        runs: &mut BTreeMap<Uuid, Run>,
        tickets: &[Ticket],
        admission: &mut Admission,
        (lease, now): (&Lease, DateTime<Utc>),
    ) -> Vec<Option<Claimed>> {
        let take = |ticket: &Ticket| {
            let run = runs.get_mut(&ticket.saga)?;
            run.saga.trace.clone_from(&ticket.trace);
            let at = run.find(&ticket.step)?;
            let admitted = admission.admits(run, at, ticket.turn, now);
            (admitted && run.claim(at, ticket.turn, lease, now)).then(|| {
                admission.took(run, at);
                run.arm_deadline(&self.kinds);
                Claimed::of(run, at)
            })
        };
        tickets.iter().map(take).collect()
    }
}

/// Takes the sagas out of `runs` whose claims are not to be written now.
fn leave_unleased(
    claimed: &mut [Option<Claimed>],
    runs: &mut BTreeMap<Uuid, Run>,
    unleased: impl Fn(usize, &Claimed) -> bool,
) {
    let mut taken: BTreeMap<Uuid, usize> = BTreeMap::new();
    for claimed in claimed.iter().flatten() {
        *taken.entry(claimed.saga).or_default() += 1;
    }
    for (at, claimed) in claimed.iter_mut().enumerate() {
        let Some(claimed) = claimed else { continue };
        let first = claimed.attempt == 1 && taken.get(&claimed.saga) == Some(&1);
        if !first || !unleased(at, claimed) {
            continue;
        }
        if let Entry::Occupied(run) = runs.entry(claimed.saga)
            && run.get().is_whole()
            && is_alone(run.get(), &claimed.key)
        {
            claimed.leased = false;
            claimed.seen = Some(Seen(Arc::new(run.remove())));
        }
    }
}

/// Whether a step may go without a lease: nobody else is at its saga, whose answer would overtake this one, and
/// no earlier ticket of it came to nothing. A handler that hangs would else be begun again with each ticket.
fn is_alone(run: &Run, key: &Key) -> bool {
    run.steps.iter().all(|step| {
        let busy = matches!(
            step.state,
            StepState::Ready | StepState::Leased | StepState::Retrying
        );
        if step.key == *key {
            step.tickets <= 1
        } else {
            !busy
        }
    })
}
