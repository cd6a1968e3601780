//! `chorus demo`: the main job from end to end, over the fleet's own HTTP API.

mod answers;
mod persona;
mod topics;

use crate::exit::{Code, Trouble};
use crate::house::House;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone};
use crate::{jobs, token};
use answers::Circle;
use anyhow::Context as _;
use domain::accounts::store::NAME_DEFAULT;
use process::{Settings, stop, telemetry};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The longest that a demo may take.
const DEMO_MAX: Duration = Duration::from_mins(5);
/// The longest the third answer may take to become a job.
const JOB_MAX: Duration = Duration::from_secs(10);
const EMAIL: &str = "demo@localhost";
const AGAIN: &str = "RUST_LOG=info chorus demo, to see why";

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Show {
    /// Three friends' answers become a persona
    Persona,
    /// Thirty-nine ideas of a neighbourhood become discussions
    Topics,
}

pub(crate) async fn run(what: Show, file: Option<&Path>) -> Result<(), Trouble> {
    if what == Show::Topics && file.is_some() {
        return Err(Trouble::usage(
            "--answers is for the demo of a persona",
            "chorus demo topics, or: chorus demo --answers FILE",
        ));
    }
    let circle = Circle::read(file)?;
    telemetry::start(None, "error");
    let stop = stop::on_signal()?;
    let folder = tempfile::Builder::new()
        .prefix("chorus-demo-")
        .tempdir()
        .context("making a temporary folder")?;
    // The built-in provider, whatever keys there are: the same for everybody, and free.
    let mut settings = Settings::embedded_in(folder.path())?;
    settings.port = 0; // whichever is free
    let house = House::open(settings.clone(), stop.clone()).await?;
    let shown = tokio::select! {
        shown = tokio::time::timeout(DEMO_MAX, shown(what, &house, &settings, &circle)) => shown.unwrap_or_else(|_| {
            Err(Trouble::new(Code::Failed, "the demo took longer than five minutes", AGAIN))
        }),
        () = stop.cancelled() => Err(Trouble::told(Code::Failed)),
    };
    stop.cancel();
    house.close().await?;
    shown
}

async fn shown(
    what: Show,
    house: &House,
    settings: &Settings,
    circle: &Circle,
) -> Result<(), Trouble> {
    match what {
        Show::Persona => show(house, settings, circle).await,
        Show::Topics => topics::show(house, settings).await,
    }
}

async fn show(house: &House, settings: &Settings, circle: &Circle) -> Result<(), Trouble> {
    let (terminal, started) = (Terminal::here(), Instant::now());
    let whom = (EMAIL, NAME_DEFAULT);
    let token = token::token_for(
        house.store(),
        settings,
        whom,
        &["member".to_owned()],
        token::By::Itself,
    )
    .await?;
    let server = Server::new(&house.url, Some(token))?;
    let title = "Chorus: what friends say about one person becomes a character";
    terminal::line(terminal.paint(Tone::Strong, title));
    let place = format!(
        "API and all workers in this process, at {}; the store is a temporary one",
        server.url()
    );
    terminal::line(terminal.paint(Tone::Quiet, place));
    terminal::line("");
    ask(&server, circle, &terminal).await?;
    let job = job_of(&server).await?;
    terminal::line("");
    terminal::line(format!(
        "{} {}",
        terminal.paint(Tone::Strong, "persona.forge"),
        terminal.paint(Tone::Quiet, job)
    ));
    let story = jobs::draw(&server, job, "persona.forge", &terminal).await?;
    if story.status != "succeeded" {
        let why = story
            .message
            .unwrap_or_else(|| "no reason is known".to_owned());
        return Err(Trouble::new(
            Code::Failed,
            format!("the job is {}: {why}", story.status),
            AGAIN,
        ));
    }
    let told = server.get("/api/v1/personas/me").await?;
    let pictures = pictures(&server, &told).await?;
    terminal::line("");
    persona::print(&terminal, &told);
    terminal::line("");
    for (label, file) in pictures {
        row(&terminal, label, file.display().to_string());
    }
    row(
        &terminal,
        "Took",
        format!(
            "{:.1} s from the first request to the last picture",
            started.elapsed().as_secs_f64()
        ),
    );
    terminal::line("");
    terminal::line(
        "Next: `chorus demo --answers FILE` with your own friends' answers, or `chorus` to keep it running.",
    );
    Ok(())
}

/// Prints a labelled line.
fn row(terminal: &Terminal, label: &str, words: String) {
    terminal::line(format!(
        "  {} {words}",
        terminal.paint(Tone::Quiet, format!("{label:<9}"))
    ));
}

/// Makes a survey, and has every friend answer it.
async fn ask(server: &Server, circle: &Circle, terminal: &Terminal) -> Result<(), Trouble> {
    let step =
        |words: String| terminal::line(format!("  {} {words}", terminal.paint(Tone::Good, "✓")));
    let friends = circle.friends.len();
    let survey = server
        .post(
            "/api/v1/surveys",
            &json!({"title": circle.title, "min_responses": friends}),
        )
        .await?;
    let slug = survey["slug"].as_str().unwrap_or_default();
    step(format!(
        "A survey, “{}”: {}",
        circle.title,
        survey["survey_url"].as_str().unwrap_or(slug)
    ));
    for (at, answers) in circle.friends.iter().enumerate() {
        // Friends have no account; what tells them apart is where they answer from.
        let body = json!({"answers": answers, "fingerprint": format!("friend {}", at + 1)});
        server
            .post(&format!("/api/v1/surveys/{slug}/responses"), &body)
            .await?;
    }
    step(format!(
        "{friends} friends answered; the last answer started the job"
    ));
    Ok(())
}

/// The job that the last answer started.
async fn job_of(server: &Server) -> Result<Uuid, Trouble> {
    let started = Instant::now();
    loop {
        let told = server.get("/api/v1/personas/me").await?;
        let job = told["job"]
            .as_str()
            .and_then(|path| path.rsplit('/').next()?.parse().ok());
        match job {
            Some(job) => return Ok(job),
            None if started.elapsed() > JOB_MAX => {
                return Err(Trouble::new(
                    Code::Failed,
                    "no job was started by the last answer",
                    AGAIN,
                ));
            }
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Fetches the pictures to where whoever runs the demo finds them afterwards.
async fn pictures(server: &Server, told: &Value) -> Result<Vec<(&'static str, PathBuf)>, Trouble> {
    let mut kept = vec![];
    for (label, field, name) in [
        ("Portrait", "illustration_url", "portrait"),
        ("Card", "card_url", "card"),
    ] {
        let Some(url) = told[field].as_str() else {
            continue;
        };
        let Some(path) = url.find("/api/").map(|at| &url[at..]) else {
            continue;
        };
        let response = server
            .send(server.request(reqwest::Method::GET, path))
            .await?;
        let bytes = response
            .bytes()
            .await
            .map_err(|error| server.unreachable(&error))?;
        kept.push((label, keep(&format!("chorus-demo-{name}.png"), &bytes)?));
    }
    Ok(kept)
}

/// Writes a picture here, or, where nothing can be written, among the temporary files.
fn keep(name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let here = std::path::absolute(name)?;
    if std::fs::write(&here, bytes).is_ok() {
        return Ok(here);
    }
    let there = std::env::temp_dir().join(name);
    std::fs::write(&there, bytes).with_context(|| format!("writing {}", there.display()))?;
    Ok(there)
}
