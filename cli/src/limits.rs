//! `chorus limits`: the most that may be spent on models.

use crate::exit::Trouble;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/admin/limits";
/// Typed for a cap that goes back to the settings.
const DEFAULT: &str = "default";

#[derive(Args)]
pub(crate) struct LimitsArguments {
    #[command(subcommand)]
    command: Option<LimitsCommand>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum LimitsCommand {
    /// Set caps, in dollars, or go back to those of the settings: "default"
    Set(Set),
}

#[derive(Args)]
#[group(required = true, multiple = true, id = "caps", args = ["saga", "account", "all"])]
struct Set {
    /// For one saga
    #[arg(long, value_name = "USD")]
    saga: Option<String>,
    /// For one account in a day (UTC)
    #[arg(long, value_name = "USD")]
    account: Option<String>,
    /// For everybody in a day (UTC)
    #[arg(long, value_name = "USD")]
    all: Option<String>,
    /// Why; kept in the audit
    #[arg(long, default_value = "")]
    reason: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: LimitsArguments) -> Result<(), Trouble> {
    let server = Server::found()?;
    let (told, json) = match arguments.command {
        None => (server.get(PATH).await?, arguments.json),
        Some(LimitsCommand::Set(set)) => {
            let mut body = json!({"reason": set.reason});
            for (field, given) in [
                ("saga_usd", &set.saga),
                ("account_usd", &set.account),
                ("all_usd", &set.all),
            ] {
                if let Some(given) = given {
                    body[field] = json!(Some(given).filter(|given| *given != DEFAULT));
                }
            }
            let request = server.request(Method::PUT, PATH).json(&body);
            (server.json(request).await?, set.json)
        }
    };
    if json {
        terminal::line(told);
    } else {
        tell(&told);
    }
    Ok(())
}

fn tell(told: &Value) {
    let terminal = Terminal::here();
    for limit in told["items"].as_array().into_iter().flatten() {
        let text = |name: &str| limit[name].as_str().unwrap_or_default();
        let cap = limit["cap_usd"].as_str();
        let cap = cap.map_or("no bound".to_owned(), |cap| format!("{cap} USD"));
        let line = format!("{:<10}{cap:>16} a {}", text("scope"), text("per"));
        terminal::line(terminal.paint(Tone::Strong, line));
        let set = &limit["set"];
        if set.is_object() {
            let text = |name: &str| set[name].as_str().unwrap_or_default();
            let about = format!(
                "  set by {} at {}: {}",
                text("by"),
                text("at"),
                text("reason")
            );
            terminal::line(terminal.paint(Tone::Quiet, about.trim_end_matches([':', ' '])));
        }
    }
    if let (Some(spent), Some(held)) = (
        told["today"]["spent_usd"].as_str(),
        told["today"]["held_usd"].as_str(),
    ) {
        terminal::line(format!(
            "today {spent} USD spent, {held} USD set aside for calls under way"
        ));
    }
}
