//! Draws what a persona shares, its portrait and its card, the cover of a discussion, and clean copies of
//! pictures made elsewhere.
//!
//! Pixels only: no saga, no files, no network, no clock, and no chance but the seed passed in.
//! The same input gives the same bytes.
#![expect(
    clippy::unreadable_literal,
    reason = "colours are written as every design tool writes them: six hex digits"
)]

mod canvas;
mod card;
mod cover;
mod dice;
mod lettering;
mod look;
mod picture;
mod portrait;
mod shape;
mod tone;

pub use card::{Card, card, left_out};
pub use cover::{Cover, cover};
pub use look::{Look, Stats};
pub use picture::{MEGAPIXELS_MAX, Picture, SIDE_MAX, SIDE_READ_MAX, Unreadable};
pub use portrait::portrait;
