//! `persona.paint`: has the portrait drawn.

use super::pictures::{self, SIDES};
use super::{judge, seed};
use crate::blobs::Blobs;
use crate::providers::local::Sitter;
use crate::providers::{Call, ImageModel, Picture};
use domain::mirror::forge::{PaintPortrait, Painted};
use domain::mirror::prompts::look_prompt;
use domain::mirror::store::{forging, personas};
use saga_core::db::Tx;
use saga_core::usage::Usage;
use saga_core::{Handler, Provider, RecordOf, Reply, StepContext, StepError};
use std::sync::Arc;

/// Does `persona.paint`.
pub struct Painter {
    /// Who draws.
    pub image: Arc<dyn ImageModel>,
    /// Where the portrait goes.
    pub blobs: Blobs,
}

impl Handler<PaintPortrait> for Painter {
    async fn run(&self, step: PaintPortrait, cx: &StepContext) -> Result<Painted, StepError> {
        let found = personas::find(cx.store().db(), step.persona)
            .await
            .map_err(StepError::retry)?;
        let draft = found.ok_or_else(|| StepError::fail("the draft is gone"))?;
        let traits = draft.text.map(|text| text.traits).unwrap_or_default();
        let look_prompt = look_prompt(draft.stats, draft.archetype, &traits);
        let sitter = Sitter {
            seed: seed(step.persona),
            archetype: draft.archetype,
            stats: draft.stats,
            traits,
            rarity: draft.rarity,
        };
        let material = serde_json::to_value(sitter).map_err(StepError::fail)?;
        let picture = Picture {
            look_prompt,
            side: SIDES[0],
            purpose: "image",
            material,
        };
        let (png, usage) = ask(self.image.as_ref(), &picture, cx).await?;
        // Drawn by somebody else: nothing of the file is kept but its pixels.
        let clean = pictures::cleaned(png).await?;
        let original = pictures::keep(&self.blobs, step.media, clean).await?;
        let provider = self.image.provider().to_owned();
        Ok(Painted {
            owner: draft.owner_id,
            persona: step.persona,
            media: step.media,
            original,
            provider,
            usage,
        })
    }

    async fn record(&self, painted: Painted, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        forging::painted(tx, of, painted)
            .await
            .map_err(StepError::retry)
    }
}

/// One paid call; its answer is stored before it is read.
pub(super) async fn ask(
    image: &dyn ImageModel,
    picture: &Picture,
    cx: &StepContext,
) -> Result<(Vec<u8>, Usage), StepError> {
    let (provider, model) = (image.provider(), image.model());
    let asked = Provider {
        name: provider,
        model,
        purpose: picture.purpose,
        request_hash: judge::hash(picture)?,
        most: picture.most(),
        idempotent: false,
    };
    let request_id = cx.request_id.clone();
    let raw = cx
        .effect("paint", asked, |idempotency_key| async move {
            let call = Call {
                idempotency_key,
                request_id,
            };
            let answer = image.send(picture, &call).await.map_err(judge::call)?;
            Ok(Reply {
                usage: image.usage(&answer.raw),
                patience: answer.patience,
                raw: answer.raw,
            })
        })
        .await?;
    let usage = image.usage(&raw);
    tracing::info!(provider, model, usage.images, "A picture call is answered");
    image
        .read(&raw)
        .map(|image| (image.png, usage))
        .map_err(judge::answer)
}
