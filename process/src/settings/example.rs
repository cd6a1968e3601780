//! `.env.example`, written from the description of the settings so that the two cannot differ.

use super::Given;
use super::table::{Described, described};

const HEAD: &str = "\
# Every setting of every Chorus process, with its default. Nothing set at all is embedded mode: one process, SQLite.
# `chorus config check` tells what is wrong, all at once. Made by `chorus config example > .env.example`: a change
# goes to the description of the settings. For docker compose, which also needs POSTGRES_PASSWORD and
# RABBITMQ_PASSWORD, the README has a line that makes a .env. What has no value stands commented out: an empty one
# would still hide what a unit or an image sets.
";

impl Given {
    /// A file of all settings, each with what it is for. Whoever takes it as it is changes nothing.
    pub fn example() -> String {
        let (mut text, mut group) = (HEAD.to_owned(), String::new());
        for one in described() {
            if one.group != group {
                let (heading, _) = one.group.split_once(" (").unwrap_or((&one.group, ""));
                text.extend(["\n## ", heading, "\n"]);
                group.clone_from(&one.group);
            }
            one.write(&mut text);
        }
        text
    }
}

impl Described {
    fn write(&self, text: &mut String) {
        let about = self.about.replace(['<', '>'], "");
        let mut letters = about.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        text.push_str("# ");
        text.extend(first.chain(letters));
        let written = if self.is_plain() { &*self.default } else { "" };
        if written != self.default {
            let default = self.default.replace(['<', '>'], "");
            text.extend(["; default: ", &default]);
        }
        let off = if written.is_empty() { "# " } else { "" };
        text.extend(["\n", off, &self.name, "=", written, "\n"]);
        if self.secret {
            text.extend(["# ", &self.name, "_FILE=\n"]);
        }
    }

    /// Whether the default is a value that may be written down, and not words about one: those are
    /// several, are written in capitals, or stand in brackets because setting them means more.
    fn is_plain(&self) -> bool {
        let word = |letter: char| !letter.is_whitespace() && !letter.is_ascii_uppercase();
        self.default != "none" && !self.default.starts_with('<') && self.default.chars().all(word)
    }
}
