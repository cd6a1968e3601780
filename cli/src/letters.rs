//! `chorus dead-letters`: steps that gave up, for a person to judge.

mod list;

use crate::consequence;
use crate::exit::Trouble;
use crate::http::Server;
use crate::jobs::with_query;
use crate::replays::Place;
use crate::sagas;
use crate::terminal::{self, Terminal, Tone, cut, moment};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Subcommand)]
pub(crate) enum LettersCommand {
    /// List letters, newest first
    List(list::Wanted),
    /// List letters by what they have in common, the largest group first
    Groups {
        /// What they have in common
        #[arg(long, value_enum, default_value_t = GroupBy::Error)]
        by: GroupBy,
        /// Which ones
        #[arg(long, value_enum, default_value_t = LetterState::Open)]
        state: LetterState,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Show one letter in full: what was asked, every error, the job's history
    Show {
        letter: Uuid,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Try the step once more; finished steps and paid calls are kept
    Replay {
        /// Begin a new job instead, its input changed by this (JSON Merge Patch)
        #[arg(long, value_name = "JSON", value_parser = consequence::json)]
        edit: Option<Value>,
        /// Where the job goes on: at the step that failed, or at the start, as a new job
        #[arg(long, value_enum, default_value_t)]
        from: Place,
        #[command(flatten)]
        decide: Decide,
    },
    /// Answer in the step's place; the job goes on with that
    Skip {
        /// The answer, of the step's own type
        #[arg(long, value_name = "JSON", value_parser = consequence::json)]
        output: Value,
        #[command(flatten)]
        decide: Decide,
    },
    /// Give the step up for good: what the job did is undone
    Discard(Decide),
    /// Take a discarded letter up again: a new job begins from the same input
    Restore(Decide),
    /// Note something about letters that failed alike
    Note {
        /// The group, as `groups` tells it
        group: String,
        /// What to note; without it the note is taken away
        note: Option<String>,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LetterState {
    Open,
    Replayed,
    Skipped,
    Discarded,
    Expired,
    All,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum GroupBy {
    Error,
    Kind,
    Step,
    Queue,
    Class,
    Worker,
}

#[derive(Args)]
pub(crate) struct Decide {
    letter: Uuid,
    /// Why; kept with the letter
    #[arg(long, default_value = "")]
    reason: String,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Groups that the server tells at most.
const GROUPS_MAX: usize = 100;
const PATH: &str = "/api/v1/admin/dead-letters";

pub(crate) async fn run(command: LettersCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        LettersCommand::List(wanted) => list::run(&server, wanted).await?,
        LettersCommand::Groups { by, state, json } => {
            let query = [
                ("by", word(by)),
                ("state", word(state).filter(|state| state != "all")),
                ("limit", Some(GROUPS_MAX.to_string())),
            ];
            let path = format!("{PATH}/groups");
            let found = items(&server, &path, query).await?;
            groups(&found, &word(state).unwrap_or_default(), json);
        }
        LettersCommand::Show { letter, json } => {
            let told = server.get(&format!("{PATH}/{letter}")).await?;
            show(&told, json);
        }
        LettersCommand::Replay { edit, from, decide } => {
            let mut body = json!({"from": from.word()});
            if let Some(input) = edit {
                body["edit"] = json!({"input": input});
            }
            let told = self::decide(&server, "replay", &decide, body).await?;
            follow(&told, &decide, "Replaying.");
        }
        LettersCommand::Skip { output, decide } => {
            let body = json!({"output": output});
            let told = self::decide(&server, "skip", &decide, body).await?;
            follow(&told, &decide, "Skipped.");
        }
        LettersCommand::Discard(decide) => {
            let told = self::decide(&server, "discard", &decide, json!({})).await?;
            let words = "Discarded; what the job did is being undone.";
            say(&told, &decide, words);
        }
        LettersCommand::Restore(decide) => {
            let told = self::decide(&server, "restore", &decide, json!({})).await?;
            follow(&told, &decide, "Restored.");
        }
        LettersCommand::Note { group, note, json } => {
            let path = Server::path(&format!("{PATH}/groups"), &[&group]);
            let told = server.patch(&path, &json!({"note": note})).await?;
            match (json, told["note"].is_string()) {
                (true, _) => terminal::line(&told),
                (false, true) => terminal::line("Noted. See it: chorus dead-letters groups"),
                (false, false) => terminal::line("The note is gone."),
            }
        }
    }
    Ok(())
}

/// The word that stands for a choice, on the command line as in the API.
fn word(choice: impl ValueEnum) -> Option<String> {
    Some(choice.to_possible_value()?.get_name().to_owned())
}

async fn items<const N: usize>(
    server: &Server,
    path: &str,
    query: [(&str, Option<String>); N],
) -> Result<Vec<Value>, Trouble> {
    let query: Vec<(&str, String)> = query
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let page = server.get(&with_query(path, &query)).await?;
    Ok(page["items"].as_array().cloned().unwrap_or_default())
}

async fn decide(
    server: &Server,
    verb: &str,
    decide: &Decide,
    mut body: Value,
) -> Result<Value, Trouble> {
    body["reason"] = decide.reason.as_str().into();
    body["dry_run"] = decide.dry_run.into();
    let path = format!("{PATH}/{}/{verb}", decide.letter);
    server.post(&path, &body).await
}

fn say(told: &Value, decide: &Decide, words: &str) {
    if decide.json {
        terminal::line(told);
    } else if decide.dry_run {
        consequence::say(told, false);
    } else {
        terminal::line(words);
    }
}

fn follow(told: &Value, decide: &Decide, words: &str) {
    match told["job_id"].as_str() {
        Some(job) => say(
            told,
            decide,
            &format!("{words} Follow it: chorus jobs watch {job}"),
        ),
        None => say(told, decide, words),
    }
}

fn groups(groups: &[Value], state: &str, json: bool) {
    let terminal = Terminal::here();
    for group in groups {
        if json {
            terminal::line(group);
            continue;
        }
        let text = |name: &str| group[name].as_str().unwrap_or_default();
        terminal::line(format!(
            "{:>5} × {}  {}",
            group["letters"].as_i64().unwrap_or_default(),
            terminal.paint(Tone::Strong, text("step")),
            terminal.paint(
                Tone::Quiet,
                format!(
                    "{} to {}",
                    moment(text("first_at")),
                    moment(text("last_at"))
                )
            )
        ));
        terminal::line(format!(
            "        {}: {}",
            text("class"),
            cut(text("message"), terminal.width)
        ));
        if text("by") == "error" {
            let key = text("key");
            if let Some(note) = group["note"].as_str() {
                let note = format!("        note by {}: {note}", text("noted_by"));
                terminal::line(terminal.paint(Tone::Warn, cut(&note, terminal.width)));
            }
            let try_it = format!("        chorus dead-letters list --state {state} --group {key}");
            terminal::line(terminal.paint(Tone::Quiet, try_it));
        } else {
            terminal::line(format!("        {}: {}", text("by"), text("key")));
        }
    }
    if groups.is_empty() && !json {
        terminal::line("No dead letters. See one: chorus jobs submit demo.fail");
    }
    if groups.len() == GROUPS_MAX && !json {
        terminal::line(format!("The {GROUPS_MAX} largest; there may be more."));
    }
}

fn show(told: &Value, json: bool) {
    if json {
        return terminal::line(told);
    }
    let terminal = Terminal::here();
    let text = |name: &str| told[name].as_str().unwrap_or("–").to_owned();
    terminal::line(format!(
        "{}  {}  {}",
        terminal.paint(Tone::Strong, text("step")),
        terminal.paint(Tone::Bad, text("state")),
        text("id")
    ));
    for (label, name) in [
        ("job", "job"),
        ("kind", "kind"),
        ("queue", "queue"),
        ("class", "class"),
        ("message", "message"),
        ("worker", "worker"),
        ("since", "created_at"),
        ("until", "parked_until"),
        ("decided", "resolved_by"),
        ("reason", "reason"),
        ("again as", "replayed_as"),
    ] {
        if told[name].is_string() {
            terminal::line(format!("  {label:8}  {}", moment(&text(name))));
        }
    }
    if !told["input"].is_null() {
        terminal::line(format!("  {:8}  {}", "input", told["input"]));
    }
    sagas::tries(&told["tries"]);
    sagas::calls(told);
    if told["history"]
        .as_array()
        .is_some_and(|all| !all.is_empty())
    {
        terminal::line("  history");
    }
    for event in told["history"].as_array().into_iter().flatten() {
        let text = |name: &str| event[name].as_str().unwrap_or_default();
        let why = event["data"]["message"].as_str().unwrap_or_default();
        let line = format!(
            "    {}  {:16} {} {why}",
            moment(text("at")),
            text("name"),
            text("step")
        );
        terminal::line(terminal.paint(Tone::Quiet, line.trim_end()));
    }
    if told["state"] == "open" {
        terminal::line(format!("  try: chorus dead-letters replay {}", text("id")));
    }
}
