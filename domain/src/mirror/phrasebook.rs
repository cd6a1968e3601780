//! The local writer's sentences, kept in text files that a writer can edit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::words::stem;

/// A heading in brackets, then one variant a line; `#` begins a remark.
const BOOK: &str = concat!(
    include_str!("phrasebook/sentences.txt"),
    include_str!("phrasebook/characters.txt"),
    include_str!("phrasebook/themes.txt"),
);

/// The book by heading, read once.
static SECTIONS: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| sections().collect());

/// The themes of the book, read once.
pub(super) static THEMES: LazyLock<Vec<Theme>> =
    LazyLock::new(|| sections().filter_map(theme).collect());

/// Lists the variants under a heading; an unknown heading has none.
pub(super) fn lines(heading: &str) -> Vec<&'static str> {
    SECTIONS.get(heading).cloned().unwrap_or_default()
}

/// Something friends may mention, with what to say when they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Theme {
    /// What it is about, such as "music".
    pub name: &'static str,
    /// Whether it is a way of being funny.
    pub comic: bool,
    /// The stems of the words that point to it.
    pub stems: BTreeSet<String>,
    /// Sentences for the brief.
    pub lines: Vec<&'static str>,
    /// A sentence for the greeting.
    pub hello: &'static str,
}

fn theme((heading, lines): Section) -> Option<Theme> {
    let (kind, name) = heading.split_once(' ')?;
    if kind != "theme" && kind != "humour" {
        return None;
    }
    let mut theme = Theme {
        name,
        comic: kind == "humour",
        stems: BTreeSet::new(),
        lines: Vec::new(),
        hello: "",
    };
    for line in lines {
        if let Some(keys) = line.strip_prefix("when: ") {
            theme.stems.extend(keys.split_whitespace().map(stem));
        } else if let Some(hello) = line.strip_prefix("hello: ") {
            theme.hello = hello;
        } else {
            theme.lines.push(line);
        }
    }
    Some(theme)
}

type Section = (&'static str, Vec<&'static str>);

fn sections() -> impl Iterator<Item = Section> {
    BOOK.split("\n[").filter_map(|section| {
        let (heading, lines) = section.split_once("]\n")?;
        let lines = lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        Some((heading, lines))
    })
}
