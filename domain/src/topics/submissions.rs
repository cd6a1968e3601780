//! What an idea may be, and where it is.

use serde::{Deserialize, Serialize};

/// The longest idea, in characters.
pub const TEXT_MAX: usize = 1_000;
/// The most ideas that a curator seeds at once.
pub const SEEDS_MAX: usize = 50;

/// Where an idea is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionState {
    /// Waits for a round; its author may change it.
    Live,
    /// A round is looking at it.
    Claimed,
    /// A topic was made of it.
    Archived,
    /// Its author took it back.
    Withdrawn,
}

impl SubmissionState {
    /// The word in the store and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Claimed => "claimed",
            Self::Archived => "archived",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl TryFrom<String> for SubmissionState {
    type Error = sqlx::Error;
    fn try_from(word: String) -> sqlx::Result<Self> {
        crate::word(&word)
    }
}

/// Why words are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// There are none, or blanks only.
    Empty,
    /// There are more than so many characters.
    TooLong(usize),
    /// They hold characters that nobody can read.
    Unreadable,
}

/// An idea as it is kept: without blanks around it, and readable.
pub fn text(given: &str) -> Result<String, NotTaken> {
    readable(given, TEXT_MAX)
}

/// Words of at most `max` characters, without blanks around them. Line breaks and tabs are the only control
/// characters that are taken.
pub(super) fn readable(given: &str, max: usize) -> Result<String, NotTaken> {
    let text = given.trim();
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.is_empty() {
        Err(NotTaken::Empty)
    } else if text.chars().count() > max {
        Err(NotTaken::TooLong(max))
    } else if text.chars().any(odd) {
        Err(NotTaken::Unreadable)
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{NotTaken, TEXT_MAX, text};

    #[test]
    fn an_idea_is_counted_in_characters_and_kept_without_the_blanks_around_it() {
        assert_eq!(
            text("  Benches\nby the river ").unwrap(),
            "Benches\nby the river"
        );
        let longest = "ö".repeat(TEXT_MAX);
        assert_eq!(text(&longest).unwrap(), longest);
        assert_eq!(
            text(&format!("{longest}!")),
            Err(NotTaken::TooLong(TEXT_MAX))
        );
        assert_eq!(text(" \n\t "), Err(NotTaken::Empty));
        assert_eq!(text("a\u{0}b"), Err(NotTaken::Unreadable));
    }
}
