//! What a job's events tell, as a list of steps: pure, so that it can be drawn again at any moment.

use crate::follow::Event;
use crate::terminal::{Terminal, Tone, cut};
use chrono::{DateTime, TimeDelta, Utc};

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// Columns of a step's title.
const TITLE: usize = 34;

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    /// Not begun, or not yet again.
    Waiting,
    /// A worker is at it.
    Running,
    /// It failed and is tried again.
    Retrying,
    /// Answered.
    Done,
    /// Gave up.
    Failed,
}

/// One step of the list.
#[derive(Clone, Debug)]
pub(crate) struct Chapter {
    key: String,
    undo: bool,
    pub(crate) now: Now,
    began: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
    attempt: i64,
    note: String,
}

/// What is known of a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    pub(crate) chapters: Vec<Chapter>,
    /// `queued`, `running`, `parked`, `succeeded` …
    pub(crate) status: String,
    /// Why it stands still or failed.
    pub(crate) message: Option<String>,
}

impl Story {
    /// A story whose steps are known beforehand, if they are.
    pub(crate) fn of_kind(kind: &str) -> Self {
        let planned = domain::catalog::plan(kind);
        let chapter = |(at, name): (usize, &&str)| match planned[..at]
            .iter()
            .filter(|before| *before == name)
            .count()
        {
            0 => Chapter::new(name),
            before => Chapter::new(&format!("{name}#{}", before + 1)),
        };
        Self {
            chapters: planned.iter().enumerate().map(chapter).collect(),
            status: "queued".to_owned(),
            message: None,
        }
    }

    /// Whether only somebody from outside can move it on, or nobody.
    pub(crate) fn rests(&self) -> bool {
        matches!(
            self.status.as_str(),
            "succeeded" | "failed" | "canceled" | "parked"
        )
    }

    /// Takes an event in, and says which step it was about.
    pub(crate) fn hear(&mut self, event: &Event) -> Option<usize> {
        let text = |name: &str| event.data[name].as_str().map(str::to_owned);
        if let Some(status) = event.name.strip_prefix("saga.") {
            match status {
                "queued" | "running" | "waiting" | "succeeded" | "failed" | "canceled" => {
                    status.clone_into(&mut self.status);
                }
                "parked" | "stuck" => "parked".clone_into(&mut self.status),
                "undoing" => "being undone".clone_into(&mut self.status),
                "paused" => "paused".clone_into(&mut self.status),
                "replayed" | "resumed" => "running".clone_into(&mut self.status),
                _ => {}
            }
            if ["parked", "stuck", "undoing"].contains(&status) {
                self.message = text("message");
            }
            return None;
        }
        let at = self.chapter(plain(event.step.as_deref()?));
        let chapter = &mut self.chapters[at];
        chapter.undo |= event.data["role"] == "undo";
        match event.name.as_str() {
            "step.started" => {
                let status = if chapter.undo {
                    "being undone"
                } else {
                    "running"
                };
                status.clone_into(&mut self.status);
                chapter.now = Now::Running;
                chapter.began = chapter
                    .began
                    .filter(|_| chapter.attempt > 0)
                    .or(Some(event.at));
                chapter.attempt = event.data["attempt"].as_i64().unwrap_or(1);
                chapter.ended = None;
                chapter.note.clear();
            }
            "step.succeeded" => chapter.end(Now::Done, event.at, String::new()),
            "step.failed" => {
                chapter.end(Now::Failed, event.at, text("message").unwrap_or_default());
            }
            "step.retrying" | "step.throttled" | "step.lost" => {
                chapter.now = Now::Retrying;
                chapter.note = text("message").unwrap_or_else(|| event.name.replace("step.", ""));
            }
            "step.skipped" => {
                let how = match event.data["how"].as_str() {
                    Some("answered") => Now::Done,
                    _ => Now::Failed,
                };
                chapter.end(how, event.at, "skipped by an operator".to_owned());
            }
            "step.released" => chapter.now = Now::Waiting,
            _ => {}
        }
        Some(at)
    }

    fn chapter(&mut self, key: &str) -> usize {
        if let Some(at) = self.chapters.iter().position(|chapter| chapter.key == key) {
            return at;
        }
        // What was planned and never came stays behind what came.
        let at = self
            .chapters
            .iter()
            .rposition(|chapter| chapter.now != Now::Waiting)
            .map_or(0, |last| last + 1);
        self.chapters.insert(at, Chapter::new(key));
        at
    }

    /// The list, one line a step. `frame` moves the spinner.
    pub(crate) fn lines(
        &self,
        terminal: &Terminal,
        now: DateTime<Utc>,
        frame: usize,
    ) -> Vec<String> {
        self.chapters
            .iter()
            .map(|chapter| chapter.line(terminal, now, frame))
            .collect()
    }
}

impl Chapter {
    fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            undo: false,
            now: Now::Waiting,
            began: None,
            ended: None,
            attempt: 0,
            note: String::new(),
        }
    }

    fn end(&mut self, now: Now, at: DateTime<Utc>, note: String) {
        self.now = now;
        self.ended = Some(at);
        self.note = note;
    }

    /// One line: sign, title, time, and what there is to say.
    pub(crate) fn line(&self, terminal: &Terminal, now: DateTime<Utc>, frame: usize) -> String {
        let (tone, sign) = match self.now {
            Now::Waiting => (Tone::Quiet, "○"),
            Now::Running => (Tone::Busy, SPINNER[frame % SPINNER.len()]),
            Now::Retrying => (Tone::Warn, "↻"),
            Now::Done if self.undo => (Tone::Warn, "↩"),
            Now::Done => (Tone::Good, "✓"),
            Now::Failed => (Tone::Bad, "✗"),
        };
        let name = if self.undo {
            format!("undo: {}", title(&self.key))
        } else {
            title(&self.key).to_owned()
        };
        let took = self
            .began
            .map(|began| duration(self.ended.unwrap_or(now) - began))
            .unwrap_or_default();
        let tries = if self.attempt > 1 {
            format!("attempt {}  ", self.attempt)
        } else {
            String::new()
        };
        let left = terminal
            .width
            .saturating_sub(TITLE + 16 + tries.len())
            .max(8);
        let note = terminal.paint(Tone::Quiet, format!("{tries}{}", cut(&self.note, left)));
        let name = format!("{:TITLE$}", cut(&name, TITLE));
        let name = if self.now == Now::Waiting {
            terminal.paint(Tone::Quiet, name)
        } else {
            name
        };
        let line = format!("  {} {name} {took:>8}", terminal.paint(tone, sign));
        if tries.is_empty() && self.note.is_empty() {
            line.trim_end().to_owned()
        } else {
            format!("{line}  {note}")
        }
    }
}

/// A key without the number of its first occurrence, which is most often the only one.
fn plain(key: &str) -> &str {
    key.strip_suffix("#1").unwrap_or(key)
}

/// What a step is called for people.
fn title(key: &str) -> &str {
    match key {
        "persona.aggregate" => "Add the answers up",
        "persona.write" => "Write the character",
        "persona.paint" => "Paint the portrait",
        "persona.derive" => "Cut the pictures, make the card",
        "persona.activate" => "Bring it to life",
        "persona.discard_draft" => "Discard the draft",
        key if key.starts_with("persona.discard_picture") => "Discard a picture",
        key => key,
    }
}

/// `42 ms`, `4.2 s`, `1 m 12 s`.
pub(crate) fn duration(length: TimeDelta) -> String {
    let ms = length.num_milliseconds().max(0);
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} m {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(events: &[(&str, Option<&str>, Value)]) -> Story {
        let mut story = Story::of_kind("persona.forge");
        for (at, (name, step, data)) in events.iter().enumerate() {
            let event = json!({"id": at + 1, "at": "2026-01-02T03:04:05Z", "name": name, "step": step, "data": data});
            story.hear(&serde_json::from_value(event).unwrap());
        }
        story
    }

    #[test]
    fn steps_stand_in_the_order_in_which_they_were_taken() {
        let story = told(&[
            (
                "step.started",
                Some("persona.aggregate#1"),
                json!({"attempt": 1, "role": "work"}),
            ),
            (
                "step.succeeded",
                Some("persona.aggregate#1"),
                json!({"role": "work"}),
            ),
            (
                "step.started",
                Some("persona.discard_draft"),
                json!({"attempt": 1, "role": "undo"}),
            ),
        ]);
        let keys: Vec<&str> = story
            .chapters
            .iter()
            .map(|chapter| chapter.key.as_str())
            .collect();
        assert_eq!(
            keys[..3],
            [
                "persona.aggregate",
                "persona.discard_draft",
                "persona.write"
            ]
        );
        assert_eq!(story.status, "being undone");
        assert!(story.chapters[1].undo);
    }

    #[test]
    fn a_parked_job_rests_and_says_why() {
        let story = told(&[
            (
                "step.failed",
                Some("persona.write"),
                json!({"message": "no answer", "role": "work"}),
            ),
            (
                "saga.parked",
                Some("persona.write"),
                json!({"message": "no answer"}),
            ),
        ]);
        assert!(story.rests());
        assert_eq!(story.message.as_deref(), Some("no answer"));
        assert!(
            told(&[("saga.running", None, Value::Null)])
                .message
                .is_none()
        );
    }

    #[test]
    fn durations_read_like_words() {
        let words =
            [0, 42, 999, 4_250, 72_000, 7_500_000].map(|ms| duration(TimeDelta::milliseconds(ms)));
        assert_eq!(
            words,
            ["0 ms", "42 ms", "999 ms", "4.2 s", "1 m 12 s", "2 h 5 m"]
        );
    }
}
