//! The local writer's sentences, kept in text files that a writer can edit.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A heading in brackets, then one variant a line; `#` begins a remark.
const SENTENCES: &str = include_str!("phrasebook/sentences.txt");
/// A subject and its phrase a line.
const ABOUTS: &str = include_str!("phrasebook/abouts.txt");

static VARIANTS: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut variants: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut heading = "";
    for line in lines(SENTENCES) {
        match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(name) => heading = name,
            None => variants.entry(heading).or_default().push(line),
        }
    }
    variants
});

static PHRASES: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    lines(ABOUTS)
        .filter_map(|line| line.split_once(": "))
        .collect()
});

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Lists the variants under a heading; an unknown heading has none.
pub(super) fn variants(heading: &str) -> Vec<&'static str> {
    VARIANTS.get(heading).cloned().unwrap_or_default()
}

/// How a subject of the lexicon is called in a sentence.
pub(super) fn about(subject: &str) -> Option<&'static str> {
    PHRASES.get(subject).copied()
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::LEXICON;
    use super::about;

    #[test]
    fn every_subject_of_the_lexicon_has_a_phrase() {
        let without: Vec<&str> = LEXICON
            .names()
            .filter(|name| about(name).is_none())
            .collect();
        assert!(without.is_empty(), "no phrase for {without:?}");
    }
}
