//! The terminal, or what stands in its place: colour, width and redrawing only where they belong.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

/// Widest text, however wide the terminal: longer lines are hard to read.
const WIDTH_MAX: usize = 88;
const WIDTH_UNKNOWN: usize = 80;

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Done.
    Good,
    /// Moving.
    Busy,
    /// Waits, or is tried again.
    Warn,
    /// Gave up.
    Bad,
    /// Less important.
    Quiet,
    /// More important.
    Strong,
    /// Where the eye is to go.
    Accent,
}

/// What standard output can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Whether lines can be drawn again.
    pub(crate) live: bool,
    /// Columns for text.
    pub(crate) width: usize,
    colour: bool,
}

impl Terminal {
    /// What standard output can show, by what it is and by `NO_COLOR`.
    pub(crate) fn here() -> Self {
        let live = std::io::stdout().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let width =
            terminal_size::terminal_size().map_or(WIDTH_UNKNOWN, |(width, _)| usize::from(width.0));
        Self {
            live,
            colour: live && !no_colour,
            width: width.clamp(20, WIDTH_MAX),
        }
    }

    /// Colours a text, if there are colours.
    pub(crate) fn paint(&self, tone: Tone, text: impl Display) -> String {
        if !self.colour {
            return text.to_string();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Busy => "36",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Quiet => "2",
            Tone::Strong => "1",
            Tone::Accent => "1;35",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Writes a line. Whoever stopped reading is not told any more.
pub(crate) fn line(text: impl Display) {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Lines that are drawn again in place.
#[derive(Debug, Default)]
pub(crate) struct Block {
    drawn: usize,
}

impl Block {
    /// Draws the lines over those drawn before; there are never fewer of them.
    pub(crate) fn draw(&mut self, lines: &[String]) {
        let mut out = std::io::stdout().lock();
        let up = if self.drawn > 0 {
            format!("\x1b[{}A", self.drawn)
        } else {
            String::new()
        };
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("\r\x1b[2K{line}\n"))
            .collect();
        let text = lines.concat();
        drop(write!(out, "{up}{text}"));
        drop(out.flush());
        self.drawn = lines.len();
    }
}

/// Breaks a text into lines of at most `width` characters, at spaces.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![];
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// A time as the API tells it, to the second: nobody reads its millionths.
pub(crate) fn moment(text: &str) -> String {
    match text.split_once('.') {
        Some((second, rest)) if rest.ends_with('Z') => format!("{second}Z"),
        _ => text.to_owned(),
    }
}

/// At most `width` characters of a text.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::{cut, moment, wrap};

    #[test]
    fn text_is_broken_at_spaces_and_cut_with_a_sign() {
        assert_eq!(
            wrap("one two three\n\nfour", 8),
            ["one two", "three", "", "four"]
        );
        assert_eq!(wrap("unbreakable", 4), ["unbreakable"]);
        assert_eq!(cut("twelve years", 8), "twelve…");
        assert_eq!(cut("twelve", 6), "twelve");
    }

    #[test]
    fn a_time_is_told_to_the_second() {
        assert_eq!(
            moment("2026-01-31T08:00:00.123456Z"),
            "2026-01-31T08:00:00Z"
        );
        assert_eq!(moment("2026-01-31T08:00:00Z"), "2026-01-31T08:00:00Z");
        assert_eq!(moment("v1.2"), "v1.2");
    }
}
