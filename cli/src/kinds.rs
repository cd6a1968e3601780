//! `chorus kinds`: how many sagas of each kind are under way, and the kind's switch.

use crate::exit::Trouble;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone, moment};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/admin/kinds";

#[derive(Args)]
pub(crate) struct KindsArguments {
    #[command(subcommand)]
    command: Option<KindsCommand>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub(crate) enum KindsCommand {
    /// Show every kind, as without a command
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Accept a kind's sagas, and take none of their steps; those under way go on to their end
    Pause(Decide),
    /// Let those that have begun go on, and have others wait
    Drain(Decide),
    /// Have the workers take a kind's steps again, those that waited bit by bit
    Resume(Decide),
}

#[derive(Args)]
pub(crate) struct Decide {
    kind: String,
    /// Why; kept with the kind. A kind is not switched off without it
    #[arg(long, default_value = "")]
    reason: String,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: KindsArguments) -> Result<(), Trouble> {
    let server = Server::found()?;
    let json = match arguments.command {
        Some(KindsCommand::Pause(decide)) => {
            let words = "Paused within a second or two; steps under way go on to their end.";
            return switch(&server, "pause", &decide, words).await;
        }
        Some(KindsCommand::Drain(decide)) => {
            let words = "Drained from now on: what has begun goes on, what comes waits.";
            return switch(&server, "drain", &decide, words).await;
        }
        Some(KindsCommand::Resume(decide)) => {
            let words = "Resumed; what waited comes bit by bit.";
            return switch(&server, "resume", &decide, words).await;
        }
        Some(KindsCommand::List { json }) => json || arguments.json,
        None => arguments.json,
    };
    let page = server.get(PATH).await?;
    let items = page["items"].as_array();
    list(items.map_or(&[], Vec::as_slice), json);
    Ok(())
}

async fn switch(server: &Server, verb: &str, decide: &Decide, words: &str) -> Result<(), Trouble> {
    let path = Server::path(PATH, &[&decide.kind, verb]);
    let body = json!({"reason": decide.reason, "dry_run": decide.dry_run});
    let told = server.post(&path, &body).await?;
    if decide.json {
        terminal::line(told);
    } else if decide.dry_run {
        let of = &told["consequence"];
        terminal::line(format!(
            "Nothing was done. Of its open sagas {} would wait and {} go on; {} steps stand in line.",
            of["sagas_waiting"], of["sagas_going_on"], of["steps_in_line"]
        ));
    } else {
        terminal::line(words);
    }
    Ok(())
}

fn list(kinds: &[Value], json: bool) {
    let terminal = Terminal::here();
    let row = |kind: &str, state: &str, numbers: [&str; 3]| {
        let numbers = numbers.map(|cell| format!("{cell:>9}"));
        format!("{kind:<24}{state:<8}{}", numbers.concat())
    };
    if !json {
        let head = row("kind", "state", ["open", "queued", "in line"]);
        terminal::line(terminal.paint(Tone::Quiet, head));
    }
    for kind in kinds {
        if json {
            terminal::line(kind);
            continue;
        }
        let text = |name: &str| kind[name].as_str().unwrap_or_default();
        let numbers = ["open", "queued", "in_line"].map(|name| kind[name].to_string());
        let numbers = numbers.each_ref().map(String::as_str);
        let line = row(text("kind"), text("state"), numbers);
        terminal::line(terminal.paint(Tone::Strong, line));
        let switched = &kind["switched"];
        if kind["state"] != "enabled" && switched.is_object() {
            let text = |name: &str| switched[name].as_str().unwrap_or_default();
            let about = format!(
                "  by {} at {}: {}",
                text("by"),
                moment(text("at")),
                text("reason")
            );
            terminal::line(terminal.paint(Tone::Warn, about.trim_end_matches([':', ' '])));
        }
    }
}
