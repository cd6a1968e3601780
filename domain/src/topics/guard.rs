//! What must never pass from ideas into a topic.

use std::collections::BTreeSet;

use super::lexicon::LEXICON;
use super::material::Material;
use crate::mirror::guard::is_capitalised;
use crate::mirror::words::{SENTENCE, plain, stem, words};

/// Recognises people's sentences and the authors' names in a text.
#[derive(Debug)]
pub(super) struct Guard {
    run_max: usize,
    runs: BTreeSet<Vec<String>>,
    names: BTreeSet<String>,
}

impl Guard {
    /// Learns the ideas. Up to `run_max` words in a row may be the same as in an idea.
    pub(super) fn new(material: &Material, run_max: usize) -> Self {
        let runs = material.ideas.iter().flat_map(|idea| {
            let plain = plain_words(idea);
            plain
                .windows(run_max + 1)
                .map(<[String]>::to_vec)
                .collect::<Vec<_>>()
        });
        let names = material.names.iter().flat_map(|name| plain_words(name));
        Self {
            run_max,
            runs: runs.collect(),
            names: names.filter(|part| part.chars().count() > 1).collect(),
        }
    }

    /// Whether `text` repeats more words of an idea in a row than allowed.
    pub(super) fn copies(&self, text: &str) -> bool {
        plain_words(text)
            .windows(self.run_max + 1)
            .any(|run| self.runs.contains(run))
    }

    /// Lists the authors' names in a text, as it writes them. A word that is a name and a word of
    /// every day counts where its capital does not come from opening a sentence.
    pub(super) fn names_in<'a>(&self, text: &'a str) -> Vec<&'a str> {
        words(text, SENTENCE)
            .into_iter()
            .filter(|word| is_capitalised(word.text) && self.is_name(word.text))
            .filter(|word| !(word.leads && is_everyday(&plain(word.text))))
            .map(|word| word.text)
            .collect()
    }

    /// Whether a word is part of an author's name.
    pub(super) fn is_name(&self, word: &str) -> bool {
        self.names.contains(&plain(word))
    }
}

fn is_everyday(plain: &str) -> bool {
    LEXICON.is_stop(plain) || LEXICON.subjects(&stem(plain)).next().is_some()
}

fn plain_words(text: &str) -> Vec<String> {
    words(text, SENTENCE)
        .iter()
        .map(|word| plain(word.text))
        .collect()
}
