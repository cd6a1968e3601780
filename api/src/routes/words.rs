//! Words that somebody sends to be kept, and what is said of those that cannot be.

use crate::problem::Problem;
use domain::topics::submissions::NotTaken;

/// What words may be.
pub(super) struct Limits {
    /// Takes them, or says why not.
    pub(super) take: fn(&str) -> Result<String, NotTaken>,
    /// How many characters there may be.
    pub(super) chars_max: usize,
}

/// Words as they are kept; `pointer` says where they stood.
pub(super) fn checked(given: &str, pointer: &str, limits: &Limits) -> Result<String, Problem> {
    (limits.take)(given).map_err(|why| match why {
        NotTaken::Empty | NotTaken::TooLong(_) => {
            let how = format!("Send 1 to {} characters.", limits.chars_max);
            Problem::field(pointer, "out_of_range", how)
        }
        NotTaken::Unreadable => {
            let how = "Leave out control characters, but for line breaks and tabs.";
            Problem::field(pointer, "invalid", how)
        }
    })
}
