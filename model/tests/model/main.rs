//! The suite of the protocol: it passes, and every design that must not pass is caught.
//!
//! `cargo test -p model -- --nocapture` prints what was searched and the shortest trace to each defect's harm.
//! `CHORUS_MODEL_NIGHTLY=1` searches further: 37 million worlds, some minutes, more than 10 GiB of memory.

mod correct;
mod defects;
mod second_opinion;
