//! `chorus limits`: the most that may be spent on models, and that may run of a kind.

use crate::exit::Trouble;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone, moment};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/admin/limits";
/// Typed for a kind without a limit.
const NONE: &str = "none";
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
    /// Bound how many steps of a kind run, as numbers, or no longer: "none"
    Kind(Bounds),
}

#[derive(Args)]
#[group(required = true, multiple = true, id = "bounds", args = ["running", "per_minute"])]
struct Bounds {
    kind: String,
    /// Steps at once, in the whole fleet
    #[arg(long, value_name = "N")]
    running: Option<String>,
    /// Steps begun in a minute
    #[arg(long, value_name = "N")]
    per_minute: Option<String>,
    /// Why; kept with the limit
    #[arg(long, default_value = "")]
    reason: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Bounds {
    fn body(&self) -> Result<Value, Trouble> {
        let mut bounds = json!({});
        for (field, given) in [
            ("running_max", &self.running),
            ("per_minute", &self.per_minute),
        ] {
            let Some(given) = given else { continue };
            let number = given.parse::<i64>().ok();
            if number.is_none() && given != NONE {
                let wrong = format!("{given} is no number of steps");
                return Err(Trouble::usage(wrong, "a whole number, or none"));
            }
            bounds[field] = json!(number);
        }
        Ok(json!({"reason": self.reason, "kinds": {&self.kind: bounds}}))
    }
}

#[derive(Args)]
#[group(required = true, multiple = true, id = "caps", args = ["saga", "account", "all"])]
struct Set {
    /// For one saga, with all that it began
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
        Some(LimitsCommand::Kind(kind)) => {
            let request = server.request(Method::PUT, PATH).json(&kind.body()?);
            (server.json(request).await?, kind.json)
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
        let cap = cap.map_or("no bound".to_owned(), |cap| {
            format!("{cap} USD a {}", text("per"))
        });
        let line = format!("{:<10}{cap}", text("scope"));
        terminal::line(terminal.paint(Tone::Strong, line));
        tell_who(terminal, &limit["set"]);
    }
    for limit in told["kinds"].as_array().into_iter().flatten() {
        let running = limit["running_max"].as_i64();
        let running = running.map(|most| format!("{most} steps at once"));
        let rate = limit["per_minute"].as_i64();
        let rate = rate.map(|most| format!("{most} steps a minute"));
        let both: Vec<String> = [running, rate].into_iter().flatten().collect();
        let kind = limit["kind"].as_str().unwrap_or_default();
        let line = format!("{kind:<24}{}", both.join(", "));
        terminal::line(terminal.paint(Tone::Strong, line));
        tell_who(terminal, &limit["set"]);
    }
    if let (Some(spent), Some(held)) = (
        told["today"]["spent_usd"].as_str(),
        told["today"]["held_usd"].as_str(),
    ) {
        terminal::line(format!(
            "{:<10}{spent} USD spent, {held} USD set aside for calls under way",
            "today"
        ));
    }
}

fn tell_who(terminal: Terminal, set: &Value) {
    if !set.is_object() {
        return;
    }
    let text = |name: &str| set[name].as_str().unwrap_or_default();
    let (by, at, reason) = (text("by"), moment(text("at")), text("reason"));
    let about = format!("  set by {by} at {at}: {reason}");
    terminal::line(terminal.paint(Tone::Quiet, about.trim_end_matches([':', ' '])));
}
