//! Who is calling, and what a caller's command answered the first time.

pub mod idempotency;
pub mod store;
