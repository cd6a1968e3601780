//! A worker process of one queue.

use crate::{Deps, handlers, schedules};
use process::worker::{Parts, main};
use saga_core::Queue;
use std::process::ExitCode;

/// The `main` of the binary that works `queue` off.
#[must_use]
pub fn run(queue: Queue) -> ExitCode {
    main(queue.0, |settings| {
        let deps = Deps::of(settings)?;
        Ok(Parts {
            kinds: domain::catalog::kinds(),
            handlers: handlers(&deps),
            schedules: schedules(settings),
        })
    })
}
