//! Any server that speaks `OpenAI`'s `/chat/completions`, `/images/generations` and
//! `/embeddings`.
//!
//! Compatible servers deviate, so reading is lenient: unknown fields are kept, missing ones are
//! empty, and a server that was asked for a stream may answer in one piece.

mod address;
mod answer;
mod assembly;
mod caller;
mod chat;
mod delay;
mod embedder;
mod events;
mod outside;
mod painter;
mod settings;
mod status;

pub use chat::Chat;
pub use embedder::Embedder;
pub use painter::Painter;
pub use settings::{Settings, SettingsError};

/// How the ledger names these servers.
const PROVIDER: &str = "openai";
