//! The words of a persona.

use serde::{Deserialize, Serialize};

use super::guard::{Guard, has_contact};
use super::material::Material;
use super::words::is_control;

/// What a writer writes, the local one and any model alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonaText {
    /// An invented name.
    pub name: String,
    /// An image in one line, such as "The lantern in the hallway".
    pub title: String,
    /// Three to six short words.
    pub traits: Vec<String>,
    /// The character brief, written to "you".
    pub persona_prompt: String,
    /// What the character says first.
    pub greeting: String,
}

/// How many words in a row may be the same as in an answer.
pub const RUN_MAX: usize = 12;

/// Checks a persona before it is kept and lists everything wrong with it, each in words that a
/// model can mend it by: lengths, control characters, names or sentences from the answers,
/// addresses, and traces of the prompt.
pub fn check(text: &PersonaText, material: &Material) -> Result<(), Vec<String>> {
    let guard = Guard::new(material, RUN_MAX);
    let mut problems = Vec::new();
    problems.extend(length("name", &text.name, 2, 40));
    problems.extend(length("title", &text.title, 3, 80));
    problems.extend(length("persona_prompt", &text.persona_prompt, 80, 2000));
    problems.extend(length("greeting", &text.greeting, 5, 300));
    problems.extend(traits(&text.traits));
    for (field, value) in fields(text) {
        problems.extend(content(&field, value, &guard));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn fields(text: &PersonaText) -> Vec<(String, &str)> {
    let mut fields = vec![
        ("name".to_owned(), text.name.as_str()),
        ("title".to_owned(), text.title.as_str()),
        ("persona_prompt".to_owned(), text.persona_prompt.as_str()),
        ("greeting".to_owned(), text.greeting.as_str()),
    ];
    let traits = text.traits.iter().take(TRAITS_MAX).enumerate();
    fields.extend(traits.map(|(at, word)| (format!("traits[{at}]"), word.as_str())));
    fields
}

/// Blanks round a value count against the most and not towards the least.
fn length(field: &str, value: &str, least: usize, most: usize) -> Option<String> {
    let trimmed = value.trim().chars().count();
    let whole = value.chars().count();
    let length = if whole > most { whole } else { trimmed };
    (trimmed < least || whole > most)
        .then(|| format!("{field} has {length} characters; it needs {least} to {most}"))
}

/// The fewest and the most traits a persona has.
const TRAITS_MIN: usize = 3;
const TRAITS_MAX: usize = 6;

fn traits(traits: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    let count = traits.len();
    if !(TRAITS_MIN..=TRAITS_MAX).contains(&count) {
        problems.push(format!(
            "traits has {count} entries; it needs {TRAITS_MIN} to {TRAITS_MAX}"
        ));
    }
    let traits = &traits[..count.min(TRAITS_MAX)];
    for (at, word) in traits.iter().enumerate() {
        problems.extend(length(&format!("traits[{at}]"), word, 2, 24));
        let lower = word.to_lowercase();
        if traits[..at]
            .iter()
            .any(|other| other.to_lowercase() == lower)
        {
            problems.push(format!("traits[{at}] repeats another trait"));
        }
    }
    problems
}

fn content(field: &str, value: &str, guard: &Guard) -> Vec<String> {
    let newline_allowed = field == "persona_prompt";
    let mut problems = Vec::new();
    let is_unwelcome = |c: char| is_control(c) && !(newline_allowed && c == '\n');
    if value.chars().any(is_unwelcome) {
        problems.push(format!("{field} has a control character; remove it"));
    }
    if guard.copies(value) {
        problems.push(format!(
            "{field} repeats more than {RUN_MAX} words of an answer in a row; say it in other words"
        ));
    }
    for name in guard.names_in(value) {
        problems.push(format!(
            "{field} uses the name {name}; leave real names out"
        ));
    }
    if has_contact(value) {
        problems.push(format!(
            "{field} has an address, a link or a phone number; leave it out"
        ));
    }
    let lower = value.to_lowercase();
    for trace in TRACES.iter().filter(|trace| lower.contains(*trace)) {
        problems.push(format!(
            "{field} shows \"{trace}\", a trace of the prompt; describe the character only"
        ));
    }
    problems
}

/// What only a leaked prompt or a followed injection would say about a character.
const TRACES: [&str; 26] = [
    "ignore previous",
    "ignore all",
    "ignore the above",
    "previous instructions",
    "these instructions",
    "my instructions",
    "your instructions",
    "system prompt",
    "system message",
    "as an ai",
    "language model",
    "jailbreak",
    "developer mode",
    "json",
    "schema",
    "persona_prompt",
    "api key",
    "[name]",
    "[contact]",
    "<answer",
    "</",
    "&lt;",
    "```",
    "{",
    "}",
    "system:",
];
