//! `chorus queues`: what waits in each queue, and who works it off.

use crate::exit::Trouble;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone};
use clap::Args;
use serde_json::Value;

const PATH: &str = "/api/v1/admin/queues";

#[derive(Args)]
pub(crate) struct QueuesArguments {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: QueuesArguments) -> Result<(), Trouble> {
    let server = Server::found()?;
    let page = server.get(PATH).await?;
    list(
        page["items"].as_array().map_or(&[], Vec::as_slice),
        arguments.json,
    );
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
    }
}
