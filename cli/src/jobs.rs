//! `chorus jobs`: what is being done on a server.

use crate::exit::{Code, Trouble};
use crate::follow::Follow;
use crate::http::Server;
use crate::story::{Now, Story};
use crate::terminal::{self, Block, Terminal, Tone, moment};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};
use std::{pin::pin, time::Duration};
use uuid::Uuid;

/// How often a live list is drawn.
const FRAME: Duration = Duration::from_millis(100);
/// A parked job is not done, so the server would go on waiting: short waits notice it.
const WAIT: &str = "wait=2";

#[derive(Subcommand)]
pub(crate) enum JobsCommand {
    /// Start a job of a kind that takes its input directly (demo.pair, demo.relay, demo.fail)
    Submit(Submit),
    /// Show one job
    Get {
        job: Uuid,
        /// Wait for its end; the exit code tells how it ended
        #[arg(long)]
        wait: bool,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Follow one job, step by step, until it ends or needs somebody; the exit code tells how it ended
    Watch {
        job: Uuid,
        /// One event a line, as JSON
        #[arg(long)]
        json: bool,
    },
    /// List your jobs, newest first
    List {
        /// Only of this kind
        #[arg(long)]
        kind: Option<String>,
        /// Only in this status: queued, running, waiting, parked, succeeded, failed, canceled
        #[arg(long)]
        status: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Cancel a job: what was done is undone
    Cancel {
        job: Uuid,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct Submit {
    /// For example demo.pair
    kind: String,
    /// Its input, as JSON
    #[arg(long, default_value = "{}")]
    input: String,
    /// The same key twice is one job
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait for its end; the exit code tells how it ended
    #[arg(long)]
    wait: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(command: JobsCommand) -> Result<(), Trouble> {
    let server = Server::found()?;
    match command {
        JobsCommand::Submit(submit) => self::submit(&server, submit).await,
        JobsCommand::Get { job, wait, json } => {
            let mut told = server.get(&path(job)).await?;
            if wait {
                told = end_of(&server, told).await?;
            }
            show(&told, json);
            if wait { verdict(&told) } else { Ok(()) }
        }
        JobsCommand::Watch { job, json } => watch(&server, job, json).await,
        JobsCommand::List {
            kind,
            status,
            limit,
            json,
        } => list(&server, kind, status, limit, json).await,
        JobsCommand::Cancel { job, json } => {
            let told = server
                .post(&format!("{}/cancel", path(job)), &json!({}))
                .await?;
            show(&told, json);
            Ok(())
        }
    }
}

fn path(job: Uuid) -> String {
    format!("/api/v1/jobs/{job}")
}

async fn submit(server: &Server, submit: Submit) -> Result<(), Trouble> {
    let input: Value = serde_json::from_str(&submit.input)
        .map_err(|error| Trouble::usage(format!("--input is not JSON: {error}"), "--input '{}'"))?;
    let request = server
        .request(Method::POST, "/api/v1/jobs")
        .json(&json!({"kind": submit.kind, "input": input}));
    let request = match &submit.idempotency_key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    let mut told = server.json(request).await?;
    if submit.wait {
        told = end_of(server, told).await?;
    }
    show(&told, submit.json);
    if submit.wait { verdict(&told) } else { Ok(()) }
}

/// Waits until a job ends or is parked.
pub(crate) async fn end_of(server: &Server, mut told: Value) -> Result<Value, Trouble> {
    let job = told["id"].as_str().unwrap_or_default().to_owned();
    while told["done"] != true && told["status"] != "parked" {
        let request = server.request(Method::GET, &format!("/api/v1/jobs/{job}"));
        told = server.json(request.header("prefer", WAIT)).await?;
    }
    Ok(told)
}

/// The exit code of a job.
pub(crate) fn verdict(told: &Value) -> Result<(), Trouble> {
    if told["status"] == "succeeded" {
        Ok(())
    } else {
        Err(Trouble::told(Code::Failed))
    }
}

/// Shows one job.
pub(crate) fn show(told: &Value, json: bool) {
    if json {
        return terminal::line(told);
    }
    let terminal = Terminal::here();
    let text = |name: &str| told[name].as_str().unwrap_or("–").to_owned();
    terminal::line(format!(
        "{}  {}  {}",
        terminal.paint(Tone::Strong, text("kind")),
        status(&terminal, told),
        text("id")
    ));
    let progress = &told["progress"];
    terminal::line(format!(
        "  progress  {} of {} steps",
        progress["completed"], progress["total"]
    ));
    terminal::line(format!("  created   {}", moment(&text("created_at"))));
    if let Some(finished) = told["finished_at"].as_str() {
        terminal::line(format!("  finished  {finished}"));
    }
    if let Some(message) = told["error"]["message"].as_str() {
        terminal::line(format!(
            "  error     {}",
            terminal.paint(Tone::Bad, message)
        ));
    }
    if let Some(letter) = told["dead_letter"].as_str() {
        terminal::line(format!("  try: chorus dead-letters show {letter}"));
    }
}

fn status(terminal: &Terminal, told: &Value) -> String {
    let word = told["status"].as_str().unwrap_or("?");
    let tone = match word {
        "succeeded" => Tone::Good,
        "running" => Tone::Busy,
        "parked" | "failed" => Tone::Bad,
        "waiting" | "canceling" => Tone::Warn,
        _ => Tone::Quiet,
    };
    let degraded = if told["degraded"] == true {
        ", degraded"
    } else {
        ""
    };
    terminal.paint(tone, format!("{word}{degraded}"))
}

async fn list(
    server: &Server,
    kind: Option<String>,
    status: Option<String>,
    limit: u8,
    json: bool,
) -> Result<(), Trouble> {
    let query: Vec<(&str, String)> = [
        ("kind", kind),
        ("status", status),
        ("limit", Some(limit.to_string())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let page = server.get(&with_query("/api/v1/jobs", &query)).await?;
    let (terminal, jobs) = (
        Terminal::here(),
        page["items"].as_array().cloned().unwrap_or_default(),
    );
    for job in &jobs {
        if json {
            terminal::line(job);
            continue;
        }
        let text = |name: &str| job[name].as_str().unwrap_or_default();
        let created: Option<DateTime<Utc>> = text("created_at").parse().ok();
        let age = created
            .map(|at| crate::story::duration(Utc::now() - at))
            .unwrap_or_default();
        let pad = " ".repeat(11usize.saturating_sub(text("status").len()));
        terminal::line(format!(
            "{}  {}{pad}{:16}  {age:>10} ago",
            text("id"),
            self::status(&terminal, job),
            text("kind")
        ));
    }
    if jobs.is_empty() && !json {
        terminal::line("No jobs. Start one: chorus jobs submit demo.pair");
    }
    Ok(())
}

/// A path with a query, its values escaped.
pub(crate) fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let base = "http://chorus";
    match reqwest::Url::parse_with_params(&format!("{base}{path}"), query) {
        Ok(url) => url.as_str().trim_start_matches(base).to_owned(),
        Err(_) => path.to_owned(),
    }
}

async fn watch(server: &Server, job: Uuid, json: bool) -> Result<(), Trouble> {
    let told = server.get(&path(job)).await?;
    let kind = told["kind"].as_str().unwrap_or_default();
    let story = if json {
        let (mut story, mut follow) = (Story::of_kind(kind), Follow::new(server, job));
        while let Some(event) = follow.next().await? {
            terminal::line(serde_json::to_string(&event).unwrap_or_default());
            story.hear(&event);
            // A job that was replayed since is parked no more: only what it is now counts.
            if story.status == "parked" && server.get(&path(job)).await?["status"] == "parked" {
                break;
            }
        }
        story
    } else {
        let terminal = Terminal::here();
        terminal::line(format!("{}  {job}", terminal.paint(Tone::Strong, kind)));
        draw(server, job, kind, &terminal).await?
    };
    let succeeded = story.status == "succeeded";
    if json {
        return if succeeded {
            Ok(())
        } else {
            Err(Trouble::told(Code::Failed))
        };
    }
    if succeeded {
        // What is told without waiting may be a moment old.
        let asked = server.request(Method::GET, &path(job));
        let told = server.json(asked.header("prefer", "wait=5")).await?;
        let terminal = Terminal::here();
        terminal::line(format!("{} {}", status(&terminal, &told), took(&told)));
        return Ok(());
    }
    let told = server.get(&path(job)).await?;
    let why = told["error"]["message"]
        .as_str()
        .map(str::to_owned)
        .or(story.message)
        .unwrap_or_default();
    let remedy = match told["dead_letter"].as_str() {
        Some(letter) => format!("chorus dead-letters replay {letter}"),
        None => format!("chorus jobs get {job}"),
    };
    Err(Trouble::new(
        Code::Failed,
        format!("the job is {}: {why}", story.status),
        remedy,
    ))
}

/// How long a job took, from its acceptance to its end.
fn took(told: &Value) -> String {
    let at = |name: &str| told[name].as_str()?.parse::<DateTime<Utc>>().ok();
    let length = at("finished_at")
        .zip(at("created_at"))
        .map(|(end, start)| crate::story::duration(end - start));
    length
        .map(|length| format!("in {length}"))
        .unwrap_or_default()
}

/// Draws a job's steps until it rests: live on a terminal, else a line as each step ends.
pub(crate) async fn draw(
    server: &Server,
    job: Uuid,
    kind: &str,
    terminal: &Terminal,
) -> Result<Story, Trouble> {
    let (mut story, mut follow, mut block) = (
        Story::of_kind(kind),
        Follow::new(server, job),
        Block::default(),
    );
    let (mut tick, mut frame) = (tokio::time::interval(FRAME), 0);
    loop {
        let event = {
            let mut next = pin!(follow.next());
            loop {
                tokio::select! {
                    event = &mut next => break event?,
                    _ = tick.tick(), if terminal.live => {
                        frame += 1;
                        block.draw(&story.lines(terminal, Utc::now(), frame));
                    }
                }
            }
        };
        let Some(event) = event else { break };
        let about = story.hear(&event);
        if let Some(at) = about.filter(|_| !terminal.live) {
            let chapter = &story.chapters[at];
            if matches!(chapter.now, Now::Done | Now::Failed | Now::Retrying) {
                terminal::line(chapter.line(terminal, event.at, frame));
            }
        }
        if story.rests() && (event.is_last() || server.get(&path(job)).await?["status"] == "parked")
        {
            break;
        }
    }
    if terminal.live {
        block.draw(&story.lines(terminal, Utc::now(), frame));
    }
    Ok(story)
}
