//! Everything a writer may know about a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::archetype::{Archetype, Mode};
use super::rarity::Rarity;
use super::statistics::Stats;

/// What friends said and what it adds up to. It keeps the texts apart from the people who wrote
/// them: lists by question, in which no friend can be followed from one list to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// The four stats.
    pub stats: Stats,
    /// The character to write.
    pub archetype: Archetype,
    /// How unusual it is.
    pub rarity: Rarity,
    /// How many friends answered.
    pub responders: usize,
    /// The answers to *w1*, three words.
    #[serde(default)]
    pub words: Vec<String>,
    /// The answers to *h1*, laughter.
    #[serde(default)]
    pub laughs: Vec<String>,
    /// The answers to *m1*, what would be missed.
    #[serde(default)]
    pub missed: Vec<String>,
    /// How many chose each option of *p1*, pressure.
    #[serde(default)]
    pub pressure: BTreeMap<String, u32>,
    /// How many chose each option of *g1*, groups.
    #[serde(default)]
    pub group: BTreeMap<String, u32>,
    /// What the local writer chooses its phrases by.
    pub seed: u64,
    /// The owner's own name. It is never written, only kept out.
    #[serde(default)]
    pub display_name: Option<String>,
}

impl Material {
    /// Gathers the answers of all friends and decides stats, archetype and rarity.
    pub fn gather(
        answers: &[Answers],
        mode: Mode,
        chosen: Option<Archetype>,
        seed: u64,
        display_name: Option<String>,
    ) -> Self {
        let stats = Stats::from_answers(answers);
        Self {
            archetype: Archetype::decide(stats, mode, chosen),
            rarity: Rarity::of(stats, answers, mode),
            responders: answers.len(),
            words: texts(answers, "w1"),
            laughs: texts(answers, "h1"),
            missed: texts(answers, "m1"),
            pressure: counts(answers, "p1"),
            group: counts(answers, "g1"),
            seed,
            display_name,
            stats,
        }
    }

    /// Goes through every text a friend wrote.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.words, &self.laughs, &self.missed];
        lists.into_iter().flatten().map(String::as_str)
    }
}

/// Sorted, so that the order of arrival does not tie the lists together either.
fn texts(answers: &[Answers], id: &str) -> Vec<String> {
    let mut texts: Vec<String> = answers
        .iter()
        .filter_map(|answers| answers.words(id).map(str::to_owned))
        .collect();
    texts.sort();
    texts
}

fn counts(answers: &[Answers], id: &str) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for option in answers.iter().filter_map(|answers| answers.words(id)) {
        *counts.entry(option.to_owned()).or_default() += 1;
    }
    counts
}
