//! The local writer: a topic by rule, out of the real ideas, without a model.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::lexicon::LEXICON;
use super::material::Material;
use super::phrasebook::{about, variants};
use super::topic_text::{SUMMARY, TITLE, TopicText, check};
use crate::mirror::dice::Dice;
use crate::mirror::guard::gives_orders;
use crate::mirror::words::{SENTENCE, plain, stem, words};

/// From so many ideas on they are counted; fewer would point at people.
const COUNTED_MIN: usize = 5;
/// How many words a sentence lists.
const LIST_MAX: usize = 4;
/// How much more a keyword says of a group than a single idea does.
const KEYWORD: usize = 2;
/// How often another choice of sentences is tried, should one repeat an idea.
const TRIES: u64 = 12;
/// What a group is called of which nothing is understood.
const ANYTHING: &str = "the ideas that were shared here";

/// Writes a topic. The same material always gives the same words; another seed gives others. Sentences
/// are the phrasebook's, and of the ideas only their subjects and [`Material::keywords`] come through.
/// [`check`] holds, unless people wrote the phrasebook's own sentences as their ideas.
pub fn write_topic(material: &Material) -> TopicText {
    let subjects = subjects(material);
    let keywords = &material.keywords[..];
    let hint = material.title_hint.as_deref();
    // From the richest words to the plainest: a hint or a keyword may be an author's name.
    for (hint, keywords) in [(hint, keywords), (None, keywords), (None, &[][..])] {
        for again in 0..TRIES {
            let dice = Dice::new(material.seed.wrapping_add(again));
            let text = write(material, &subjects, (hint, keywords), dice);
            if check(&text, material).is_ok() {
                return text;
            }
        }
    }
    write(material, &[], (None, &[]), Dice::new(material.seed))
}

fn write(
    material: &Material,
    subjects: &[&'static str],
    (hint, keywords): (Option<&str>, &[String]),
    dice: Dice,
) -> TopicText {
    let list = listed(&keywords[..keywords.len().min(LIST_MAX)]);
    let main = match subjects.first() {
        Some(main) => (*main).to_owned(),
        None if keywords.len() > 1 => list.clone(),
        None => ANYTHING.to_owned(),
    };
    let count = material.ideas.len().to_string();
    let filled = [
        ("{about}", main.as_str()),
        ("{also}", subjects.get(1).copied().unwrap_or_default()),
        ("{list}", &list),
        ("{count}", &count),
    ];
    let line = |heading: &str| fill(variant(heading, dice), &filled);
    let counted = material.ideas.len() >= COUNTED_MIN;
    let mut shared = vec![line(if counted { "shared many" } else { "shared few" })];
    if keywords.len() > 1 && !subjects.is_empty() {
        shared.push(line("list"));
    }
    if subjects.len() > 1 {
        shared.push(line("also"));
    }
    TopicText {
        title: title(hint, dice).unwrap_or_else(|| line("title")),
        opening_post: [line("welcome"), shared.join(" "), line("invite")].join("\n\n"),
        summary: summary(&main, keywords, dice),
    }
}

/// The curator's hint: as it is, if it is a question, else within one.
fn title(hint: Option<&str>, dice: Dice) -> Option<String> {
    let hint = hint?.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = if hint.ends_with('?') {
        hint
    } else {
        let hint = hint.trim_end_matches(['.', '!', ':', ';']);
        fill(variant("title hint", dice), &[("{about}", hint)])
    };
    (TITLE.0..=TITLE.1)
        .contains(&title.chars().count())
        .then_some(title)
}

/// As many keywords as there is room for.
fn summary(main: &str, keywords: &[String], dice: Dice) -> String {
    let lead = fill(variant("summary", dice), &[("{about}", main)]);
    let fits = |text: &String| text.chars().count() <= SUMMARY.1;
    let with = |count: usize| format!("{lead}: {}", listed(&keywords[..count]));
    let most = keywords.len().min(LIST_MAX);
    (2..=most)
        .rev()
        .map(with)
        .find(fits)
        .or(Some(lead).filter(fits))
        .unwrap_or_else(|| "What people here have on their minds".to_owned())
}

/// What the group is about, in phrases, the most shared first; at most two that differ. An idea that gives
/// orders to a machine has no say.
fn subjects(material: &Material) -> Vec<&'static str> {
    let mut votes: BTreeMap<&'static str, usize> = BTreeMap::new();
    for idea in material.ideas.iter().filter(|idea| !gives_orders(idea)) {
        for name in named(idea) {
            *votes.entry(name).or_default() += 1;
        }
    }
    for keyword in &material.keywords {
        for name in named(keyword) {
            *votes.entry(name).or_default() += KEYWORD;
        }
    }
    let least = (material.ideas.len() / 4).max(2);
    let mut ranked: Vec<(&str, usize)> = votes.into_iter().collect();
    ranked.retain(|(_, votes)| *votes >= least);
    ranked.sort_by_key(|(name, votes)| (Reverse(*votes), *name));
    ranked
        .into_iter()
        .filter_map(|(name, _)| about(name))
        .take(2)
        .collect()
}

fn named(text: &str) -> BTreeSet<&'static str> {
    words(text, SENTENCE)
        .iter()
        .map(|word| plain(word.text))
        .filter(|word| !LEXICON.is_stop(word))
        .flat_map(|word| LEXICON.subjects(&stem(&word)).collect::<Vec<_>>())
        .map(|subject| subject.name)
        .collect()
}

/// Rolls one of the sentences under a heading.
fn variant(heading: &str, dice: Dice) -> &'static str {
    dice.turn(heading, variants(heading))
        .first()
        .copied()
        .unwrap_or("{about}")
}

fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let filled = values
        .iter()
        .fold(sentence.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        });
    let mut letters = filled.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// "a, b and c".
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
