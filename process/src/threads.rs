//! The threads that a process's tasks run on.

use std::io;
use tokio::runtime::{Builder, Runtime};

/// As many as the machine has cores: of whoever answers many callers at once.
pub fn of_callers() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// One: a worker's tasks wait for the store, the broker and the models, and what computes, such as a picture,
/// has threads of its own. Measured, it does as many steps a second as two, in 2 to 3 MiB less: each thread
/// keeps a heap. More is done by more workers.
pub fn of_worker() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_worker_has_one_thread_for_its_tasks() {
        let runtime = super::of_worker().expect("threads can be had");
        assert_eq!(runtime.metrics().num_workers(), 1);
    }
}
