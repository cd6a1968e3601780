//! What the studio promises, seen through its public door.

mod card;
mod cover;
mod picture;
mod portrait;
mod support;
