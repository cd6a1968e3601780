//! `persona.derive`: the portrait in its smaller sizes, and the card to share.

use super::pictures::{self, File, SIDES};
use crate::blobs::Blobs;
use domain::media;
use domain::mirror::forge::{DerivePictures, Derived};
use domain::mirror::persona_text::PersonaText;
use domain::mirror::store::{forging, personas};
use saga_core::db::Tx;
use saga_core::{Handler, RecordOf, StepContext, StepError};
use studio::{Card, Picture};

/// The card's width and height.
const CARD_SIDE: u32 = 1080;

/// Does `persona.derive`.
pub struct Deriver {
    /// Where the portrait is, and the rest goes.
    pub blobs: Blobs,
    /// Where the card's link leads to.
    pub public_base_url: String,
}

impl Handler<DerivePictures> for Deriver {
    async fn run(&self, step: DerivePictures, cx: &StepContext) -> Result<Derived, StepError> {
        let db = cx.store().db();
        let draft = personas::find(db, step.persona)
            .await
            .map_err(StepError::retry)?;
        let draft = draft.ok_or_else(|| StepError::fail("the draft is gone"))?;
        let text = draft
            .text
            .clone()
            .ok_or_else(|| StepError::fail("the draft has no words"))?;
        let portrait = media::store::find(db, step.portrait)
            .await
            .map_err(StepError::retry)?;
        let portrait = portrait.ok_or_else(|| StepError::fail("the portrait is gone"))?;
        let png = self
            .blobs
            .get(step.portrait, &SIDES[0].to_string())
            .await
            .map_err(StepError::retry)?;
        let png = png.ok_or_else(|| StepError::fail("the portrait's file is gone"))?;
        let link = format!("{}/p/{}", self.public_base_url, step.persona);
        let maker = draft.provider.clone().unwrap_or_default();
        let drawn =
            pictures::draw(move || Drawn::from(&png, &draft, &text, (&link, &maker))).await??;

        let owner = portrait
            .owner_id
            .ok_or_else(|| StepError::fail("the portrait is nobody's"))?;
        // Largest first; the first is there already.
        let mut variants: Vec<_> = portrait.variants.into_iter().take(1).collect();
        for file in drawn.smaller {
            variants.push(pictures::keep(&self.blobs, step.portrait, file).await?);
        }
        Ok(Derived {
            owner,
            persona: step.persona,
            portrait: step.portrait,
            painter: portrait.provider,
            portrait_variants: variants,
            card: step.card,
            card_variant: pictures::keep(&self.blobs, step.card, drawn.card).await?,
        })
    }

    async fn record(&self, derived: Derived, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        forging::derived(tx, of, derived)
            .await
            .map_err(StepError::retry)
    }
}

struct Drawn {
    smaller: Vec<File>,
    card: File,
}

impl Drawn {
    fn from(
        png: &[u8],
        draft: &personas::Persona,
        text: &PersonaText,
        (link, maker): (&str, &str),
    ) -> Result<Self, StepError> {
        let portrait = Picture::from_png(png).map_err(StepError::fail)?;
        let card = Card {
            name: &text.name,
            title: &text.title,
            archetype: draft.archetype.as_str(),
            rarity: draft.rarity.as_str(),
            stats: crate::providers::local::stats(draft.stats),
            traits: &text.traits,
            link,
            provider: maker,
        };
        let missing = studio::left_out(&card).len();
        if missing > 0 {
            tracing::warn!(
                missing,
                "The card goes without texts that its font cannot write"
            );
        }
        Ok(Self {
            smaller: SIDES[1..]
                .iter()
                .map(|side| File::of(&portrait.resized(*side), *side))
                .collect(),
            card: File::of(&studio::card(&card, &portrait), CARD_SIDE),
        })
    }
}
