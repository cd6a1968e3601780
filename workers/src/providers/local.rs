//! No model at all: a writer that follows rules and a painter that draws shapes. Real work from what
//! people really said, the same for the same material, and always labelled `local`.

use super::{
    Answered, Call, CallError, Completion, Image, ImageModel, Picture, Prompt, TextModel,
    Unreadable, Usage, png,
};
use crate::processors;
use domain::mirror::archetype::Archetype;
use domain::mirror::material::Material;
use domain::mirror::rarity::Rarity;
use domain::mirror::statistics::Stats;
use domain::mirror::writer::write_persona;
use domain::topics;
use domain::topics::writer::write_topic;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How the ledger, the card and the API name it.
pub const PROVIDER: &str = "local";

/// Writes personas and topics by rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct Writer;

/// Draws portraits and covers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Painter;

/// Who is drawn: the material of a [`Picture`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sitter {
    /// Another seed is another person.
    pub seed: u64,
    /// The character.
    pub archetype: Archetype,
    /// The mood.
    pub stats: Stats,
    /// The details.
    pub traits: Vec<String>,
    /// The frame.
    pub rarity: Rarity,
}

/// What a cover shows: the material of a [`Picture`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Street {
    /// Another seed is another street.
    pub seed: u64,
    /// The question.
    pub title: String,
    /// What it is about.
    pub keywords: Vec<String>,
}

/// What can be drawn.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scene {
    Sitter(Sitter),
    Street(Street),
}

impl TextModel for Writer {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> &'static str {
        "phrasebook/1"
    }

    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        _: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(async move {
            if prompt.purpose == topics::prompts::PURPOSE {
                let group: topics::material::Material = material(&prompt.material)?;
                let write = move || serde_json::to_vec(&write_topic(&group)).unwrap_or_default();
                return aside(write).await;
            }
            let material: Material = material(&prompt.material)?;
            let write = move || serde_json::to_vec(&write_persona(&material)).unwrap_or_default();
            aside(write).await
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        let text =
            String::from_utf8(raw.to_vec()).map_err(|_| Unreadable::garbled("it is no text"))?;
        if text.trim().is_empty() {
            return Err(Unreadable::content("it is empty"));
        }
        Ok(Completion {
            text,
            usage: Usage::default(),
            model: self.model().to_owned(),
        })
    }
}

impl ImageModel for Painter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> &'static str {
        "studio/1"
    }

    fn send<'a>(
        &'a self,
        picture: &'a Picture,
        _: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(async move {
            let scene: Scene = material(&picture.material)?;
            let side = picture.side;
            aside(move || drawn(scene, side)).await
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Image, Unreadable> {
        let (width, height) = png::measured(raw)?;
        let usage = Usage {
            images: 1,
            ..Usage::default()
        };
        Ok(Image {
            png: raw.to_vec(),
            width,
            height,
            usage,
        })
    }
}

fn material<T: DeserializeOwned>(value: &serde_json::Value) -> Result<T, CallError> {
    T::deserialize(value).map_err(|error| {
        CallError::permanent(format!(
            "the local provider cannot read this request: {error}"
        ))
    })
}

/// Keeps what takes a processor for a while off the runtime's threads.
async fn aside(work: impl FnOnce() -> Vec<u8> + Send + 'static) -> Result<Answered, CallError> {
    processors::take(work)
        .await
        .map(Answered::from)
        .map_err(|error| CallError::transient(error.to_string()))
}

fn drawn(scene: Scene, side: u32) -> Vec<u8> {
    match scene {
        Scene::Sitter(sitter) => studio::portrait(&look(sitter), side).png(),
        Scene::Street(street) => {
            let cover = studio::Cover {
                seed: street.seed,
                title: &street.title,
                keywords: &street.keywords,
            };
            studio::cover(&cover, side).png()
        }
    }
}

fn look(sitter: Sitter) -> studio::Look {
    studio::Look {
        seed: sitter.seed,
        archetype: sitter.archetype.as_str().to_owned(),
        stats: stats(sitter.stats),
        traits: sitter.traits,
        rarity: sitter.rarity.as_str().to_owned(),
    }
}

/// The four numbers, as the studio takes them.
pub(crate) fn stats(stats: Stats) -> studio::Stats {
    let Stats {
        charisma,
        intellect,
        kindness,
        energy,
    } = stats;
    studio::Stats {
        charisma,
        intellect,
        kindness,
        energy,
    }
}
