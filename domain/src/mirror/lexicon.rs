//! The words the local writer knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::words::stem;

/// A heading in brackets, then words.
const LEXICON: &str = include_str!("phrasebook/lexicon.txt");

/// The word lists, ready to ask.
///
/// Only words in these lists ever pass from an answer into a persona. That one rule keeps out
/// names, insults, diagnoses, addresses and orders to the machine, at the price of rare words.
#[derive(Debug)]
pub(super) struct Lexicon {
    traits: BTreeMap<String, &'static str>,
    things: BTreeMap<String, &'static str>,
    negators: BTreeSet<&'static str>,
    plain: BTreeSet<&'static str>,
}

/// The lists, read once.
pub(super) static WORDS: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

impl Lexicon {
    fn read() -> Self {
        Self {
            traits: list("traits").map(|word| (word.to_owned(), word)).collect(),
            things: list("things").map(|word| (stem(word), word)).collect(),
            negators: list("negators").collect(),
            plain: list("plain").collect(),
        }
    }

    /// Finds a word that describes a person.
    pub(super) fn describes(&self, plain: &str) -> Option<&'static str> {
        self.traits.get(plain).copied()
    }

    /// Finds a thing, in the form that reads well in a list: "maps" for "map".
    pub(super) fn thing(&self, plain: &str) -> Option<&'static str> {
        self.things.get(&stem(plain)).copied()
    }

    /// Whether a word turns what follows into its opposite.
    pub(super) fn negates(&self, plain: &str) -> bool {
        plain.ends_with("n't") || self.negators.contains(plain)
    }

    /// Whether a word says nothing by itself.
    pub(super) fn is_plain(&self, plain: &str) -> bool {
        self.plain.contains(plain)
    }

    /// Whether a word with a capital is still just a word, and no name.
    pub(super) fn is_common(&self, plain: &str) -> bool {
        self.is_plain(plain)
            || self.negates(plain)
            || self.describes(plain).is_some()
            || self.thing(plain).is_some()
    }
}

fn list(heading: &'static str) -> impl Iterator<Item = &'static str> {
    LEXICON
        .split('[')
        .filter_map(|section| section.split_once(']'))
        .filter(move |(name, _)| *name == heading)
        .flat_map(|(_, words)| words.split_whitespace())
}
