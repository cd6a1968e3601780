//! One loop that looks at every job that somebody waits for, and tells all of them what changed.

use super::board::{Board, Seen};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// The pause while few are watched and something has just happened: a short job is told at once.
const PAUSE_LIVELY: Duration = Duration::from_millis(10);
const LIVELY_FOR: Duration = Duration::from_secs(2);
const LIVELY_JOBS_MAX: usize = 16;
/// The pause after the store did not answer.
const PAUSE_BROKEN: Duration = Duration::from_secs(1);

/// Tells whoever waits. Cheap to clone.
#[derive(Clone)]
pub(super) struct Watch(Arc<Inner>);

struct Inner {
    watched: Mutex<Watched>,
    news: Notify,
}

#[derive(Default)]
struct Watched {
    jobs: BTreeMap<Uuid, watch::Sender<Arc<Seen>>>,
    lively_until: Option<Instant>,
}

impl Watch {
    /// A watch, and the loop that has to run for it.
    pub(super) fn start(
        board: Arc<Board>,
        closing: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let watch = Self(Arc::new(Inner {
            watched: Mutex::default(),
            news: Notify::new(),
        }));
        (watch.clone(), watch.run(board, closing))
    }

    /// Tells of every change after `seen`.
    pub(super) fn follow(&self, seen: Arc<Seen>) -> watch::Receiver<Arc<Seen>> {
        let mut watched = self.watched();
        watched.lively_until = Some(Instant::now() + LIVELY_FOR);
        let following = match watched.jobs.get(&seen.id) {
            Some(job) => {
                tell(job, &seen);
                job.subscribe()
            }
            None => watched
                .jobs
                .entry(seen.id)
                .or_insert(watch::Sender::new(seen))
                .subscribe(),
        };
        drop(watched);
        self.0.news.notify_one();
        following
    }

    /// The newest that is known of a job.
    pub(super) fn latest(&self, seen: &Arc<Seen>) -> Arc<Seen> {
        let watched = self.watched();
        let newest = watched
            .jobs
            .get(&seen.id)
            .map(|job| Arc::clone(&job.borrow()));
        newest
            .filter(|newest| newest.seq > seen.seq)
            .unwrap_or_else(|| Arc::clone(seen))
    }

    async fn run(self, board: Arc<Board>, closing: CancellationToken) {
        while !closing.is_cancelled() {
            let ids: Vec<Uuid> = {
                let mut watched = self.watched();
                watched
                    .jobs
                    .retain(|_, job| job.receiver_count() > 0 && !job.borrow().done);
                watched.jobs.keys().copied().collect()
            };
            let pause = if ids.is_empty() {
                None
            } else {
                Some(self.look(&board, ids).await)
            };
            tokio::select! {
                () = async { tokio::time::sleep(pause.unwrap_or_default()).await }, if pause.is_some() => {}
                () = self.0.news.notified(), if pause.is_none() => {}
                () = closing.cancelled() => {}
            }
        }
        self.watched().jobs.clear();
    }

    async fn look(&self, board: &Board, ids: Vec<Uuid>) -> Duration {
        let few = ids.len() <= LIVELY_JOBS_MAX;
        let found = match board.check(ids.into_iter().collect()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::debug!(%error, "Watched jobs could not be read");
                return PAUSE_BROKEN;
            }
        };
        let mut watched = self.watched();
        let mut changed = false;
        for (id, seen) in &found {
            changed |= watched.jobs.get(id).is_some_and(|job| tell(job, seen));
        }
        if changed {
            watched.lively_until = Some(Instant::now() + LIVELY_FOR);
        }
        let lively = few
            && watched
                .lively_until
                .is_some_and(|until| Instant::now() < until);
        if lively { PAUSE_LIVELY } else { PAUSE }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(job: &watch::Sender<Arc<Seen>>, seen: &Arc<Seen>) -> bool {
    job.send_if_modified(|known| {
        let newer = seen.seq > known.seq;
        if newer {
            *known = Arc::clone(seen);
        }
        newer
    })
}
