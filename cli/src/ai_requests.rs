//! `chorus ai-requests`: every call of a model, without what was said.

use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone, moment};
use clap::{Args, Subcommand};
use serde_json::Value;

#[derive(Subcommand)]
pub(crate) enum AiRequestsCommand {
    /// List calls, the latest first
    List(List),
}

#[derive(Args)]
pub(crate) struct List {
    /// Only of this provider, such as openai or local
    #[arg(long)]
    provider: Option<String>,
    /// Only of this model
    #[arg(long)]
    model: Option<String>,
    /// Only for this purpose, such as persona or image; known of answered calls
    #[arg(long)]
    purpose: Option<String>,
    /// Only of sagas of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only of this account's sagas
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only of this saga
    #[arg(long, value_name = "ID")]
    saga: Option<String>,
    /// Only those: processing, completed or failed
    #[arg(long)]
    status: Option<String>,
    /// None older than this, such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only older than this
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
    /// From where the page before ended; it tells
    #[arg(long)]
    cursor: Option<String>,
    /// One JSON object a line; the last one is where the next page begins, if there is one
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: AiRequestsCommand) -> Result<(), Trouble> {
    let AiRequestsCommand::List(list) = command;
    let query: Vec<(&str, String)> = [
        ("provider", list.provider),
        ("model", list.model),
        ("purpose", list.purpose),
        ("kind", list.kind),
        ("account", list.account),
        ("saga", list.saga),
        ("status", list.status),
        ("from", list.from),
        ("to", list.to),
        ("limit", Some(list.limit.to_string())),
        ("cursor", list.cursor),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let server = Server::found()?;
    let path = with_query("/api/v1/admin/ai-requests", &query);
    let page = server.get(&path).await?;
    let calls = page["items"].as_array().map_or(&[][..], Vec::as_slice);
    let next = page["next_cursor"].as_str();
    if list.json {
        calls.iter().for_each(terminal::line);
        if let Some(next) = next {
            terminal::line(serde_json::json!({"next_cursor": next}));
        }
        return Ok(());
    }
    calls.iter().for_each(tell);
    match next {
        Some(next) => terminal::line(format!("There are more: --cursor {next}")),
        None if calls.is_empty() => terminal::line("No model was called like that."),
        None => {}
    }
    Ok(())
}

fn tell(call: &Value) {
    let terminal = Terminal::here();
    let text = |name: &str| call[name].as_str().unwrap_or("–");
    let number = |name: &str| call[name].as_i64().unwrap_or(0);
    let tone = match text("status") {
        "completed" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Busy,
    };
    let cost = match (call["cache_hit"] == true, call["cost_micros"].as_i64()) {
        (true, _) => "given again, nothing to pay".to_owned(),
        (false, Some(micros)) => format!("{} USD", saga_core::prices::dollars(micros)),
        (false, None) => "cost unknown".to_owned(),
    };
    let took = call["latency_ms"].as_i64();
    let took = took.map_or(String::new(), |ms| format!(", {ms} ms"));
    terminal::line(format!(
        "{}  {}  {}/{} for {}",
        terminal.paint(Tone::Quiet, moment(text("created_at"))),
        terminal.paint(tone, text("status")),
        text("provider"),
        text("model"),
        text("purpose")
    ));
    terminal::line(format!(
        "  {} of {}, {} tokens in, {} out, {} pictures, {cost}{took}",
        text("step"),
        text("saga_id"),
        number("prompt_tokens"),
        number("completion_tokens"),
        number("images"),
    ));
    if let Some(error) = call["error"].as_str() {
        terminal::line(format!("  {}", terminal.paint(Tone::Bad, error)));
    }
}
