//! Where the crates below are put together: settings in, an API and handlers out.

use chorus_api::{ApiSettings, State};
use process::worker::Parts;
use process::{Fleet, Settings};

/// What a worker can do.
pub(crate) fn of_worker(settings: &Settings) -> anyhow::Result<Parts> {
    let deps = chorus_workers::Deps::of(settings)?;
    Ok(Parts {
        kinds: domain::catalog::kinds(),
        handlers: chorus_workers::handlers(&deps),
        schedules: chorus_workers::schedules(settings),
    })
}

/// An API on the connections of a process.
pub(crate) fn of_api(settings: &Settings, fleet: &Fleet) -> anyhow::Result<State> {
    Ok(State::new(
        fleet.client(),
        ApiSettings::of(settings)?,
        fleet.probe.clone(),
    )?)
}
