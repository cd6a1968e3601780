//! Does the work of every step: asks the models, draws, keeps the files.

pub mod blobs;
mod deps;
#[cfg(feature = "faults")]
pub mod drill;
pub mod providers;
pub mod steps;
pub mod worker;

pub use deps::{Deps, DepsError};

use domain::demo::{Stumble, Touch, TouchImage};
use saga_core::Handlers;
use std::sync::Arc;
use steps::{activate, aggregate, demo, derive, discard, erase, paint, write};

/// Every step that Chorus can do, whatever its queue.
#[must_use]
pub fn handlers(deps: &Deps) -> Handlers {
    let handlers = Handlers::default()
        .with(aggregate::Aggregator)
        .with(write::Writer {
            text: Arc::clone(&deps.text),
        })
        .with(paint::Painter {
            image: Arc::clone(&deps.image),
            blobs: deps.blobs.clone(),
        })
        .with(derive::Deriver {
            blobs: deps.blobs.clone(),
            public_base_url: deps.public_base_url.clone(),
        })
        .with(activate::Activator)
        .with(discard::DraftDiscarder)
        .with(discard::PictureDiscarder {
            blobs: deps.blobs.clone(),
        })
        .with(erase::Closer)
        .with(erase::Reopener)
        .with(erase::FileEraser {
            blobs: deps.blobs.clone(),
        })
        .with(erase::RowEraser)
        .with::<Touch>(demo::Toucher)
        .with::<TouchImage>(demo::Toucher)
        .with::<Stumble>(demo::Stumbler);
    #[cfg(feature = "faults")]
    let handlers = drill::handlers(handlers);
    handlers
}
