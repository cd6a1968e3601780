//! What a post may be.

use super::submissions::{NotTaken, readable};

/// The longest post, in characters.
pub const BODY_MAX: usize = 4_000;
/// Who signs the post that opens a topic, which a model wrote.
pub const HOST: &str = "Chorus";

/// A post as it is kept: without blanks around it, and readable.
pub fn body(given: &str) -> Result<String, NotTaken> {
    readable(given, BODY_MAX)
}
