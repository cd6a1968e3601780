//! What the studio promises, seen through its public door.

mod card;
mod picture;
mod portrait;
mod support;
