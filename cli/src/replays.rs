//! `chorus replays`: many dead letters replayed as one operation.

use crate::exit::{Code, Trouble};
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Block, Terminal, Tone, cut, moment};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};
use std::time::Duration;
use uuid::Uuid;

const PATH: &str = "/api/v1/admin/replays";
/// How often a replay that is watched is asked for.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(crate) enum ReplaysCommand {
    /// Replay every open letter that fits, at a rate, one tried first
    Start(Start),
    /// List replays, newest first
    List {
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show how a replay is
    Show {
        replay: Uuid,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Follow a replay until it ends; the exit code is 1 if it stopped, or letters died again
    Watch {
        replay: Uuid,
        /// One JSON object for each change
        #[arg(long)]
        json: bool,
    },
    /// Begin no further letter until it is resumed
    Pause(Steer),
    /// Go on with a paused replay
    Resume(Steer),
    /// Begin no further letter at all; what is under way ends as it ends
    Stop(Steer),
}

#[derive(Args)]
pub(crate) struct Start {
    #[command(flatten)]
    select: Select,
    /// At most so many, the oldest first
    #[arg(long)]
    limit: Option<u32>,
    /// Letters a second; never more
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Letters that must go well before the others follow
    #[arg(long)]
    canary: Option<u32>,
    /// Where the jobs go on: at the step that failed, or at the start, as new jobs
    #[arg(long, value_enum, default_value_t)]
    from: Place,
    /// Stop when a greater part than this failed again, 0 to 1
    #[arg(long, value_name = "RATIO")]
    stop_at: Option<f64>,
    /// Why; kept with every letter
    #[arg(long, default_value = "")]
    reason: String,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Follow it until it ends
    #[arg(long, conflicts_with = "dry_run")]
    watch: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Where a replay goes on.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Place {
    #[default]
    FailedStep,
    Start,
}

impl Place {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::FailedStep => "failed_step",
            Self::Start => "start",
        }
    }
}

/// Which letters.
#[derive(Args)]
#[group(required = true, multiple = true)]
struct Select {
    /// Of this group, as `chorus dead-letters groups` tells it
    #[arg(long)]
    group: Option<String>,
    /// Of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Of this step
    #[arg(long)]
    step: Option<String>,
    /// Of this queue
    #[arg(long)]
    queue: Option<String>,
    /// Of this class
    #[arg(long)]
    class: Option<String>,
    /// Every open letter
    #[arg(long, conflicts_with_all = ["group", "kind", "step", "queue", "class"])]
    all: bool,
}

#[derive(Args)]
pub(crate) struct Steer {
    replay: Uuid,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Start {
    /// The body of the request: what is not said is left to the server.
    fn body(&self) -> Value {
        let select = &self.select;
        let mut wanted = Map::new();
        for (name, value) in [
            ("group", &select.group),
            ("kind", &select.kind),
            ("step", &select.step),
            ("queue", &select.queue),
            ("class", &select.class),
        ] {
            if let Some(value) = value {
                wanted.insert(name.to_owned(), json!(value));
            }
        }
        if select.all {
            wanted.insert("all".to_owned(), json!(true));
        }
        json!({"select": wanted, "limit": self.limit, "rate_per_s": self.rate, "canary": self.canary,
            "stop_if_failure_ratio": self.stop_at, "reason": self.reason, "dry_run": self.dry_run,
            "from": self.from.word()})
    }
}

pub(crate) async fn run(command: ReplaysCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        ReplaysCommand::Start(start) => begin(&server, &start).await,
        ReplaysCommand::List { limit, json } => {
            let page = server
                .get(&with_query(PATH, &[("limit", limit.to_string())]))
                .await?;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            for replay in &items {
                say(replay, json);
            }
            if items.is_empty() && !json {
                terminal::line("No replays. Begin one: chorus replays start --group GROUP");
            }
            Ok(())
        }
        ReplaysCommand::Show { replay, json } => {
            say(&server.get(&format!("{PATH}/{replay}")).await?, json);
            Ok(())
        }
        ReplaysCommand::Watch { replay, json } => watch(&server, replay, json).await,
        ReplaysCommand::Pause(given) => steer(&server, "pause", &given).await,
        ReplaysCommand::Resume(given) => steer(&server, "resume", &given).await,
        ReplaysCommand::Stop(given) => steer(&server, "stop", &given).await,
    }
}

async fn begin(server: &Server, start: &Start) -> Result<(), Trouble> {
    let told = server.post(PATH, &start.body()).await?;
    if start.dry_run {
        preview(&told, start.json);
        return Ok(());
    }
    let id = told["id"].as_str().and_then(|id| id.parse().ok());
    if let Some(id) = id.filter(|_| start.watch) {
        return watch(server, id, start.json).await;
    }
    say(&told, start.json);
    if !start.json {
        let id = told["id"].as_str().unwrap_or_default();
        terminal::line(format!("  Follow it: chorus replays watch {id}"));
    }
    Ok(())
}

async fn steer(server: &Server, verb: &str, given: &Steer) -> Result<(), Trouble> {
    let path = format!("{PATH}/{}/{verb}", given.replay);
    let told = server.post(&path, &json!({"reason": given.reason})).await?;
    say(&told, given.json);
    Ok(())
}

async fn watch(server: &Server, replay: Uuid, json: bool) -> Result<(), Trouble> {
    let (terminal, mut block, mut last) = (Terminal::here(), Block::default(), Value::Null);
    loop {
        let told = server.get(&format!("{PATH}/{replay}")).await?;
        if told != last {
            if json {
                terminal::line(&told);
            } else if terminal.live {
                block.draw(&lines(&told, terminal));
            } else {
                terminal::line(summary(&told));
            }
        }
        if told["done"] == true {
            let well = told["status"] == "done" && told["counts"]["dead_again"] == 0;
            return if well {
                Ok(())
            } else {
                Err(Trouble::told(Code::Failed))
            };
        }
        last = told;
        tokio::time::sleep(LOOK).await;
    }
}

fn say(replay: &Value, json: bool) {
    if json {
        return terminal::line(replay);
    }
    for line in lines(replay, Terminal::here()) {
        terminal::line(line);
    }
}

/// A replay in two lines, three if there is more to say.
fn lines(replay: &Value, terminal: Terminal) -> Vec<String> {
    let text = |name: &str| replay[name].as_str().unwrap_or_default();
    let tone = match text("status") {
        "running" | "stopping" => Tone::Busy,
        "paused" => Tone::Warn,
        "done" => Tone::Good,
        _ => Tone::Bad,
    };
    let who = format!("{} by {}", moment(text("created_at")), text("started_by"));
    let mut lines = vec![
        format!(
            "{}  {}  {}",
            text("id"),
            terminal.paint(tone, text("status")),
            terminal.paint(Tone::Quiet, who)
        ),
        cut(&format!("  {}", summary(replay)), terminal.width),
    ];
    if let Some(why) = replay["ended_because"].as_str() {
        lines.push(cut(&format!("  {why}"), terminal.width));
    }
    lines
}

fn summary(replay: &Value) -> String {
    let count = |name: &str| replay["counts"][name].as_i64().unwrap_or_default();
    format!(
        "{} of {} well, {} dead again, {} under way, {} waiting, {} skipped",
        count("succeeded"),
        replay["selected"],
        count("dead_again"),
        count("running"),
        count("waiting"),
        count("skipped")
    )
}

fn preview(told: &Value, json: bool) {
    if json {
        return terminal::line(told);
    }
    terminal::line(format!("{} letters would be replayed:", told["selected"]));
    for step in told["runs_again"].as_array().into_iter().flatten() {
        let name = step["step"].as_str().unwrap_or_default();
        let letters = step["letters"].as_i64().unwrap_or_default();
        terminal::line(format!("{letters:>7} × {name} would run again"));
    }
    terminal::line(format!(
        "  {} finished steps and {} paid answers are kept; {} USD would be spent again, {} USD are saved. Nothing was done.",
        told["steps_kept"],
        told["paid_answers_kept"],
        told["spends_again_usd"].as_str().unwrap_or_default(),
        told["saves_usd"].as_str().unwrap_or_default()
    ));
}
