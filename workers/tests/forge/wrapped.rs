//! The real handlers, each of which can be told to break, or to do everything twice.

use chorus_workers::Deps;
use chorus_workers::steps::{
    activate, aggregate, compose, cover, demo, derive, discard, embed, erase, group, paint,
    publish, round, write,
};
use domain::accounts::erase::{CloseAccount, EraseFiles, EraseRows, ReopenAccount};
use domain::demo::{Stumble, Touch, TouchImage};
use domain::mirror::forge::{
    ActivatePersona, AggregateAnswers, DerivePictures, DiscardDraft, DiscardPicture, PaintPortrait,
    WritePersona,
};
use domain::topics::draft::{ComposeTopic, PaintCover, PublishTopic};
use domain::topics::round::{
    ChooseClusters, ClaimIdeas, ClusterIdeas, EmbedIdeas, ForgetClusters, GiveBackIdeas,
    ReleaseIdeas,
};
use saga_core::db::Tx;
use saga_core::{Handler, Handlers, RecordOf, Step, StepContext, StepError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What goes wrong in this world.
#[derive(Clone, Default)]
pub(crate) struct Mischief(Arc<Inner>);

#[derive(Default)]
struct Inner {
    broken: Mutex<Option<&'static str>>,
    twice: AtomicBool,
}

impl Mischief {
    /// This step fails for good after it has done everything but answer.
    pub(crate) fn break_step(&self, name: &'static str) {
        *self.0.broken.lock().unwrap() = Some(name);
    }

    /// Every step runs twice and records twice, as if the first worker had been lost at the last moment.
    pub(crate) fn twice(&self) {
        self.0.twice.store(true, Ordering::SeqCst);
    }
}

struct Wrapped<H> {
    inner: H,
    mischief: Mischief,
}

fn copy<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap()
}

impl<S: Step, H: Handler<S>> Handler<S> for Wrapped<H> {
    async fn run(&self, step: S, cx: &StepContext) -> Result<S::Output, StepError> {
        if self.mischief.0.twice.load(Ordering::SeqCst) {
            self.inner.run(copy(&step), cx).await?;
        }
        let output = self.inner.run(step, cx).await?;
        if *self.mischief.0.broken.lock().unwrap() == Some(S::NAME) {
            return Err(StepError::fail("broken on purpose"));
        }
        Ok(output)
    }

    async fn record(&self, output: S::Output, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        if self.mischief.0.twice.load(Ordering::SeqCst) {
            self.inner.record(copy(&output), of, tx).await?;
        }
        self.inner.record(output, of, tx).await
    }
}

pub(crate) fn handlers(deps: &Deps, mischief: &Mischief) -> Handlers {
    let (text, image, blobs) = (
        Arc::clone(&deps.text),
        Arc::clone(&deps.image),
        deps.blobs.clone(),
    );
    let (writer, painter) = (Arc::clone(&text), Arc::clone(&image));
    let public_base_url = deps.public_base_url.clone();
    Handlers::default()
        .with::<AggregateAnswers>(wrap(aggregate::Aggregator, mischief))
        .with::<WritePersona>(wrap(write::Writer { text }, mischief))
        .with::<PaintPortrait>(wrap(
            paint::Painter {
                image,
                blobs: blobs.clone(),
            },
            mischief,
        ))
        .with::<DerivePictures>(wrap(
            derive::Deriver {
                blobs: blobs.clone(),
                public_base_url,
            },
            mischief,
        ))
        .with::<ActivatePersona>(wrap(activate::Activator, mischief))
        .with::<DiscardDraft>(wrap(discard::DraftDiscarder, mischief))
        .with::<DiscardPicture>(wrap(
            discard::PictureDiscarder {
                blobs: blobs.clone(),
            },
            mischief,
        ))
        .with::<ClaimIdeas>(wrap(round::Claimer, mischief))
        .with::<EmbedIdeas>(wrap(
            embed::IdeaEmbedder {
                embed: deps.embed.clone(),
            },
            mischief,
        ))
        .with::<ClusterIdeas>(wrap(
            group::Grouper {
                embed: deps.embed.clone(),
            },
            mischief,
        ))
        .with::<ChooseClusters>(wrap(round::Chooser, mischief))
        .with::<ReleaseIdeas>(wrap(round::Releaser, mischief))
        .with::<GiveBackIdeas>(wrap(round::Giver, mischief))
        .with::<ForgetClusters>(wrap(round::Forgetter, mischief))
        .with::<ComposeTopic>(wrap(compose::Composer { text: writer }, mischief))
        .with::<PaintCover>(wrap(
            cover::CoverPainter {
                image: painter,
                blobs: blobs.clone(),
            },
            mischief,
        ))
        .with::<PublishTopic>(wrap(publish::Publisher, mischief))
        .with::<CloseAccount>(wrap(erase::Closer, mischief))
        .with::<ReopenAccount>(wrap(erase::Reopener, mischief))
        .with::<EraseFiles>(wrap(erase::FileEraser { blobs }, mischief))
        .with::<EraseRows>(wrap(erase::RowEraser, mischief))
        .with::<Touch>(demo::Toucher)
        .with::<TouchImage>(demo::Toucher)
        .with::<Stumble>(demo::Stumbler)
}

fn wrap<H>(inner: H, mischief: &Mischief) -> Wrapped<H> {
    Wrapped {
        inner,
        mischief: mischief.clone(),
    }
}
