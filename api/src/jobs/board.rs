//! Rendered jobs: read in batches, checked by their number of events, kept for all who poll.

use super::backlog::Backlog;
use super::beside::Beside;
use super::envelope::{Job, Status};
use axum::body::Bytes;
use axum::http::HeaderValue;
use chrono::{DateTime, Utc};
use moka::future::Cache;
use moka::ops::compute::Op;
use saga_core::Store;
use saga_core::db::Sql;
use saga_core::run::Run;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How old a live job may be.
const LIVE_MS_MAX: u64 = 100;
/// Memory for rendered jobs.
const BYTES_MAX: u64 = 2 * 1024 * 1024;
/// How long a job stays that nobody asks for.
const IDLE_MAX: Duration = Duration::from_mins(10);

/// A job as it was seen, ready to be sent.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: Uuid,
    pub(crate) owner: Option<Uuid>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) status: Status,
    pub(crate) done: bool,
    /// The number of its newest event: it rises with every change.
    pub(crate) seq: i64,
    pub(crate) body: Bytes,
    pub(crate) etag: HeaderValue,
    /// While it is queued: what else its place changes.
    queued: Option<Queued>,
    checked_ms: AtomicU64,
}

impl Seen {
    /// Whether it will always look so: one that failed may still be begun again.
    fn is_fixed(&self) -> bool {
        self.status == Status::Succeeded
    }
}

#[derive(Debug)]
struct Queued {
    run: Run,
    queue: Option<String>,
    look: u64,
}

/// Every job that somebody asked for lately.
pub(crate) struct Board {
    store: Store,
    backlog: Backlog,
    seen: Cache<Uuid, Arc<Seen>>,
    began: Instant,
}

const MARKS: Sql = Sql {
    postgres: "-- board.marks
        SELECT id, seq FROM sagas WHERE id = ANY($1)",
    sqlite: "-- board.marks
        SELECT id, seq FROM sagas WHERE id = $1",
};

impl Board {
    pub(super) fn new(store: Store, backlog: Backlog) -> Self {
        let weight =
            |_: &Uuid, seen: &Arc<Seen>| u32::try_from(seen.body.len() + 512).unwrap_or(u32::MAX);
        let seen = Cache::builder()
            .max_capacity(BYTES_MAX)
            .weigher(weight)
            .time_to_idle(IDLE_MAX)
            .build();
        Self {
            store,
            backlog,
            seen,
            began: Instant::now(),
        }
    }

    /// A job that was looked at a moment ago, or is over.
    pub(super) async fn recent(&self, id: Uuid) -> Option<Arc<Seen>> {
        let seen = self.seen.get(&id).await?;
        (seen.is_fixed()
            || self
                .now_ms()
                .saturating_sub(seen.checked_ms.load(Ordering::Relaxed))
                < LIVE_MS_MAX)
            .then_some(seen)
    }

    /// Jobs as they are now; those that do not exist are left out.
    pub(super) async fn check(
        &self,
        ids: BTreeSet<Uuid>,
    ) -> sqlx::Result<BTreeMap<Uuid, Arc<Seen>>> {
        let mut found = BTreeMap::new();
        let (mut known, mut unread) = (BTreeMap::new(), vec![]);
        for id in ids {
            match self.seen.get(&id).await {
                Some(seen) if seen.is_fixed() => drop(found.insert(id, seen)),
                Some(seen) => drop(known.insert(id, seen)),
                None => unread.push(id),
            }
        }
        if !known.is_empty() {
            let ids: Vec<Uuid> = known.keys().copied().collect();
            let marks: Vec<(Uuid, i64)> = self.store.db().read(MARKS, &ids).await?;
            let same = |seen: &Seen, seq| seen.seq == seq;
            let queues = known
                .values()
                .filter_map(|seen| seen.queued.as_ref()?.queue.clone())
                .collect();
            self.backlog.look(queues).await?;
            for (id, seq) in marks {
                match known.remove(&id) {
                    Some(seen) if same(&seen, seq) => {
                        drop(found.insert(id, self.renew(seen).await));
                    }
                    Some(_) | None => unread.push(id),
                }
            }
        }
        if !unread.is_empty() {
            let runs = self.store.view(&unread).await?;
            let queued = runs
                .values()
                .filter(|run| Status::of(&run.saga) == Status::Queued);
            let names = queued
                .filter_map(|run| run.steps.iter().find_map(|step| step.queue.clone()))
                .collect();
            self.backlog.look(names).await?;
            let beside = Beside::of(&self.store, &runs).await?;
            for (id, run) in runs {
                let seen = self.render(&run, &beside);
                found.insert(id, self.keep(seen).await);
            }
        }
        Ok(found)
    }

    /// Nothing happened to it, but while it is queued its place may have changed.
    async fn renew(&self, seen: Arc<Seen>) -> Arc<Seen> {
        if let Some(queued) = &seen.queued
            && self.backlog.place(&queued.run).1 != queued.look
        {
            return self
                .keep(self.render(&queued.run, &Beside::default()))
                .await;
        }
        seen.checked_ms.store(self.now_ms(), Ordering::Relaxed);
        seen
    }

    /// Keeps what was seen, unless somebody saw something newer meanwhile.
    async fn keep(&self, seen: Seen) -> Arc<Seen> {
        let seen = Arc::new(seen);
        let newer = |kept: Option<moka::Entry<Uuid, Arc<Seen>>>| {
            let older = kept.is_none_or(|kept| kept.value().seq <= seen.seq);
            std::future::ready(if older {
                Op::Put(Arc::clone(&seen))
            } else {
                Op::Nop
            })
        };
        let result = self.seen.entry(seen.id).and_compute_with(newer).await;
        result.into_entry().map_or(seen, moka::Entry::into_value)
    }

    pub(super) fn envelope(&self, run: &Run, beside: &Beside) -> Job {
        beside.tell(run, self.backlog.place(run).0)
    }

    pub(super) fn render(&self, run: &Run, beside: &Beside) -> Seen {
        let (place, look) = self.backlog.place(run);
        let queue = run.steps.iter().find_map(|step| step.queue.clone());
        let job = beside.tell(run, place);
        let body = Bytes::from(serde_json::to_vec(&job).unwrap_or_default());
        Seen {
            id: job.id,
            owner: run.saga.owner_id,
            created_at: job.created_at,
            status: job.status,
            done: job.done,
            seq: run.saga.seq,
            etag: crate::etag::tag(&body),
            body,
            queued: (job.status == Status::Queued).then(|| Queued {
                run: without_inputs(run),
                queue,
                look,
            }),
            checked_ms: AtomicU64::new(self.now_ms()),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A queued saga without what nobody is told: inputs may be 64 KiB each, and the cache is small.
fn without_inputs(run: &Run) -> Run {
    let mut run = run.clone();
    run.saga.input = Value::Null;
    for step in &mut run.steps {
        step.input = Value::Null;
    }
    run
}
