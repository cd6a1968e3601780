//! Every saga of Chorus.

use crate::accounts::erase::{CloseAccount, EraseAccount, EraseFiles, EraseRows};
use crate::topics::draft::{ComposeTopic, DraftTopic, PaintCover, PublishTopic};
use crate::topics::round::{
    ChooseClusters, ClaimIdeas, ClusterIdeas, EmbedIdeas, ReleaseIdeas, RunRound,
};
use crate::{demo, mirror};
use demo::{DemoFail, DemoPair, DemoRelay, Stumble, Touch, TouchImage};
use mirror::forge::{
    ActivatePersona, AggregateAnswers, DerivePictures, ForgePersona, PaintPortrait, WritePersona,
};
use saga_core::{Kinds, Saga as _, Step as _};

/// Every saga of Chorus, by kind.
#[must_use]
pub fn kinds() -> Kinds {
    let kinds = Kinds::default()
        .with::<ForgePersona>()
        .with::<EraseAccount>()
        .with::<RunRound>()
        .with::<DraftTopic>()
        .with::<DemoPair>()
        .with::<DemoRelay>()
        .with::<DemoFail>();
    #[cfg(feature = "faults")]
    let kinds = kinds.with::<crate::drill::DrillTrip>();
    kinds
}

/// The steps that a kind takes when all goes well, by name: a saga itself tells them one by one. Empty
/// for a kind that is not known.
#[must_use]
pub fn plan(kind: &str) -> &'static [&'static str] {
    match kind {
        ForgePersona::KIND => &[
            AggregateAnswers::NAME,
            WritePersona::NAME,
            PaintPortrait::NAME,
            DerivePictures::NAME,
            ActivatePersona::NAME,
        ],
        RunRound::KIND => &[
            ClaimIdeas::NAME,
            EmbedIdeas::NAME,
            ClusterIdeas::NAME,
            ChooseClusters::NAME,
            ReleaseIdeas::NAME,
        ],
        DraftTopic::KIND => &[ComposeTopic::NAME, PaintCover::NAME, PublishTopic::NAME],
        EraseAccount::KIND => &[CloseAccount::NAME, EraseFiles::NAME, EraseRows::NAME],
        DemoPair::KIND => &[Touch::NAME, Touch::NAME],
        DemoRelay::KIND => &[Touch::NAME, TouchImage::NAME],
        DemoFail::KIND => &[Stumble::NAME],
        _ => &[],
    }
}
