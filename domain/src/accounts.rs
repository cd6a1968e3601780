//! Who is calling and what they may do, and what a caller's command answered the first time.

pub mod attempts;
pub mod erase;
pub mod erased_identities;
pub mod erasure;
pub mod idempotency;
pub mod identities;
pub mod keys;
pub mod passwords;
pub mod permissions;
pub mod roles;
pub mod sessions;
pub mod store;
