//! Does many small things as one: whoever comes while batches are under way goes with the next.
//!
//! With nothing to do it lingers for nothing: the first comer goes at once, alone.

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// So many items are worth another batch beside the one under way: each has a cost of its own.
const WORTH_ANOTHER: usize = 16;

type Waiting<T, R> = (T, oneshot::Sender<R>);

/// A queue of items that are worked off in batches.
pub struct Group<T, R> {
    waiting: mpsc::Sender<Waiting<T, R>>,
}

impl<T, R> Clone for Group<T, R> {
    fn clone(&self) -> Self {
        Self {
            waiting: self.waiting.clone(),
        }
    }
}

/// Nobody answered: the process is shutting down, or the batch's work panicked.
#[derive(Debug, thiserror::Error)]
#[error("shutting down")]
pub struct Closed;

impl<T: Send + 'static, R: Send + 'static> Group<T, R> {
    /// Starts a worker that hands at most `batch_max` items to `work`, which answers each in place, in at
    /// most `at_once` batches at a time: a second one makes use of the processor while the first waits for
    /// the disk, where the batches need not be done in order. It ends when the last handle is dropped. A
    /// panic costs its own batch the answers, no other.
    pub fn start(
        batch_max: usize,
        at_once: usize,
        work: impl Fn(Vec<T>) -> BoxFuture<'static, Vec<R>> + Send + Sync + 'static,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (waiting, mut inbox) = mpsc::channel::<Waiting<T, R>>(batch_max * 4);
        let work = Arc::new(work);
        let run = async move {
            let mut batch = Vec::with_capacity(batch_max);
            let mut under_way = FuturesUnordered::new();
            let mut open = true;
            while open || !under_way.is_empty() {
                let room = batch_max - batch.len();
                tokio::select! {
                    biased;
                    Some(()) = under_way.next() => {}
                    taken = inbox.recv_many(&mut batch, room), if open && room > 0 => open = taken > 0,
                }
                let worth = under_way.is_empty() || batch.len() >= WORTH_ANOTHER;
                if !batch.is_empty() && worth && under_way.len() < at_once {
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(batch_max));
                    under_way.push(answer(full, Arc::clone(&work)));
                }
            }
        };
        (Self { waiting }, run)
    }

    /// Adds an item and waits for its answer.
    pub async fn ask(&self, item: T) -> Result<R, Closed> {
        let (answer, answered) = oneshot::channel();
        self.waiting
            .send((item, answer))
            .await
            .map_err(|_| Closed)?;
        answered.await.map_err(|_| Closed)
    }
}

/// Works one batch off, and tells each what became of its item.
async fn answer<T, R, W>(batch: Vec<Waiting<T, R>>, work: Arc<W>)
where
    W: Fn(Vec<T>) -> BoxFuture<'static, Vec<R>>,
{
    let (items, answers): (Vec<T>, Vec<oneshot::Sender<R>>) = batch.into_iter().unzip();
    let Ok(results) = AssertUnwindSafe(async { work(items).await })
        .catch_unwind()
        .await
    else {
        tracing::error!(
            waiting = answers.len(),
            "A batch panicked: this is a fault of the program, please report it"
        );
        return;
    };
    for (answer, result) in answers.into_iter().zip(results) {
        drop(answer.send(result)); // whoever asked may have gone
    }
}

#[cfg(test)]
mod tests {
    use super::{Group, WORTH_ANOTHER};
    use std::sync::{Arc, Mutex};
    use tokio::sync::Semaphore;
    use tokio::task::JoinSet;

    /// Asks one item, and when that one's batch has begun, `more` at once; how large the batches are that
    /// begin before any of them ends. Each item is answered with its double.
    async fn begun_together(at_once: usize, more: usize) -> Vec<usize> {
        let (gate, begun) = (
            Arc::new(Semaphore::new(0)),
            Arc::<Mutex<Vec<usize>>>::default(),
        );
        let (open, sizes) = (Arc::clone(&gate), Arc::clone(&begun));
        let (group, run) = Group::start(128, at_once, move |items: Vec<usize>| {
            sizes.lock().unwrap().push(items.len());
            let open = Arc::clone(&open);
            Box::pin(async move {
                let _pass = open.acquire().await.unwrap();
                items.into_iter().map(|item| item * 2).collect()
            })
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            run.await;
            (0, Some(0))
        });
        let ask = |tasks: &mut JoinSet<_>, item: usize| {
            let group = group.clone();
            tasks.spawn(async move { (item * 2, group.ask(item).await.ok()) });
        };
        ask(&mut tasks, 1);
        while begun.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        for item in 2..2 + more {
            ask(&mut tasks, item);
        }
        // On this one thread each task runs once in every round.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let together = begun.lock().unwrap().clone();
        gate.add_permits(128);
        drop(group);
        while let Some(done) = tasks.join_next().await {
            let (wanted, answered) = done.unwrap();
            assert_eq!(answered, Some(wanted), "each is answered, with its own");
        }
        together
    }

    #[tokio::test]
    async fn whoever_comes_while_a_batch_is_under_way_goes_with_the_next() {
        assert_eq!(begun_together(1, 50).await, [1]);
    }

    #[tokio::test]
    async fn a_second_batch_goes_beside_the_first_once_enough_wait() {
        assert_eq!(begun_together(2, WORTH_ANOTHER - 1).await, [1]);
        assert_eq!(begun_together(2, WORTH_ANOTHER).await, [1, WORTH_ANOTHER]);
    }
}
