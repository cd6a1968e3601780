//! The words that tell one group of ideas from the others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::lexicon::LEXICON;
use crate::mirror::guard::{gives_orders, is_capitalised};
use crate::mirror::words::{SENTENCE, contacts, plain, stem, words};

/// The most keywords of a group.
pub const KEYWORDS_MAX: usize = 6;

/// How many ideas of a group must have a word: one person's word stays with that person.
const IDEAS_MIN: usize = 2;

/// The longest keyword, in characters.
const LENGTH_MAX: usize = 24;

/// The words of one idea that may be shown, by stem, each as it was written.
type Words = BTreeMap<String, String>;

/// Picks the words of each group by tf-idf over all `texts`, the strongest first. `labels` has a group
/// from 0 for each text, or less for none.
pub fn keywords(texts: &[&str], labels: &[i32]) -> Vec<Vec<String>> {
    let read: Vec<Words> = texts.iter().map(|text| shown(text)).collect();
    let mut everywhere: BTreeMap<&str, usize> = BTreeMap::new();
    for stem in read.iter().flat_map(Words::keys) {
        *everywhere.entry(stem).or_default() += 1;
    }
    let count = labels.iter().max().map_or(0, |most| most + 1);
    (0..count)
        .map(|label| {
            let members = read.iter().zip(labels);
            let ideas: Vec<&Words> = members
                .filter(|(_, own)| **own == label)
                .map(|(words, _)| words)
                .collect();
            ranked(&ideas, &everywhere, texts.len())
        })
        .collect()
}

fn ranked(ideas: &[&Words], everywhere: &BTreeMap<&str, usize>, all: usize) -> Vec<String> {
    let stems: BTreeSet<&String> = ideas.iter().flat_map(|words| words.keys()).collect();
    let mut ranked: Vec<(usize, &String)> = stems
        .into_iter()
        .filter_map(|stem| {
            let here = ideas
                .iter()
                .filter(|words| words.contains_key(stem))
                .count();
            let anywhere = everywhere.get(stem.as_str()).copied().unwrap_or(here);
            (here >= IDEAS_MIN).then(|| (weight(here, anywhere, all), stem))
        })
        .collect();
    ranked.sort_by_key(|(weight, stem)| (Reverse(*weight), *stem));
    ranked
        .into_iter()
        .take(KEYWORDS_MAX)
        .map(|(_, stem)| commonest(ideas, stem))
        .collect()
}

/// tf-idf in thousandths: whole numbers are in the same order on every machine.
fn weight(here: usize, anywhere: usize, all: usize) -> usize {
    let small = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let rarity = (1.0 + small(all) / small(anywhere)).ln();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "above nought, and far below what a number holds"
    )]
    let weight = (small(here) * rarity * 1000.0) as usize;
    weight
}

/// The form in which most ideas have the word.
fn commonest(ideas: &[&Words], stem: &str) -> String {
    let mut forms: BTreeMap<&String, usize> = BTreeMap::new();
    for form in ideas.iter().filter_map(|words| words.get(stem)) {
        *forms.entry(form).or_default() += 1;
    }
    let best = forms
        .into_iter()
        .max_by_key(|(form, count)| (*count, Reverse(*form)));
    best.map(|(form, _)| form.clone()).unwrap_or_default()
}

/// No names, no addresses, no numbers, and nothing of an idea that gives orders to a machine.
fn shown(text: &str) -> Words {
    if gives_orders(text) {
        return Words::new();
    }
    let kept: Vec<&str> = contacts(text)
        .into_iter()
        .filter_map(|(chunk, contact)| (!contact).then_some(chunk))
        .collect();
    let kept = kept.join(" ");
    words(&kept, SENTENCE)
        .into_iter()
        .filter(|word| word.leads || !is_capitalised(word.text))
        .map(|word| plain(word.text))
        .filter(|word| word.chars().all(|c| c.is_alphabetic() || c == '-'))
        .filter(|word| word.chars().count() <= LENGTH_MAX && !LEXICON.is_stop(word))
        .map(|word| (stem(&word), word))
        .collect()
}
