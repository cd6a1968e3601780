//! What Chorus is about: rules and sagas, which are pure, and their rows.

pub mod accounts;
pub mod artefacts;
pub mod catalog;
pub mod demo;
#[cfg(feature = "faults")]
pub mod drill;
pub mod events;
pub mod hash;
pub mod media;
pub mod mirror;
pub mod topics;

/// The queues, one for each pool of workers.
pub mod queues {
    use saga_core::Queue;
    /// Text and rules.
    pub const SYNTHESIS: Queue = Queue("synthesis");
    /// Pictures.
    pub const IMAGE: Queue = Queue("image");
    /// Mail and webhooks.
    pub const DELIVERY: Queue = Queue("delivery");
}

/// Reads one of our words from the store.
pub(crate) fn word<T: serde::de::DeserializeOwned>(text: &str) -> sqlx::Result<T> {
    serde_json::from_value(serde_json::Value::from(text))
        .map_err(|error| sqlx::Error::Decode(error.into()))
}
