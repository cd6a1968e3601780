//! `chorus audit`: who decided what, when and why.

use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone, moment};
use clap::Subcommand;
use serde_json::Value;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List decisions, newest first
    List {
        /// Only of this person
        #[arg(long)]
        actor: Option<String>,
        /// Only this verb, such as letter.replay or saga.cancel
        #[arg(long)]
        verb: Option<String>,
        /// Only about this thing: the id of a letter or a saga
        #[arg(long, value_name = "ID")]
        target: Option<String>,
        /// None older than this, such as 2026-01-31T08:00:00Z
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: AuditCommand) -> Result<(), Trouble> {
    let AuditCommand::List {
        actor,
        verb,
        target,
        since,
        limit,
        json,
    } = command;
    let query: Vec<(&str, String)> = [
        ("actor", actor),
        ("verb", verb),
        ("target", target),
        ("since", since),
        ("limit", Some(limit.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let server = Server::found()?;
    let page = server
        .get(&with_query("/api/v1/admin/audit", &query))
        .await?;
    let decided = page["items"].as_array().cloned().unwrap_or_default();
    for one in &decided {
        if json {
            terminal::line(one);
        } else {
            tell(one);
        }
    }
    if decided.is_empty() && !json {
        terminal::line("Nobody has decided anything like that.");
    }
    Ok(())
}

fn tell(decided: &Value) {
    let terminal = Terminal::here();
    let text = |name: &str| decided[name].as_str().unwrap_or_default();
    terminal::line(format!(
        "{}  {}  {} {}  by {}",
        terminal.paint(Tone::Quiet, moment(text("at"))),
        terminal.paint(Tone::Strong, text("verb")),
        text("target_kind"),
        text("target_id"),
        text("actor")
    ));
    if !text("reason").is_empty() {
        terminal::line(format!("  {}", text("reason")));
    }
}
