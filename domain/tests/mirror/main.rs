//! The rules of the mirror.

mod answers;
mod archetype;
mod compatibility;
mod persona_text;
mod prompts;
mod questions;
mod rarity;
mod statistics;
mod support;
mod writer;
