//! `topic.cover`: has the cover of a topic drawn, in all its sizes.

use super::pictures::{self, SIDES};
use super::{paint, seed};
use crate::blobs::Blobs;
use crate::providers::local::Street;
use crate::providers::{ImageModel, Picture};
use domain::media::store::{self as media, Medium, MediumKind, MediumState};
use domain::topics::draft::{PaintCover, PaintedCover};
use domain::topics::prompts::cover_prompt;
use saga_core::db::Tx;
use saga_core::{Handler, RecordOf, StepContext, StepError};
use std::sync::Arc;

/// Does `topic.cover`.
pub struct CoverPainter {
    /// Who draws.
    pub image: Arc<dyn ImageModel>,
    /// Where the cover goes.
    pub blobs: Blobs,
}

impl Handler<PaintCover> for CoverPainter {
    async fn run(&self, step: PaintCover, cx: &StepContext) -> Result<PaintedCover, StepError> {
        let street = Street {
            seed: seed(step.topic),
            title: step.title.clone(),
            keywords: step.keywords.clone(),
        };
        let picture = Picture {
            look_prompt: cover_prompt(&step.title, &step.keywords),
            side: SIDES[0],
            purpose: "image",
            material: serde_json::to_value(street).map_err(StepError::fail)?,
        };
        let (png, usage) = paint::ask(self.image.as_ref(), &picture, cx).await?;
        // Drawn by somebody else: nothing of the file is kept but its pixels.
        let files = pictures::sizes(png).await?;
        let mut variants = Vec::with_capacity(files.len());
        for file in files {
            variants.push(pictures::keep(&self.blobs, step.media, file).await?);
        }
        Ok(PaintedCover {
            topic: step.topic,
            media: step.media,
            variants,
            provider: self.image.provider().to_owned(),
            usage,
        })
    }

    async fn record(
        &self,
        painted: PaintedCover,
        of: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        let cover = Medium {
            id: painted.media,
            owner_id: None,
            entity: "topic".to_owned(),
            entity_id: painted.topic,
            kind: MediumKind::Cover,
            storage_key: painted.media.to_string(),
            mime: "image/png".to_owned(),
            variants: painted.variants,
            provider: painted.provider,
            state: MediumState::Ready,
            created_at: of.now,
        };
        media::put(tx, &cover).await.map_err(StepError::retry)
    }
}
