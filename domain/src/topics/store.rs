//! The rows of topics.
//!
//! Whoever touches a round and its ideas takes the round first, and writes events last.

pub mod clusters;
pub mod embeddings;
pub mod grouping;
pub mod ideas;
pub mod posts;
pub mod publication;
pub mod rounds;
pub mod submissions;
pub mod topics;
