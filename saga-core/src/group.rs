//! Does many small things as one: whoever comes while a batch is under way goes with the next.
//!
//! With nothing to do it lingers for nothing: the first comer goes at once, alone.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

type Waiting<T, R> = (T, oneshot::Sender<R>);

/// A queue of items that are worked off in batches, one batch at a time.
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
    /// Starts a worker that hands at most `batch_max` items to `work`, which answers each in place.
    /// It ends when the last handle is dropped. A panic costs its own batch the answers, no other.
    pub fn start(
        batch_max: usize,
        work: impl Fn(Vec<T>) -> BoxFuture<'static, Vec<R>> + Send + Sync + 'static,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (waiting, mut inbox) = mpsc::channel::<Waiting<T, R>>(batch_max * 4);
        let work = Arc::new(work);
        let run = async move {
            let mut batch = Vec::with_capacity(batch_max);
            while inbox.recv_many(&mut batch, batch_max).await > 0 {
                let (items, answers): (Vec<T>, Vec<oneshot::Sender<R>>) = batch.drain(..).unzip();
                let Ok(results) = AssertUnwindSafe(work(items)).catch_unwind().await else {
                    tracing::error!(
                        waiting = answers.len(),
                        "A batch panicked: this is a fault of the program, please report it"
                    );
                    continue;
                };
                for (answer, result) in answers.into_iter().zip(results) {
                    drop(answer.send(result)); // whoever asked may have gone
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
