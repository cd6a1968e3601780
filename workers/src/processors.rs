//! Work that takes a processor for a while: as much of it at once as there are processors, the rest in turn.

use std::num::NonZero;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use tokio::sync::Semaphore;
use tokio::task::JoinError;

/// Who draws holds megabytes meanwhile, and of ten that share a processor each takes ten times as long. A worker
/// may have more steps in hand than processors, since most steps wait for somebody else.
static FREE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(processors())));

fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// Does it away from the threads that tasks share. It goes on, and keeps its processor, though nobody waits for it
/// any more.
pub(crate) async fn take<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    let turn = Arc::clone(&FREE).acquire_owned().await;
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
        done
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::{processors, take};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn no_more_is_done_at_once_than_there_are_processors() {
        let processors = processors();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let works = (0..4 * processors).map(|n| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            take(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
                n
            })
        });
        let done = futures_util::future::try_join_all(works).await.unwrap();
        assert_eq!(done, (0..4 * processors).collect::<Vec<_>>());
        assert!((1..=processors).contains(&most.load(Ordering::SeqCst)));
    }

    #[tokio::test]
    async fn a_panic_gives_its_processor_back() {
        let processors = processors();
        for _ in 0..=processors {
            assert!(
                take(|| panic!("what was drawn is no picture"))
                    .await
                    .unwrap_err()
                    .is_panic()
            );
        }
        assert_eq!(take(|| 1).await.unwrap(), 1);
    }
}
