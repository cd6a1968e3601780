//! The mirror: what friends answer about a person, and the character it becomes.

pub mod answers;
pub mod archetype;
pub mod compatibility;
pub mod forge;
pub mod material;
pub mod persona_text;
pub mod prompts;
pub mod questions;
pub mod rarity;
pub mod standing;
pub mod statistics;
pub mod store;
pub mod writer;

pub(crate) mod dice;
pub(crate) mod guard;
mod keywords;
mod lexicon;
mod phrasebook;
pub(crate) mod words;
