//! `chorus topics`: what became of ideas.

use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone};
use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;

/// What help shows first.
pub(crate) const EXAMPLES: &str = "Examples:
  chorus topics list                        newest first
  chorus topics show TOPIC                  with what is said about it
  chorus topics retract TOPIC --reason \"it was about one person\"
";
const PATH: &str = "/api/v1/topics";

#[derive(Subcommand)]
pub(crate) enum TopicsCommand {
    /// List topics, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one topic, with the first of its posts
    Show {
        topic: Uuid,
        /// One JSON object a line: the topic, then its posts
        #[arg(long)]
        json: bool,
    },
    /// Take a topic back; its ideas stay archived
    Retract {
        topic: Uuid,
        /// Why; kept in the audit
        #[arg(long, default_value = "")]
        reason: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: TopicsCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        TopicsCommand::List { limit, json } => {
            let query = [("limit", limit.to_string())];
            let page = server.get(&with_query(PATH, &query)).await?;
            let topics = page["items"].as_array().cloned().unwrap_or_default();
            for topic in &topics {
                told(topic, json);
            }
            if topics.is_empty() && !json {
                terminal::line("No topics. A round makes them: chorus round start --wait");
            }
        }
        TopicsCommand::Show { topic, json } => {
            let path = Server::path(PATH, &[&topic.to_string()]);
            told(&server.get(&path).await?, json);
            let posts = server.get(&format!("{path}/posts")).await?;
            for post in posts["items"].as_array().into_iter().flatten() {
                said(post, json);
            }
        }
        TopicsCommand::Retract {
            topic,
            reason,
            json,
        } => {
            let path = Server::path(PATH, &[&topic.to_string(), "retract"]);
            told(&server.post(&path, &json!({"reason": reason})).await?, json);
        }
    }
    Ok(())
}

/// Shows one topic.
pub(crate) fn told(topic: &Value, json: bool) {
    if json {
        return terminal::line(topic);
    }
    let terminal = Terminal::here();
    let text = |name: &str| topic[name].as_str().unwrap_or_default();
    let retracted = match text("state") {
        "retracted" => terminal.paint(Tone::Warn, "  retracted"),
        _ => String::new(),
    };
    terminal::line(format!(
        "{}  {}  {} ideas, {} posts{retracted}",
        text("id"),
        terminal.paint(Tone::Strong, text("title")),
        topic["ideas"],
        topic["post_count"],
    ));
}

fn said(post: &Value, json: bool) {
    if json {
        return terminal::line(post);
    }
    let terminal = Terminal::here();
    let text = |name: &str| post[name].as_str().unwrap_or_default();
    terminal::line(format!(
        "  {}: {}",
        terminal.paint(Tone::Quiet, text("author_name")),
        text("body")
    ));
}
