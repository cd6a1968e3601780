//! What the local reader knows of words: which say nothing, and what the others are about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::mirror::words::stem;

const FIELDS: &str = include_str!("lexicon/fields.txt");
const STOP: &str = include_str!("lexicon/stop.txt");

/// What a word is about, from the near to the wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    /// Such as "cycling".
    pub name: &'static str,
    /// Such as "travel".
    pub field: &'static str,
}

/// The word lists, ready to ask.
#[derive(Debug)]
pub(super) struct Lexicon {
    subjects: BTreeMap<String, BTreeSet<Subject>>,
    stop: BTreeSet<&'static str>,
}

/// The lists, read once.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

impl Lexicon {
    fn read() -> Self {
        let mut subjects: BTreeMap<String, BTreeSet<Subject>> = BTreeMap::new();
        let mut field = "";
        for line in FIELDS.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                field = name;
            } else if let Some((name, words)) = line.split_once(':') {
                for word in words.split_whitespace() {
                    let about = subjects.entry(stem(word)).or_default();
                    about.insert(Subject { name, field });
                }
            }
        }
        Self {
            subjects,
            stop: STOP.split_whitespace().collect(),
        }
    }

    /// Lists what a stem is about; nothing for most words.
    pub(super) fn subjects(&self, stem: &str) -> impl Iterator<Item = Subject> {
        self.subjects.get(stem).into_iter().flatten().copied()
    }

    /// Lists the names of all subjects.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.subjects.values().flatten().map(|subject| subject.name)
    }

    /// Whether a plain word says nothing of what a text is about.
    pub(super) fn is_stop(&self, plain: &str) -> bool {
        self.stop.contains(plain) || plain.chars().count() < 3
    }
}
