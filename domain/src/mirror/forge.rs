//! The saga `persona.forge`: what friends answered becomes a character with a face.

use crate::media::store::Variant;
use crate::mirror::archetype::{Archetype, Mode};
use crate::mirror::persona_text::PersonaText;
use crate::mirror::rarity::Rarity;
use crate::mirror::statistics::Stats;
use crate::queues::{IMAGE, SYNTHESIS};
use saga_core::usage::Usage;
use saga_core::{Flow, Halt, Queue, Saga, Step};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// What a forge is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forge {
    /// Whose answers are taken.
    pub survey: Uuid,
    /// How the archetype is found.
    pub mode: Mode,
    /// The chosen one, in alchemic mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archetype: Option<Archetype>,
}

/// `persona.forge`.
pub struct ForgePersona;

impl Saga for ForgePersona {
    const KIND: &'static str = "persona.forge";
    const DEADLINE: Option<Duration> = Some(Duration::from_mins(15));
    const LOCKED: &'static [&'static str] = &["survey"];
    type Input = Forge;
    type Output = Uuid;

    fn run(flow: &mut Flow, forge: Forge) -> Result<Uuid, Halt> {
        let Forge {
            survey,
            mode,
            archetype,
        } = forge;
        let (persona, portrait, card) = (flow.id("persona"), flow.id("portrait"), flow.id("card"));

        flow.phase("aggregate");
        flow.undo_with(DiscardDraft { persona, survey });
        let sum = match flow.attempt(AggregateAnswers {
            persona,
            survey,
            mode,
            archetype,
        })? {
            Ok(sum) => sum,
            Err(failure) => return flow.fail(failure.message),
        };

        flow.phase("write");
        flow.step(WritePersona {
            persona,
            survey,
            responses: sum.responses,
            mode,
            archetype,
        })?;

        flow.phase("paint");
        flow.undo_with(DiscardPicture { media: portrait });
        let painted = flow.attempt(PaintPortrait {
            persona,
            media: portrait,
        })?;

        flow.phase("derive");
        let mut derived = None;
        if painted.is_ok() {
            flow.undo_with(DiscardPicture { media: card });
            derived = flow
                .attempt(DerivePictures {
                    persona,
                    portrait,
                    card,
                })?
                .ok();
        }

        flow.phase("activate");
        flow.pivot();
        flow.step(ActivatePersona {
            persona,
            survey,
            portrait: painted.is_ok().then_some(portrait),
            card: derived.is_some().then_some(card),
            degraded: derived.is_none(),
        })?;
        Ok(persona)
    }
}

/// Reads the answers, adds them up and makes the draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AggregateAnswers {
    /// The draft to make.
    pub persona: Uuid,
    /// Whose answers.
    pub survey: Uuid,
    /// How the archetype is found.
    pub mode: Mode,
    /// The chosen one, in alchemic mode.
    pub archetype: Option<Archetype>,
}

/// What the answers add up to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Aggregate {
    /// The draft.
    pub persona: Uuid,
    /// Whose answers.
    pub survey: Uuid,
    /// How the archetype was found.
    pub mode: Mode,
    /// How many answers were taken: the first ones. Later ones wait for another forge.
    pub responses: i64,
    /// The four stats.
    pub stats: Stats,
    /// The character to write.
    pub archetype: Archetype,
    /// How unusual it is.
    pub rarity: Rarity,
}

impl Step for AggregateAnswers {
    const NAME: &'static str = "persona.aggregate";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Aggregate;
}

/// Has the character's words written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WritePersona {
    /// The draft.
    pub persona: Uuid,
    /// Whose answers.
    pub survey: Uuid,
    /// How many of them.
    pub responses: i64,
    /// How the archetype is found.
    pub mode: Mode,
    /// The chosen one, in alchemic mode.
    pub archetype: Option<Archetype>,
}

/// Words for a draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    /// The draft.
    pub persona: Uuid,
    /// Its words.
    pub text: PersonaText,
    /// Who wrote them.
    pub provider: String,
    /// What the calls of this attempt cost; nothing in a journal from before it was counted.
    #[serde(default)]
    pub usage: Usage,
}

impl Step for WritePersona {
    const NAME: &'static str = "persona.write";
    const QUEUE: Queue = SYNTHESIS;
    /// Two calls of 30 s, the repair included, and what is between them.
    const TIMEOUT: Duration = Duration::from_secs(90);
    type Output = Written;
}

/// Has the portrait drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaintPortrait {
    /// The draft.
    pub persona: Uuid,
    /// The portrait's id.
    pub media: Uuid,
}

/// A portrait as it was drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Painted {
    /// Whose persona it is.
    pub owner: Uuid,
    /// The draft.
    pub persona: Uuid,
    /// The portrait's id.
    pub media: Uuid,
    /// The file.
    pub original: Variant,
    /// Who drew it.
    pub provider: String,
    /// What the call cost; nothing in a journal from before it was counted.
    #[serde(default)]
    pub usage: Usage,
}

impl Step for PaintPortrait {
    const NAME: &'static str = "persona.paint";
    const QUEUE: Queue = IMAGE;
    const TIMEOUT: Duration = Duration::from_mins(2);
    type Output = Painted;
}

/// Cleans the portrait, makes its sizes, and composes the card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DerivePictures {
    /// The draft.
    pub persona: Uuid,
    /// The portrait's id.
    pub portrait: Uuid,
    /// The card's id.
    pub card: Uuid,
}

/// Pictures ready to be shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Derived {
    /// Whose persona it is.
    pub owner: Uuid,
    /// The draft.
    pub persona: Uuid,
    /// The portrait's id.
    pub portrait: Uuid,
    /// Who drew the portrait.
    pub painter: String,
    /// The portrait's files, largest first.
    pub portrait_variants: Vec<Variant>,
    /// The card's id.
    pub card: Uuid,
    /// The card's file.
    pub card_variant: Variant,
}

impl Step for DerivePictures {
    const NAME: &'static str = "persona.derive";
    const QUEUE: Queue = IMAGE;
    const TIMEOUT: Duration = Duration::from_mins(1);
    type Output = Derived;
}

/// Makes the draft the persona that its owner is met as.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActivatePersona {
    /// The draft.
    pub persona: Uuid,
    /// Whose answers.
    pub survey: Uuid,
    /// Its portrait, if one was drawn.
    pub portrait: Option<Uuid>,
    /// Its card, if one was composed.
    pub card: Option<Uuid>,
    /// Whether one of them is missing.
    pub degraded: bool,
}

impl Step for ActivatePersona {
    const NAME: &'static str = "persona.activate";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}

/// Takes the draft back, and leaves the survey ready for another forge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DiscardDraft {
    /// The draft.
    pub persona: Uuid,
    /// Whose answers.
    pub survey: Uuid,
}

impl Step for DiscardDraft {
    const NAME: &'static str = "persona.discard_draft";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}

/// Takes a picture back: its row and all its files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DiscardPicture {
    /// The picture's id.
    pub media: Uuid,
}

impl Step for DiscardPicture {
    const NAME: &'static str = "persona.discard_picture";
    const QUEUE: Queue = IMAGE;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}
