//! Sagas as their callers see them: the envelope, the cache it is served from, and whoever waits.

pub(crate) mod answer;
mod backlog;
mod beside;
mod board;
mod envelope;
mod watch;

pub(crate) use board::Seen;
pub(crate) use envelope::{Job, Status};

use crate::prefer::Wait;
use crate::problem::{Code, Problem};
use backlog::Backlog;
use beside::Beside;
use board::Board;
use chrono::{DateTime, Utc};
use saga_core::Store;
use saga_core::group::Group;
use saga_core::run::{Run, SagaRow};
use saga_core::state::SagaState;
use saga_core::store::NewSaga;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use watch::Watch;

/// Jobs looked up in one read.
const LOADS_MAX: usize = 256;

type Loaded = Result<Option<Arc<Seen>>, Arc<sqlx::Error>>;

/// Jobs as their callers see them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Jobs {
    store: Store,
    board: Arc<Board>,
    watch: Watch,
    loads: Group<Uuid, Loaded>,
    closing: CancellationToken,
}

impl Jobs {
    /// Starts the loops that jobs are read and watched by.
    pub(crate) fn start(store: Store, closing: CancellationToken) -> Self {
        let board = Arc::new(Board::new(store.clone(), Backlog::new(store.db().clone())));
        let reader = Arc::clone(&board);
        let (loads, loading) = Group::start(LOADS_MAX, 1, move |ids: Vec<Uuid>| {
            let board = Arc::clone(&reader);
            Box::pin(async move { load(&board, ids).await })
        });
        let (watch, watching) = Watch::start(Arc::clone(&board), closing.clone());
        let loops = TaskTracker::new();
        loops.spawn(loading);
        loops.spawn(watching);
        Self {
            store,
            board,
            watch,
            loads,
            closing,
        }
    }

    /// A job, at most a tenth of a second old.
    pub(crate) async fn get(&self, id: Uuid) -> Result<Option<Arc<Seen>>, Problem> {
        if let Some(seen) = self.board.recent(id).await {
            return Ok(Some(seen));
        }
        match self.loads.ask(id).await {
            Ok(Ok(seen)) => Ok(seen),
            Ok(Err(error)) => {
                tracing::warn!(%error, "Jobs could not be read");
                Err(Problem::new(
                    Code::Unavailable,
                    "The store does not answer; try again in a moment.",
                )
                .retry_after(1))
            }
            Err(_) => Err(Problem::new(
                Code::Unavailable,
                "This server is shutting down; try again.",
            )
            .retry_after(1)),
        }
    }

    /// A job as it is now.
    pub(crate) async fn fresh(&self, id: Uuid) -> Result<Option<Arc<Seen>>, Problem> {
        Ok(self.board.check(BTreeSet::from([id])).await?.remove(&id))
    }

    /// Waits until the job is done, but no longer than the caller would.
    pub(crate) async fn wait(&self, seen: Arc<Seen>, wait: Wait) -> Arc<Seen> {
        if seen.done {
            return seen;
        }
        let mut following = self.watch.follow(Arc::clone(&seen));
        let until_done = async {
            let done = following.wait_for(|seen| seen.done).await;
            done.map(|seen| Arc::clone(&seen)).ok()
        };
        tokio::select! {
            done = tokio::time::timeout(wait.length(), until_done) => done.ok().flatten(),
            () = self.closing.cancelled() => None,
        }
        .unwrap_or_else(|| self.watch.latest(&seen))
    }

    /// Tells of every change of a job.
    pub(crate) fn follow(&self, seen: Arc<Seen>) -> tokio::sync::watch::Receiver<Arc<Seen>> {
        self.watch.follow(seen)
    }

    /// A job that was accepted at `now`, without asking the store: the same function that the engine
    /// ran says what its first steps are.
    pub(crate) fn accepted(&self, new: NewSaga, now: DateTime<Utc>) -> Arc<Seen> {
        let deadline = self
            .store
            .kinds()
            .get(&new.kind)
            .and_then(|kind| kind.deadline);
        let saga = SagaRow {
            id: new.id,
            kind: new.kind,
            state: SagaState::Queued,
            ending: None,
            input: new.input,
            output: None,
            error: None,
            owner_id: new.owner_id,
            request_id: new.request_id,
            trace: None,
            singleton: new.singleton,
            phase: None,
            seq: 0,
            inbox: 0,
            pivoted: false,
            degraded: false,
            letter_id: None,
            replay_of: new.replay_of,
            parent: None,
            parked_until: None,
            deadline_at: deadline.and_then(|length| {
                now.checked_add_signed(chrono::TimeDelta::from_std(length).ok()?)
            }),
            wake_at: None,
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
        };
        let mut run = Run::loaded(saga, vec![], vec![]);
        run.go_on(self.store.kinds(), now);
        Arc::new(self.board.render(&run, &Beside::default()))
    }

    /// Many jobs at once, for a list.
    pub(crate) async fn envelopes(&self, ids: &[Uuid]) -> sqlx::Result<BTreeMap<Uuid, Job>> {
        let runs = self.store.view(ids).await?;
        let beside = Beside::of(&self.store, &runs).await?;
        let told = |(id, run): (Uuid, Run)| (id, self.board.envelope(&run, &beside));
        Ok(runs.into_iter().map(told).collect())
    }
}

async fn load(board: &Board, ids: Vec<Uuid>) -> Vec<Loaded> {
    let mut found = BTreeMap::new();
    let mut wanted = BTreeSet::new();
    for id in &ids {
        match board.recent(*id).await {
            Some(seen) => drop(found.insert(*id, seen)),
            None => drop(wanted.insert(*id)),
        }
    }
    match board.check(wanted).await {
        Ok(checked) => {
            found.extend(checked);
            ids.iter().map(|id| Ok(found.get(id).cloned())).collect()
        }
        Err(error) => {
            let error = Arc::new(error);
            ids.iter()
                .map(|id| {
                    found
                        .get(id)
                        .cloned()
                        .map_or_else(|| Err(Arc::clone(&error)), |seen| Ok(Some(seen)))
                })
                .collect()
        }
    }
}
