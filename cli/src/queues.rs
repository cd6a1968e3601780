//! `chorus queues`: what waits in each queue, who works it off, and its switch.

use crate::exit::Trouble;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone, moment};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/admin/queues";

#[derive(Args)]
pub(crate) struct QueuesArguments {
    #[command(subcommand)]
    command: Option<QueuesCommand>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
pub(crate) enum QueuesCommand {
    /// Have the workers leave a queue's steps alone; those under way go on to their end
    Pause(Decide),
    /// Have the workers take a queue's steps again
    Resume(Decide),
}

#[derive(Args)]
pub(crate) struct Decide {
    queue: String,
    /// Why; kept with the queue
    #[arg(long, default_value = "")]
    reason: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: QueuesArguments) -> Result<(), Trouble> {
    let server = Server::found()?;
    match arguments.command {
        Some(QueuesCommand::Pause(decide)) => {
            let words = "Paused within a second or two; steps under way go on to their end.";
            return switch(&server, "pause", &decide, words).await;
        }
        Some(QueuesCommand::Resume(decide)) => {
            let words = "Resumed; its steps are taken again within a second or two.";
            return switch(&server, "resume", &decide, words).await;
        }
        None => {}
    }
    let page = server.get(PATH).await?;
    list(
        page["items"].as_array().map_or(&[], Vec::as_slice),
        arguments.json,
    );
    Ok(())
}

async fn switch(server: &Server, verb: &str, decide: &Decide, words: &str) -> Result<(), Trouble> {
    let path = Server::path(PATH, &[&decide.queue, verb]);
    let body = json!({"reason": decide.reason});
    let told = server.post(&path, &body).await?;
    if decide.json {
        terminal::line(told);
    } else {
        terminal::line(words);
    }
    Ok(())
}

fn list(queues: &[Value], json: bool) {
    let terminal = Terminal::here();
    let row = |cells: [&str; 8]| {
        let [name, rest @ ..] = cells;
        let rest = rest.map(|cell| format!("{cell:>9}"));
        format!("{name:<12}{}", rest.concat())
    };
    if !json {
        let head = [
            "queue", "ready", "running", "delayed", "oldest", "workers", "done/min", "drained",
        ];
        terminal::line(terminal.paint(Tone::Quiet, row(head)));
    }
    for queue in queues {
        if json {
            terminal::line(queue);
            continue;
        }
        let number = |name: &str| queue[name].to_string();
        let seconds = |name: &str| {
            queue[name]
                .as_u64()
                .map_or("–".to_owned(), |s| format!("{s} s"))
        };
        let line = row([
            queue["name"].as_str().unwrap_or_default(),
            &number("ready"),
            &number("running"),
            &number("delayed"),
            &seconds("oldest_seconds"),
            &number("consumers"),
            &number("done_per_minute"),
            &seconds("drain_estimate_seconds"),
        ]);
        let nobody = queue["consumers"] == 0 && queue["ready"] != 0;
        let tone = if nobody { Tone::Bad } else { Tone::Strong };
        terminal::line(terminal.paint(tone, line));
        if queue["paused"] == true {
            let switched = &queue["switched"];
            let text = |name: &str| switched[name].as_str().unwrap_or_default();
            let about = format!(
                "  paused by {} at {}: {}",
                text("by"),
                moment(text("at")),
                text("reason")
            );
            terminal::line(terminal.paint(Tone::Warn, about.trim_end_matches([':', ' '])));
        }
    }
}
