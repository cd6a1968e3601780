//! `chorus costs`: what calls of models cost.

use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone};
use clap::{Args, ValueEnum};
use serde_json::Value;

#[derive(Args)]
pub(crate) struct CostsArguments {
    /// Add up by
    #[arg(long, value_enum, default_value_t = By::Day)]
    by: By,
    /// Only what was answered at or after this time, such as 2026-01-31T08:00:00Z [default: 30 days ago]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what was answered before this time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// By what costs are added up.
#[derive(Clone, Copy, ValueEnum)]
enum By {
    Day,
    Kind,
    Model,
    Account,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Kind => "kind",
            Self::Model => "model",
            Self::Account => "account",
        }
    }
}

pub(crate) async fn run(arguments: CostsArguments) -> Result<(), Trouble> {
    let by = arguments.by.word();
    let query: Vec<(&str, String)> = [
        ("by", Some(by.to_owned())),
        ("from", arguments.from),
        ("to", arguments.to),
        ("limit", Some(arguments.limit.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let server = Server::found()?;
    let told = server
        .get(&with_query("/api/v1/admin/costs", &query))
        .await?;
    if arguments.json {
        terminal::line(told);
    } else {
        tell(by, &told);
    }
    Ok(())
}

fn tell(by: &str, told: &Value) {
    let terminal = Terminal::here();
    let head = row(
        by,
        ["calls", "tokens in", "tokens out", "pictures", "USD"].map(str::to_owned),
    );
    terminal::line(terminal.paint(Tone::Quiet, head));
    for costs in told["items"].as_array().into_iter().flatten() {
        terminal::line(line(costs[by].as_str().unwrap_or("nobody's"), costs));
    }
    let total = &told["total"];
    terminal::line(terminal.paint(Tone::Strong, line("all", total)));
    if let Some(unknown) = total["calls_of_unknown_cost"].as_i64().filter(|n| *n > 0) {
        let words =
            format!("{unknown} call(s) are not in the sum: PRICES does not say what they cost.");
        terminal::line(terminal.paint(Tone::Warn, words));
    }
}

fn line(name: &str, costs: &Value) -> String {
    let counts = ["calls", "input_tokens", "output_tokens", "images"];
    let [calls, input, output, images] = counts.map(|count| costs[count].to_string());
    let cost = costs["cost_usd"].as_str().unwrap_or_default().to_owned();
    row(name, [calls, input, output, images, cost])
}

fn row(name: &str, cells: [String; 5]) -> String {
    let cells = cells.map(|cell| format!("{cell:>12}"));
    format!("{name:<38}{}", cells.concat())
}
