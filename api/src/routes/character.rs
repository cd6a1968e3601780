//! A persona, as its owner is told.

use crate::state::State;
use chrono::{DateTime, Utc};
use domain::mirror::archetype::{Archetype, Mode};
use domain::mirror::rarity::Rarity;
use domain::mirror::standing::PersonaStatus;
use domain::mirror::statistics::Stats;
use domain::mirror::store::personas::{Persona, Visibility};
use serde::Serialize;
use uuid::Uuid;

/// The word for where a persona is. That a forge is accepted and no worker has it yet is not a
/// stage of its own for its owner: the job tells it.
pub(super) fn word(status: PersonaStatus) -> &'static str {
    match status {
        PersonaStatus::Queued => PersonaStatus::Pending.as_str(),
        PersonaStatus::Pending
        | PersonaStatus::Synthesizing
        | PersonaStatus::GeneratingImage
        | PersonaStatus::Ready
        | PersonaStatus::Failed => status.as_str(),
    }
}

/// A version of a persona.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Persona)]
pub(crate) struct Told {
    #[schema(value_type = PersonaStatus)]
    status: &'static str,
    /// How many answers it was made of.
    responses: i64,
    /// Whether a picture is missing.
    degraded: bool,
    #[serde(flatten)]
    character: Character,
}

/// The caller's persona: how far the next one is, and who it is.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct MyPersona {
    #[serde(flatten)]
    pub(super) awaited: AwaitedPersona,
    #[serde(flatten)]
    pub(super) character: Character,
}

/// How far the caller's persona is, before there is one.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct AwaitedPersona {
    #[schema(value_type = PersonaStatus)]
    pub(super) status: &'static str,
    /// What the forge is at.
    pub(super) phase: Option<String>,
    /// How many friends have answered.
    pub(super) responses: i64,
    /// How many have to.
    pub(super) min_responses: i64,
    pub(super) degraded: bool,
    /// Whether another forge may help.
    pub(super) retryable: bool,
    /// The latest forge.
    pub(super) job: Option<String>,
}

/// Who a persona is.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Character {
    persona_id: Uuid,
    survey_id: Option<Uuid>,
    /// Counts an owner's personas from 1.
    version: i64,
    is_current: bool,
    mode: Mode,
    name: Option<String>,
    title: Option<String>,
    traits: Option<Vec<String>>,
    /// The character brief, written to "you".
    persona_prompt: Option<String>,
    /// What the character says first.
    greeting: Option<String>,
    archetype: Archetype,
    rarity: Rarity,
    stats: Stats,
    /// Who wrote the words.
    provider: Option<String>,
    illustration_url: Option<String>,
    card_url: Option<String>,
    bond_level: i64,
    visibility: Visibility,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Told {
    pub(super) fn of(state: &State, persona: &Persona) -> Self {
        Self {
            status: word(persona.status),
            responses: persona.responses,
            degraded: persona.degraded,
            character: Character::of(state, persona),
        }
    }
}

impl Character {
    pub(super) fn of(state: &State, persona: &Persona) -> Self {
        let link = |media: Option<Uuid>, variant| {
            media.map(|id| super::media::link(state.settings(), id, variant))
        };
        let text = persona.text.clone();
        let words = text.map(|text| {
            let four = (text.name, text.title, text.persona_prompt, text.greeting);
            (four, text.traits)
        });
        let (four, traits) = words.unzip();
        let (name, title, persona_prompt, greeting) = match four {
            Some((name, title, brief, greeting)) => {
                (Some(name), Some(title), Some(brief), Some(greeting))
            }
            None => (None, None, None, None),
        };
        Self {
            persona_id: persona.id,
            survey_id: persona.survey_id,
            version: persona.version,
            is_current: persona.is_current,
            mode: persona.mode,
            name,
            title,
            traits,
            persona_prompt,
            greeting,
            archetype: persona.archetype,
            rarity: persona.rarity,
            stats: persona.stats,
            provider: persona.provider.clone(),
            illustration_url: link(persona.illustration_media_id, "1024"),
            card_url: link(persona.card_media_id, "1080"),
            bond_level: persona.bond_level,
            visibility: persona.visibility,
            created_at: persona.created_at,
            updated_at: persona.updated_at,
        }
    }
}
