//! `chorus dead-letters list`: letters by whatever is known of them, newest first.

use super::{LetterState, PATH, word};
use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone, cut, moment};
use clap::Args;
use serde_json::{Value, json};

#[derive(Args)]
pub(crate) struct Wanted {
    /// Which ones
    #[arg(long, value_enum, default_value_t = LetterState::Open)]
    state: LetterState,
    /// Only of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only of this step
    #[arg(long)]
    step: Option<String>,
    /// Only of this queue
    #[arg(long)]
    queue: Option<String>,
    /// Only those that failed in this way: permanent, transient, poison …
    #[arg(long)]
    class: Option<String>,
    /// Only of this group, as `groups` tells it
    #[arg(long)]
    group: Option<String>,
    /// Only those whose message holds this text
    #[arg(long)]
    text: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
    /// Where the list before this one ended
    #[arg(long)]
    cursor: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(server: &Server, wanted: Wanted) -> Result<(), Trouble> {
    let query = [
        ("state", word(wanted.state).filter(|state| state != "all")),
        ("kind", wanted.kind),
        ("step", wanted.step),
        ("queue", wanted.queue),
        ("class", wanted.class),
        ("group", wanted.group),
        ("text", wanted.text),
        ("limit", Some(wanted.limit.to_string())),
        ("cursor", wanted.cursor),
    ];
    let query: Vec<(&str, String)> = query
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let page = server.get(&with_query(PATH, &query)).await?;
    let letters = page["items"].as_array().map_or(&[][..], Vec::as_slice);
    let next = page["next_cursor"].as_str();
    if wanted.json {
        letters.iter().for_each(terminal::line);
        if let Some(next) = next {
            terminal::line(json!({"next_cursor": next}));
        }
        return Ok(());
    }
    letters.iter().for_each(tell);
    match next {
        Some(next) => terminal::line(format!("There are more: --cursor {next}")),
        None if letters.is_empty() => {
            terminal::line("No dead letters. See one: chorus jobs submit demo.fail");
        }
        None => {}
    }
    Ok(())
}

fn tell(letter: &Value) {
    let terminal = Terminal::here();
    let text = |name: &str| letter[name].as_str().unwrap_or_default();
    terminal::line(format!(
        "{}  {}  {}",
        text("id"),
        terminal.paint(Tone::Strong, text("step")),
        terminal.paint(Tone::Quiet, moment(text("created_at")))
    ));
    let attempts = &letter["attempts"];
    terminal::line(format!(
        "  {} after {attempts} attempt(s): {}",
        text("class"),
        cut(text("message"), terminal.width)
    ));
}
