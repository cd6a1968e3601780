//! `chorus workers`: who works, and how one is asked to leave.

use crate::exit::Trouble;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone, moment};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/admin/workers";

#[derive(Args)]
pub(crate) struct WorkersArguments {
    #[command(subcommand)]
    command: Option<WorkersCommand>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub(crate) enum WorkersCommand {
    /// Ask one worker to leave, as SIGTERM does: it finishes what it has, and its process ends
    Drain {
        /// As the list tells it
        worker: String,
        /// Why; kept in the audit
        #[arg(long, default_value = "")]
        reason: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(arguments: WorkersArguments) -> Result<(), Trouble> {
    let server = Server::found()?;
    match arguments.command {
        None => {
            let page = server.get(PATH).await?;
            list(
                page["items"].as_array().map_or(&[], Vec::as_slice),
                arguments.json,
            );
        }
        Some(WorkersCommand::Drain {
            worker,
            reason,
            json,
        }) => {
            let path = Server::path(PATH, &[&worker, "drain"]);
            let told = server.post(&path, &json!({"reason": reason})).await?;
            if json || arguments.json {
                terminal::line(told);
            } else {
                terminal::line(
                    "Draining: it takes no more steps, and ends when those it has are done.",
                );
            }
        }
    }
    Ok(())
}

fn list(workers: &[Value], json: bool) {
    let terminal = Terminal::here();
    for worker in workers {
        if json {
            terminal::line(worker);
            continue;
        }
        let text = |name: &str| worker[name].as_str().unwrap_or("–");
        let tone = match text("state") {
            "working" => Tone::Good,
            "draining" => Tone::Warn,
            _ => Tone::Bad,
        };
        let queues = worker["queues"].as_array().into_iter().flatten();
        let queues: Vec<&str> = queues.filter_map(Value::as_str).collect();
        terminal::line(format!(
            "{}  {}",
            terminal.paint(Tone::Strong, text("id")),
            terminal.paint(tone, text("state"))
        ));
        terminal::line(format!(
            "  {}: busy {} of {}, {} done in the last minute",
            queues.join(", "),
            worker["busy"],
            worker["slots"],
            worker["done_per_minute"]
        ));
        let about = format!(
            "  version {} on {}, since {}, seen {}",
            text("version"),
            text("host"),
            moment(text("started_at")),
            moment(text("seen_at"))
        );
        terminal::line(terminal.paint(Tone::Quiet, about));
    }
    if workers.is_empty() && !json {
        terminal::line("No workers. Start one: chorus worker synthesis");
    }
}
