//! `chorus sagas` and `chorus why`: one saga among many, and why it is where it is.

use crate::consequence;
use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::terminal::{self, Terminal, Tone, cut, moment};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Subcommand)]
pub(crate) enum SagasCommand {
    /// Search sagas, newest first
    List {
        /// Only of this kind
        #[arg(long)]
        kind: Option<String>,
        /// live (not ended), or queued, running, waiting, parked, undoing, stuck, succeeded, undone
        #[arg(long)]
        state: Option<String>,
        /// Only of this account
        #[arg(long, value_name = "ACCOUNT")]
        owner: Option<Uuid>,
        /// Only those accepted longer ago, such as 90s, 10m, 2h, 7d
        #[arg(long, value_name = "AGE")]
        older_than: Option<String>,
        /// Only those that this request started
        #[arg(long, value_name = "ID")]
        request_id: Option<String>,
        /// Only those whose error says this
        #[arg(long)]
        text: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show everything about one saga: steps, attempts, errors, letters, paid calls
    Show {
        saga: Uuid,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Turn a saga round, whoever's it is: what was done is undone
    Cancel {
        /// Why; kept in the audit
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        which: Which,
    },
    /// Hold a saga: steps under way finish, nothing further of it is taken
    Pause {
        /// Why; kept in the audit
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        which: Which,
    },
    /// Have a paused saga go on
    Resume {
        /// Why; kept in the audit
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        which: Which,
    },
    /// Try a step again now: one that waits for its next attempt, or one that gave up
    RetryStep {
        /// Its key, as `show` tells it [default: the only one there is]
        #[arg(long)]
        step: Option<String>,
        /// Why; kept in the audit
        #[arg(long, default_value = "")]
        reason: String,
        #[command(flatten)]
        which: Which,
    },
    /// Have a saga do without an optional step, or answer in a step's place
    SkipStep {
        /// Its key, as `show` tells it [default: the only one there is]
        #[arg(long)]
        step: Option<String>,
        /// The answer in its place, of the step's own type
        #[arg(long, value_name = "JSON", value_parser = consequence::json)]
        output: Option<Value>,
        /// Also a step that the saga does not go on without
        #[arg(long)]
        force: bool,
        /// Why; kept in the audit
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Args)]
pub(crate) struct Which {
    saga: Uuid,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

const PATH: &str = "/api/v1/admin/sagas";
/// Pages that are asked for what is rare among very many.
const PAGES_MAX: usize = 50;

pub(crate) async fn run(command: SagasCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        SagasCommand::List {
            kind,
            state,
            owner,
            older_than,
            request_id,
            text,
            limit,
            json,
        } => {
            let query = [
                ("kind", kind),
                ("state", state),
                ("owner", owner.map(|owner| owner.to_string())),
                ("older_than", older_than),
                ("request_id", request_id),
                ("text", text),
                ("limit", Some(limit.to_string())),
            ];
            let query = query
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            let found = search(&server, query.collect(), limit.into()).await?;
            list(&found, json);
        }
        SagasCommand::Show { saga, json } => {
            let told = server.get(&format!("{PATH}/{saga}")).await?;
            show(&told, json);
        }
        SagasCommand::Cancel { reason, which } => cancel(&server, &reason, &which).await?,
        SagasCommand::Pause { reason, which } => {
            steer(&server, "pause", &which, json!({"reason": reason})).await?;
        }
        SagasCommand::Resume { reason, which } => {
            steer(&server, "resume", &which, json!({"reason": reason})).await?;
        }
        SagasCommand::RetryStep {
            step,
            reason,
            which,
        } => {
            let body = json!({"step": step, "reason": reason});
            steer(&server, "retry-step", &which, body).await?;
        }
        SagasCommand::SkipStep {
            step,
            output,
            force,
            reason,
            which,
        } => {
            let mut body = json!({"step": step, "force": force, "reason": reason});
            if let Some(output) = output {
                body["output"] = output;
            }
            steer(&server, "skip-step", &which, body).await?;
        }
    }
    Ok(())
}

async fn cancel(server: &Server, reason: &str, which: &Which) -> Result<(), Trouble> {
    if which.dry_run || which.json {
        return steer(server, "cancel", which, json!({"reason": reason})).await;
    }
    let path = format!("{PATH}/{}/cancel", which.saga);
    server.post(&path, &json!({"reason": reason})).await?;
    terminal::line(format!(
        "Canceled; what it did is being undone. Follow it: chorus why {}",
        which.saga
    ));
    Ok(())
}

async fn steer(server: &Server, verb: &str, which: &Which, mut body: Value) -> Result<(), Trouble> {
    body["dry_run"] = which.dry_run.into();
    let path = format!("{PATH}/{}/{verb}", which.saga);
    let told = server.post(&path, &body).await?;
    consequence::say(&told, which.json);
    if !(which.json || which.dry_run) {
        terminal::line(format!("Follow it: chorus why {}", which.saga));
    }
    Ok(())
}

/// Why a saga is where it is.
pub(crate) async fn why(saga: Uuid, json: bool) -> Result<(), Trouble> {
    let told = Server::found()?.get(&format!("{PATH}/{saga}")).await?;
    if json {
        for reason in told["why"].as_array().into_iter().flatten() {
            terminal::line(reason);
        }
    } else {
        head(&told);
        reasons(&told);
    }
    Ok(())
}

/// Follows the pages until there is enough: one may be empty though there is more.
async fn search(
    server: &Server,
    mut query: Vec<(&str, String)>,
    limit: usize,
) -> Result<Vec<Value>, Trouble> {
    let mut found = vec![];
    for _ in 0..PAGES_MAX {
        let mut page = server.get(&with_query(PATH, &query)).await?;
        if let Some(items) = page["items"].as_array_mut() {
            found.append(items);
        }
        let Some(next) = page["next_cursor"].as_str().filter(|_| found.len() < limit) else {
            break;
        };
        query.retain(|(name, _)| *name != "cursor");
        query.push(("cursor", next.to_owned()));
    }
    found.truncate(limit);
    Ok(found)
}

fn list(sagas: &[Value], json: bool) {
    let terminal = Terminal::here();
    for saga in sagas {
        if json {
            terminal::line(saga);
            continue;
        }
        head(saga);
        if let Some(message) = saga["error"]["message"].as_str() {
            terminal::line(format!("  {}", cut(message, terminal.width)));
        }
    }
    if sagas.is_empty() && !json {
        terminal::line("No saga is like that. Start one: chorus jobs submit demo.pair");
    }
}

fn tone(state: &str) -> Tone {
    match state {
        "succeeded" => Tone::Good,
        "queued" | "running" => Tone::Busy,
        "parked" | "stuck" => Tone::Bad,
        _ => Tone::Warn,
    }
}

fn head(saga: &Value) {
    let terminal = Terminal::here();
    let text = |name: &str| saga[name].as_str().unwrap_or_default();
    terminal::line(format!(
        "{}  {}  {}  {}",
        text("id"),
        terminal.paint(Tone::Strong, text("kind")),
        terminal.paint(tone(text("state")), text("state")),
        terminal.paint(Tone::Quiet, moment(text("created_at")))
    ));
}

fn reasons(saga: &Value) {
    let terminal = Terminal::here();
    for reason in saga["why"].as_array().into_iter().flatten() {
        let text = |name: &str| reason[name].as_str().unwrap_or_default();
        let code = terminal.paint(Tone::Accent, text("code"));
        terminal::line(format!("  {code}  {}", text("message")));
        terminal::line(terminal.paint(Tone::Quiet, format!("    {}", text("remedy"))));
    }
}

fn show(told: &Value, json: bool) {
    if json {
        return terminal::line(told);
    }
    head(told);
    for (label, name) in [
        ("owner", "owner"),
        ("request", "request_id"),
        ("phase", "phase"),
        ("started", "started_at"),
        ("ended", "finished_at"),
        ("until", "parked_until"),
        ("again of", "replay_of"),
        ("again as", "replayed_as"),
    ] {
        if let Some(text) = told[name].as_str() {
            terminal::line(format!("  {label:8}  {}", moment(text)));
        }
    }
    for name in ["input", "output"] {
        if !told[name].is_null() {
            terminal::line(format!("  {name:8}  {}", told[name]));
        }
    }
    reasons(told);
    for step in told["steps"].as_array().into_iter().flatten() {
        show_step(step);
    }
    calls(told);
    for letter in told["letters"].as_array().into_iter().flatten() {
        let text = |name: &str| letter[name].as_str().unwrap_or_default();
        terminal::line(format!("  letter {} is {}", text("id"), text("state")));
    }
}

/// Says which calls of models were made, and which of them are paid for.
pub(crate) fn calls(told: &Value) {
    for call in told["calls"].as_array().into_iter().flatten() {
        let text = |name: &str| call[name].as_str().unwrap_or_default();
        terminal::line(format!(
            "  paid call {} of {}: {} {}, {} time(s), {}",
            text("name"),
            text("step_key"),
            text("provider"),
            text("model"),
            call["calls"],
            text("state")
        ));
    }
}

fn show_step(step: &Value) {
    let text = |name: &str| step[name].as_str().unwrap_or("–");
    terminal::line(format!(
        "  {:30} {:10} {:10} {}",
        text("key"),
        text("state"),
        text("queue"),
        text("role")
    ));
    tries(&step["attempts"]);
}

/// Says who tried a step, when, and what came of it.
pub(crate) fn tries(tries: &Value) {
    let terminal = Terminal::here();
    for attempt in tries.as_array().into_iter().flatten() {
        let text = |name: &str| attempt[name].as_str().unwrap_or("–");
        let message = attempt["message"].as_str().unwrap_or_default();
        let line = format!(
            "    {}  {}  {}  {message}",
            moment(text("started_at")),
            text("worker"),
            text("outcome")
        );
        terminal::line(terminal.paint(Tone::Quiet, line.trim_end()));
    }
}
