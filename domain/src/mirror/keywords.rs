//! The few words and themes of the answers that the local writer builds on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::dice::Dice;
use super::guard::{Guard, entries, gives_orders, is_capitalised};
use super::lexicon::WORDS;
use super::material::Material;
use super::phrasebook::{THEMES, Theme};
use super::words::{SENTENCE, Word, contacts, plain, stem, words};

/// What the friends talked about, the most shared first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keywords {
    /// Words that describe the person.
    pub traits: Vec<&'static str>,
    /// The first of them, if more than one friend chose it.
    pub agreed: Option<&'static str>,
    /// Themes of the answers about laughter, ways of being funny first.
    pub humour: Vec<&'static Theme>,
    /// Themes of the answers about what would be missed.
    pub missed: Vec<&'static Theme>,
    /// Things that came up, in a form that reads well in a list.
    pub things: Vec<&'static str>,
}

/// How far back a word like "never" reaches.
const NEGATION_REACH: usize = 4;

/// How many places there are to roll equals into; far more than there are words.
const ORDERS: usize = 1 << 20;

/// The themes the question about laughter names itself, which therefore say nothing.
const ASKED: [&str; 1] = ["laughter"];

impl Keywords {
    /// Picks what the lexicon and the phrasebook know. Everything else stays behind, and so does
    /// every answer that gives orders instead of describing somebody.
    pub(super) fn pick(material: &Material, guard: &Guard, dice: Dice) -> Self {
        let words = read(&material.words, guard, entries);
        let laughs = read(&material.laughs, guard, prose);
        let missed = read(&material.missed, guard, prose);
        let traits = ranked(&words, dice, |word| WORDS.describes(word));
        let both: Vec<Vec<String>> = laughs.iter().chain(&missed).cloned().collect();
        let mut humour = themed(&laughs, dice);
        humour.retain(|theme| !ASKED.contains(&theme.name));
        humour.sort_by_key(|theme| !theme.comic);
        Self {
            agreed: traits
                .first()
                .filter(|(_, friends)| *friends > 1)
                .map(|(word, _)| *word),
            traits: traits.into_iter().map(|(word, _)| word).collect(),
            humour,
            missed: themed(&missed, dice),
            things: ranked(&both, dice, |word| WORDS.thing(word))
                .into_iter()
                .map(|(thing, _)| thing)
                .collect(),
        }
    }
}

fn prose(text: &str) -> Vec<Word<'_>> {
    words(text, SENTENCE)
}

/// Reads answers into the plain words that may be used.
fn read(
    texts: &[String],
    guard: &Guard,
    split: impl Fn(&str) -> Vec<Word<'_>>,
) -> Vec<Vec<String>> {
    texts
        .iter()
        .filter(|text| !gives_orders(text))
        .map(|text| usable(&split(&quieted(text)), guard))
        .collect()
}

/// Leaves out names, and whatever follows a "never" in the same breath.
fn usable(words: &[Word<'_>], guard: &Guard) -> Vec<String> {
    let mut negated_until = 0;
    let mut usable = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let plain = plain(word.text);
        if word.leads {
            negated_until = 0;
        }
        if WORDS.negates(&plain) {
            negated_until = at + NEGATION_REACH;
        }
        let is_name = guard.is_name(&plain) || (!word.leads && is_capitalised(word.text));
        if at >= negated_until && !is_name && plain.chars().count() > 1 {
            usable.push(plain);
        }
    }
    usable
}

/// Takes addresses out, and lowers the voice of a text that is all capitals.
fn quieted(text: &str) -> String {
    let kept: Vec<String> = text.lines().map(without_contacts).collect();
    let kept = kept.join("\n");
    if kept.chars().any(char::is_lowercase) {
        kept
    } else {
        kept.to_lowercase()
    }
}

fn without_contacts(line: &str) -> String {
    let chunks = contacts(line).into_iter();
    let kept: Vec<&str> = chunks
        .filter_map(|(chunk, contact)| (!contact).then_some(chunk))
        .collect();
    kept.join(" ")
}

/// Ranks what `find` recognises by how many answers have it. Equals stand in a rolled order, so
/// that the words of one friend do not come in a row and another seed tells another story.
fn ranked(
    answers: &[Vec<String>],
    dice: Dice,
    find: impl Fn(&str) -> Option<&'static str>,
) -> Vec<(&'static str, usize)> {
    let mut friends: BTreeMap<&'static str, usize> = BTreeMap::new();
    for answer in answers {
        let found: BTreeSet<&str> = answer.iter().filter_map(|word| find(word)).collect();
        for word in found {
            *friends.entry(word).or_default() += 1;
        }
    }
    let mut found: Vec<_> = friends.into_iter().collect();
    found.sort_by_key(|(word, friends)| (Reverse(*friends), dice.roll(word, ORDERS)));
    found
}

/// Ranks the themes of some answers in the same way.
fn themed(answers: &[Vec<String>], dice: Dice) -> Vec<&'static Theme> {
    let stems: Vec<BTreeSet<String>> = answers
        .iter()
        .map(|answer| answer.iter().map(|word| stem(word)).collect())
        .collect();
    let touched = |theme: &Theme| {
        let touches = stems
            .iter()
            .filter(|answer| !theme.stems.is_disjoint(answer));
        touches.count()
    };
    let mut found: Vec<(usize, &Theme)> = THEMES
        .iter()
        .map(|theme| (touched(theme), theme))
        .filter(|(friends, _)| *friends > 0)
        .collect();
    found.sort_by_key(|(friends, theme)| (Reverse(*friends), dice.roll(theme.name, ORDERS)));
    found.into_iter().map(|(_, theme)| theme).collect()
}
