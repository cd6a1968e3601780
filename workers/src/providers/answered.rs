//! What comes back from a call that worked.

use std::fmt;
use std::time::Duration;

/// What came back from a call that worked. Its `Debug` shows no words.
#[derive(Clone, PartialEq, Eq)]
pub struct Answered {
    /// The raw answer, to be stored before it is read.
    pub raw: Vec<u8>,
    /// How long nobody should call after this one, since a limit is used up by it; at most an hour.
    pub patience: Option<Duration>,
}

impl From<Vec<u8>> for Answered {
    fn from(raw: Vec<u8>) -> Self {
        let patience = None;
        Self { raw, patience }
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered")
            .field("raw_bytes", &self.raw.len())
            .field("patience", &self.patience)
            .finish()
    }
}
