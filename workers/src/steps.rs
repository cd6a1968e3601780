//! What each step does, one file a step.

pub mod activate;
pub mod aggregate;
pub mod demo;
pub mod derive;
pub mod discard;
pub mod erase;
pub mod paint;
pub mod write;

mod judge;
mod pictures;

use uuid::Uuid;

/// The only source of chance in a persona: another forge is another character.
fn seed(persona: Uuid) -> u64 {
    let (high, low) = persona.as_u64_pair();
    high ^ low
}
