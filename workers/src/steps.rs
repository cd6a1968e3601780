//! What each step does, one file a step.

pub mod activate;
pub mod aggregate;
pub mod compose;
pub mod cover;
pub mod demo;
pub mod derive;
pub mod discard;
pub mod embed;
pub mod erase;
pub mod group;
pub mod paint;
pub mod publish;
pub mod round;
pub mod write;

mod judge;
mod pictures;
mod words;

use uuid::Uuid;

/// The only source of chance in a persona or a topic: another forge is another character.
fn seed(id: Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    high ^ low
}
