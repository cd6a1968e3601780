//! Topics: the ideas of a community, and the discussions that they become.

pub mod cluster;
pub mod draft;
pub mod embed;
pub mod keywords;
pub mod material;
pub mod posts;
pub mod prompts;
pub mod round;
pub mod rounds;
pub mod sample;
pub mod store;
pub mod submissions;
pub mod topic_text;
pub mod writer;

mod guard;
mod lexicon;
mod phrasebook;

/// The pool that ideas go to unless another is named, and the key under which one round of it is open.
pub const POOL: &str = "idea-pool";
