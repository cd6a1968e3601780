//! Who is calling, and what a caller's command answered the first time.

pub mod erase;
pub mod erasure;
pub mod idempotency;
pub mod store;
