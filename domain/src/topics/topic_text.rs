//! The words of a topic, and the rules that they keep.

use serde::{Deserialize, Serialize};

use super::guard::Guard;
use super::material::Material;
use crate::mirror::guard::has_contact;
use crate::mirror::words::{SENTENCE, is_control, plain, words};

/// What a writer writes, the local one and any model alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicText {
    /// A neutral, open question.
    pub title: String,
    /// What opens the discussion: a welcome, and what people shared.
    pub opening_post: String,
    /// One line for lists.
    pub summary: String,
}

/// How many words in a row may be the same as in one idea.
pub const RUN_MAX: usize = 12;
/// Characters of a title.
pub const TITLE: (usize, usize) = (10, 200);
/// Characters of an opening post.
pub const OPENING_POST: (usize, usize) = (40, 4000);
/// Characters of a summary.
pub const SUMMARY: (usize, usize) = (5, 80);

/// Checks a topic before it is kept and lists everything wrong with it, each in words that a model can
/// mend it by: lengths, a title that is no open question or takes sides, sentences or names of the
/// people who wrote, addresses, and traces of the prompt.
pub fn check(text: &TopicText, material: &Material) -> Result<(), Vec<String>> {
    let guard = Guard::new(material, RUN_MAX);
    let mut problems = Vec::new();
    problems.extend(length("title", &text.title, TITLE));
    problems.extend(length("opening_post", &text.opening_post, OPENING_POST));
    problems.extend(length("summary", &text.summary, SUMMARY));
    problems.extend(question(&text.title));
    for (field, value) in [
        ("title", &text.title),
        ("opening_post", &text.opening_post),
        ("summary", &text.summary),
    ] {
        problems.extend(content(field, value, &guard));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Blanks round a value count against the most and not towards the least.
fn length(field: &str, value: &str, (least, most): (usize, usize)) -> Option<String> {
    let trimmed = value.trim().chars().count();
    let whole = value.chars().count();
    let length = if whole > most { whole } else { trimmed };
    (trimmed < least || whole > most)
        .then(|| format!("{field} has {length} characters; it needs {least} to {most}"))
}

fn question(title: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !title.ends_with('?') {
        problems.push("title is no question; end it with a question mark".to_owned());
    }
    let asked: Vec<String> = words(title, SENTENCE)
        .iter()
        .map(|word| plain(word.text))
        .collect();
    if asked
        .first()
        .is_some_and(|first| CLOSED.contains(&first.as_str()))
    {
        problems.push(
            "title can be answered with yes or no; begin with how, what, where, which, who, when or why"
                .to_owned(),
        );
    }
    if let Some(loaded) = asked.iter().find(|word| LOADED.contains(&word.as_str())) {
        problems.push(format!(
            "title takes sides with \"{loaded}\"; ask in neutral words"
        ));
    }
    problems
}

/// Words that open a question to which yes or no is an answer.
const CLOSED: [&str; 27] = [
    "am",
    "are",
    "can",
    "could",
    "did",
    "do",
    "does",
    "had",
    "has",
    "have",
    "is",
    "may",
    "might",
    "must",
    "shall",
    "should",
    "was",
    "were",
    "will",
    "would",
    "aren't",
    "can't",
    "don't",
    "isn't",
    "shouldn't",
    "won't",
    "wouldn't",
];

/// Words that tell whoever reads a question what to think.
const LOADED: [&str; 24] = [
    "absurd",
    "awful",
    "crazy",
    "disaster",
    "disgraceful",
    "disgusting",
    "dumb",
    "evil",
    "finally",
    "greedy",
    "horrible",
    "idiotic",
    "idiots",
    "incompetent",
    "insane",
    "lazy",
    "obviously",
    "outrageous",
    "pathetic",
    "ridiculous",
    "shameful",
    "stupid",
    "terrible",
    "useless",
];

fn content(field: &str, value: &str, guard: &Guard) -> Vec<String> {
    let newline_allowed = field == "opening_post";
    let mut problems = Vec::new();
    let is_unwelcome = |c: char| is_control(c) && !(newline_allowed && c == '\n');
    if value.chars().any(is_unwelcome) {
        problems.push(format!("{field} has a control character; remove it"));
    }
    if guard.copies(value) {
        problems.push(format!(
            "{field} repeats more than {RUN_MAX} words of an idea in a row; say it in other words"
        ));
    }
    for name in guard.names_in(value) {
        problems.push(format!("{field} uses the name {name}; leave names out"));
    }
    if has_contact(value) {
        problems.push(format!(
            "{field} has an address, a link or a phone number; leave it out"
        ));
    }
    let lower = value.to_lowercase();
    for trace in TRACES.iter().filter(|trace| lower.contains(*trace)) {
        problems.push(format!(
            "{field} shows \"{trace}\", a trace of the prompt; write for the readers only"
        ));
    }
    problems
}

/// What only a leaked prompt or a followed injection would say in a topic.
const TRACES: [&str; 33] = [
    "ignore previous",
    "ignore all",
    "ignore the above",
    "ignore your",
    "disregard",
    "previous instructions",
    "these instructions",
    "my instructions",
    "your instructions",
    "new instructions",
    "system prompt",
    "system message",
    "system:",
    "assistant:",
    "as an ai",
    "language model",
    "chatgpt",
    "jailbreak",
    "developer mode",
    "do anything now",
    "json",
    "schema",
    "opening_post",
    "api key",
    "password",
    "[name]",
    "[contact]",
    "<",
    ">",
    "&lt;",
    "```",
    "{",
    "}",
];
