//! `persona.discard_draft`, `persona.discard_picture`: take back what a forge left behind.

use crate::blobs::Blobs;
use domain::mirror::forge::{DiscardDraft, DiscardPicture};
use domain::mirror::store::forging;
use saga_core::db::Tx;
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError};

/// Does `persona.discard_draft`.
pub struct DraftDiscarder;

impl Handler<DiscardDraft> for DraftDiscarder {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: DiscardDraft, _: &StepContext) -> Result<DiscardDraft, StepError> {
        Ok(step)
    }

    async fn record(
        &self,
        discarded: DiscardDraft,
        _: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        forging::draft_discarded(tx, discarded)
            .await
            .map_err(StepError::retry)
    }
}

/// Does `persona.discard_picture`.
pub struct PictureDiscarder {
    /// Where the files are.
    pub blobs: Blobs,
}

impl Handler<DiscardPicture> for PictureDiscarder {
    async fn run(
        &self,
        step: DiscardPicture,
        _: &StepContext,
    ) -> Result<DiscardPicture, StepError> {
        self.blobs
            .delete(step.media)
            .await
            .map_err(StepError::retry)?;
        Ok(step)
    }

    async fn record(
        &self,
        discarded: DiscardPicture,
        _: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        forging::picture_discarded(tx, discarded)
            .await
            .map_err(StepError::retry)
    }
}
