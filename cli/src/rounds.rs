//! `chorus rounds`, also `chorus round`: from ideas to topics.

use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone};
use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// What help shows first.
pub(crate) const EXAMPLES: &str = "Examples:
  chorus round start --wait                 ideas become topics; see how it ends
  chorus round start --require-review       look at the clusters first
  chorus rounds list                        what became of each
  chorus rounds clusters ROUND
  chorus rounds decide ROUND CLUSTER drop
";
const PATH: &str = "/api/v1/topic-rounds";

#[derive(Subcommand)]
pub(crate) enum RoundsCommand {
    /// Start a round: what is alike among the live ideas becomes topics
    Start(Start),
    /// List rounds, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one round, and the topics that it has made
    Show {
        round: Uuid,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the clusters of a round, largest first
    Clusters {
        round: Uuid,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Say what is to become of a cluster, while its round is in review
    Decide {
        round: Uuid,
        cluster: Uuid,
        decision: Decision,
        /// What its topic might be called
        #[arg(long)]
        title_hint: Option<String>,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct Start {
    /// Have a curator look at the clusters first
    #[arg(long)]
    require_review: bool,
    /// The fewest ideas that make a cluster [default: 3]
    #[arg(long)]
    min_cluster_size: Option<u16>,
    /// The most topics [default: 3]
    #[arg(long)]
    max_topics: Option<u8>,
    /// Wait for its end; the exit code tells how it ended
    #[arg(long)]
    wait: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Decision {
    Keep,
    Drop,
    Pending,
}

impl Decision {
    fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Pending => "pending",
        }
    }
}

pub(crate) async fn run(command: RoundsCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        RoundsCommand::Start(start) => self::start(&server, start).await,
        RoundsCommand::List { limit, json } => {
            let query = [("limit", limit.to_string())];
            let page = server.get(&with_query(PATH, &query)).await?;
            let rounds = page["items"].as_array().cloned().unwrap_or_default();
            for round in &rounds {
                told(round, json);
            }
            if rounds.is_empty() && !json {
                terminal::line("No rounds. Start one: chorus round start");
            }
            Ok(())
        }
        RoundsCommand::Show { round, json } => {
            let path = Server::path(PATH, &[&round.to_string()]);
            let round = server.get(&path).await?;
            told(&round, json);
            if !json {
                let topics = round["topics"].as_array().into_iter().flatten();
                topics.for_each(|topic| crate::topics::told(topic, false));
            }
            Ok(())
        }
        RoundsCommand::Clusters { round, json } => {
            let path = Server::path(PATH, &[&round.to_string(), "clusters"]);
            let all = server.get(&path).await?;
            let clusters = all["items"].as_array().into_iter().flatten();
            clusters.for_each(|cluster| cluster_told(cluster, json));
            Ok(())
        }
        RoundsCommand::Decide {
            round,
            cluster,
            decision,
            title_hint,
            json,
        } => {
            let names = [&*round.to_string(), "clusters", &*cluster.to_string()];
            let path = Server::path(PATH, &names);
            let mut body = json!({"decision": decision.word()});
            if let Some(hint) = title_hint {
                body["title_hint"] = hint.into();
            }
            let request = server.request(Method::PATCH, &path).json(&body);
            cluster_told(&server.json(request).await?, json);
            Ok(())
        }
    }
}

async fn start(server: &Server, start: Start) -> Result<(), Trouble> {
    let mut body = json!({"require_review": start.require_review});
    if let Some(size) = start.min_cluster_size {
        body["min_cluster_size"] = size.into();
    }
    if let Some(max) = start.max_topics {
        body["max_topics"] = max.into();
    }
    let job = server.post(PATH, &body).await?;
    let job = if start.wait {
        jobs::end_of(server, job).await?
    } else {
        job
    };
    jobs::show(&job, start.json);
    if !start.wait {
        return Ok(());
    }
    if !start.json {
        let id = job["id"].as_str().unwrap_or_default();
        told(&server.get(&Server::path(PATH, &[id])).await?, false);
    }
    jobs::verdict(&job)
}

fn told(round: &Value, json: bool) {
    if json {
        return terminal::line(round);
    }
    let terminal = Terminal::here();
    let text = |name: &str| round[name].as_str().unwrap_or_default();
    let counts = &round["counts"];
    let state = text("state");
    let tone = match state {
        "finished" => Tone::Good,
        "failed" => Tone::Bad,
        "in_review" => Tone::Warn,
        "empty" | "cancelled" | "queued" => Tone::Quiet,
        _ => Tone::Busy,
    };
    let note = round["note"].as_str();
    terminal::line(format!(
        "{}  {}{}  {} ideas, {} clusters, {} topics, {} live again{}",
        text("id"),
        terminal.paint(tone, state),
        " ".repeat(10_usize.saturating_sub(state.len())),
        counts["claimed"],
        counts["clusters"],
        counts["published"],
        counts["released"],
        note.map(|note| format!(": {note}")).unwrap_or_default(),
    ));
}

fn cluster_told(cluster: &Value, json: bool) {
    if json {
        return terminal::line(cluster);
    }
    let terminal = Terminal::here();
    let text = |name: &str| cluster[name].as_str().unwrap_or_default();
    let words = |name: &str| {
        let all = cluster[name].as_array().into_iter().flatten();
        let all: Vec<&str> = all.filter_map(Value::as_str).collect();
        all.join(", ")
    };
    terminal::line(format!(
        "{}  {}  {} ideas  {}  {}",
        text("id"),
        terminal.paint(Tone::Strong, text("decision")),
        cluster["size"],
        words("keywords"),
        terminal.paint(Tone::Quiet, text("title_hint")),
    ));
    for sample in cluster["samples"].as_array().into_iter().flatten() {
        let sample = sample.as_str().unwrap_or_default();
        terminal::line(format!("  {}", terminal.paint(Tone::Quiet, sample)));
    }
}
