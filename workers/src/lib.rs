//! Does the work of every step: asks the models, draws, keeps the files.

pub mod blobs;
mod deps;
#[cfg(feature = "faults")]
pub mod drill;
mod processors;
pub mod providers;
pub mod steps;
pub mod worker;

pub use deps::{Deps, DepsError};

use domain::demo::{Stumble, Touch, TouchImage};
use process::Settings;
use saga_core::Handlers;
use saga_core::schedule::Schedule;
use std::sync::Arc;
use steps::{
    activate, aggregate, compose, cover, demo, derive, discard, embed, erase, group, paint,
    publish, round, write,
};

/// What begins by the clock.
#[must_use]
pub fn schedules(settings: &Settings) -> Vec<Schedule> {
    let rounds = settings.topic_rounds.iter();
    rounds
        .map(|when| domain::topics::rounds::scheduled(&when.cron, &when.time_zone))
        .collect()
}

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
        .with(round::Claimer)
        .with(embed::IdeaEmbedder {
            embed: deps.embed.clone(),
        })
        .with(group::Grouper {
            embed: deps.embed.clone(),
        })
        .with(round::Chooser)
        .with(round::Releaser)
        .with(round::Giver)
        .with(round::Forgetter)
        .with(compose::Composer {
            text: Arc::clone(&deps.text),
        })
        .with(cover::CoverPainter {
            image: Arc::clone(&deps.image),
            blobs: deps.blobs.clone(),
        })
        .with(publish::Publisher)
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
