//! What must never pass from the answers into a persona.

use std::collections::BTreeSet;

use super::lexicon::WORDS;
use super::material::Material;
use super::words::{LIST, SENTENCE, Word, contacts, plain, words};

/// Recognises the friends' sentences and names in a text.
#[derive(Debug)]
pub(super) struct Guard {
    run_max: usize,
    runs: BTreeSet<Vec<String>>,
    names: BTreeSet<String>,
    vocabulary: BTreeSet<String>,
}

impl Guard {
    /// Learns the answers. Up to `run_max` words in a row may be the same as in an answer.
    pub(super) fn new(material: &Material, run_max: usize) -> Self {
        let mut names = BTreeSet::new();
        let mut runs = BTreeSet::new();
        let mut vocabulary = BTreeSet::new();
        for text in &material.words {
            names.extend(named(&entries(text)));
        }
        for text in material.laughs.iter().chain(&material.missed) {
            names.extend(named(&words(text, SENTENCE)));
        }
        for text in material.texts() {
            let plain = plain_words(text);
            runs.extend(plain.windows(run_max + 1).map(<[String]>::to_vec));
            vocabulary.extend(plain);
        }
        let own = plain_words(material.display_name.as_deref().unwrap_or_default());
        names.extend(own.iter().filter(|part| part.chars().count() > 1).cloned());
        vocabulary.extend(own);
        Self {
            run_max,
            runs,
            names,
            vocabulary,
        }
    }

    /// Whether `text` repeats more words of an answer in a row than allowed.
    pub(super) fn copies(&self, text: &str) -> bool {
        plain_words(text)
            .windows(self.run_max + 1)
            .any(|run| self.runs.contains(run))
    }

    /// Lists the names from the answers that `text` uses, as it writes them.
    pub(super) fn names_in<'a>(&self, text: &'a str) -> Vec<&'a str> {
        words(text, SENTENCE)
            .into_iter()
            .filter(|word| is_capitalised(word.text) && self.is_name(word.text))
            .filter(|word| !(word.leads && WORDS.is_common(&plain(word.text))))
            .map(|word| word.text)
            .collect()
    }

    /// Whether a word is a name that the answers or the owner's account gave away.
    pub(super) fn is_name(&self, word: &str) -> bool {
        self.names.contains(&plain(word))
    }

    /// Whether a friend used the word, or the owner is called so.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.vocabulary.contains(&plain(word))
    }
}

/// A capital after the beginning of a sentence makes a name, in every script that has capitals.
fn named(words: &[Word<'_>]) -> Vec<String> {
    words
        .iter()
        .filter(|word| !word.leads && is_capitalised(word.text))
        .map(|word| plain(word.text))
        .filter(|word| !WORDS.is_plain(word))
        .collect()
}

/// The words of a list such as "Kind, funny". Where every word has a capital, none is a name.
pub(super) fn entries(text: &str) -> Vec<Word<'_>> {
    let mut entries = words(text, LIST);
    if entries.iter().all(|word| starts_large(word.text)) {
        for word in &mut entries {
            word.leads = true;
        }
    }
    entries
}

/// "Marta" is, "SHOUTING" and "I" are not.
pub(crate) fn is_capitalised(word: &str) -> bool {
    starts_large(word) && word.chars().any(char::is_lowercase)
}

fn starts_large(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_uppercase)
}

fn plain_words(text: &str) -> Vec<String> {
    let words = words(text, SENTENCE);
    words.iter().map(|word| plain(word.text)).collect()
}

/// Whether a text gives orders to a machine instead of describing a person.
pub(crate) fn gives_orders(text: &str) -> bool {
    let text = text.to_lowercase().replace("<3", "");
    let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    has(&ORDERS) || (has(&VERBS) && has(&OBJECTS))
}

const ORDERS: [&str; 37] = [
    "system prompt",
    "system:",
    "system message",
    "assistant:",
    "user:",
    "jailbreak",
    "developer mode",
    "as an ai",
    "language model",
    "chatgpt",
    "gpt",
    "llm",
    "do anything now",
    "you are now",
    "new instructions",
    "end of answers",
    "act as",
    "base64",
    "json",
    "api key",
    "password",
    "drop table",
    "select *",
    "sudo ",
    "rm -rf",
    "javascript",
    "###",
    "```",
    "[inst",
    "[/",
    "{",
    "}",
    "<",
    "&lt;",
    "\\n",
    "persona_prompt",
    "step by step:",
];
const VERBS: [&str; 13] = [
    "ignore",
    "disregard",
    "forget",
    "override",
    "bypass",
    "reveal",
    "repeat",
    "output",
    "print",
    "respond",
    "execute",
    "set the",
    "obey",
];
const OBJECTS: [&str; 9] = [
    "instruction",
    "previous",
    "above",
    "prompt",
    "guideline",
    "only with",
    "the word",
    "verbatim",
    "persona",
];

/// Whether a text has an address, a link or a phone number in it.
pub(crate) fn has_contact(text: &str) -> bool {
    contacts(text).iter().any(|(_, contact)| *contact)
}
