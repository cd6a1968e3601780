//! `chorus demo topics`: the ideas of a neighbourhood become discussions.

use super::{AGAIN, keep, row};
use crate::exit::{Code, Trouble};
use crate::house::House;
use crate::http::Server;
use crate::terminal::{self, Terminal, Tone, wrap};
use crate::{jobs, token};
use domain::topics::sample::{NEIGHBOURHOOD, read};
use process::Settings;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The longest that drafts may take to be seen once their round is over.
const SEEN_MAX: Duration = Duration::from_secs(10);

/// Hands the sample in, each idea by a person of its own, runs a round, and shows what became of them.
pub(super) async fn show(house: &House, settings: &Settings) -> Result<(), Trouble> {
    let (terminal, started) = (Terminal::here(), Instant::now());
    let curator = server(house, settings, "curator@localhost", &["curator"]).await?;
    let title = "Chorus: what a neighbourhood has on its mind becomes discussions";
    terminal::line(terminal.paint(Tone::Strong, title));
    let place = format!(
        "API and all workers in this process, at {}; the store is a temporary one",
        curator.url()
    );
    terminal::line(terminal.paint(Tone::Quiet, place));
    terminal::line("");
    hand_in(house, settings, &terminal).await?;

    let round = curator.post("/api/v1/topic-rounds", &json!({})).await?;
    let id = round["id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
    let job = id.ok_or_else(|| trouble("the server started no round"))?;
    terminal::line("");
    terminal::line(format!(
        "{} {}",
        terminal.paint(Tone::Strong, "topic.round"),
        terminal.paint(Tone::Quiet, job)
    ));
    let story = jobs::draw(&curator, job, "topic.round", &terminal).await?;
    if story.status != "succeeded" {
        let why = story
            .message
            .unwrap_or_else(|| "no reason is known".to_owned());
        return Err(trouble(&format!("the round is {}: {why}", story.status)));
    }
    let topics = topics(&curator).await?;
    for (at, topic) in topics.iter().enumerate() {
        terminal::line("");
        print(&curator, &terminal, (at, topic)).await?;
    }
    let round = curator.get(&format!("/api/v1/topic-rounds/{job}")).await?;
    let counts = &round["counts"];
    terminal::line("");
    row(
        &terminal,
        "Ideas",
        format!(
            "{} were taken up, {} are live again",
            counts["claimed"], counts["released"]
        ),
    );
    let took = started.elapsed().as_secs_f64();
    let took = format!("{took:.1} s from the first idea to the last picture");
    row(&terminal, "Took", took);
    terminal::line("");
    terminal::line("Next: `chorus` to keep it running, then `chorus round start --wait`.");
    Ok(())
}

/// A server as one person sees it.
async fn server(
    house: &House,
    settings: &Settings,
    email: &str,
    roles: &[&str],
) -> Result<Server, Trouble> {
    let name = email.split('@').next().unwrap_or(email);
    let roles: Vec<String> = roles.iter().map(|&role| role.to_owned()).collect();
    let by = token::By::Itself;
    let token = token::token_for(house.store(), settings, (email, name), &roles, by).await?;
    Server::new(&house.url, Some(token))
}

async fn hand_in(house: &House, settings: &Settings, terminal: &Terminal) -> Result<(), Trouble> {
    let ideas = read(NEIGHBOURHOOD);
    for (at, (_, idea)) in ideas.iter().enumerate() {
        let email = format!("neighbour{}@localhost", at + 1);
        let member = server(house, settings, &email, &["member"]).await?;
        let body = json!({"text": idea});
        member.post("/api/v1/submissions", &body).await?;
    }
    let tick = terminal.paint(Tone::Good, "✓");
    let count = ideas.len();
    terminal::line(format!(
        "  {tick} {count} neighbours handed in an idea each, such as:"
    ));
    for (_, idea) in ideas.iter().step_by(13) {
        let lines = wrap(idea, terminal.width.saturating_sub(8));
        for line in lines {
            terminal::line(format!("      {}", terminal.paint(Tone::Quiet, line)));
        }
    }
    Ok(())
}

/// The topics that there are, the one of most ideas first.
async fn topics(server: &Server) -> Result<Vec<Value>, Trouble> {
    let started = Instant::now();
    loop {
        let page = server.get("/api/v1/topics").await?;
        let mut topics = page["items"].as_array().cloned().unwrap_or_default();
        topics.sort_by_key(|topic| std::cmp::Reverse(topic["ideas"].as_i64()));
        if !topics.is_empty() {
            return Ok(topics);
        }
        if started.elapsed() > SEEN_MAX {
            return Err(trouble("the round made no topic"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn print(
    server: &Server,
    terminal: &Terminal,
    (at, topic): (usize, &Value),
) -> Result<(), Trouble> {
    let text = |name: &str| topic[name].as_str().unwrap_or_default();
    let line = |text: String| terminal::line(format!("  {text}").trim_end());
    for title in wrap(text("title"), terminal.width.saturating_sub(4)) {
        line(terminal.paint(Tone::Accent, title));
    }
    let summary = format!("{} · {} ideas", text("summary"), topic["ideas"]);
    line(terminal.paint(Tone::Quiet, summary));
    let posts = format!("/api/v1/topics/{}/posts", text("id"));
    let posts = server.get(&posts).await?;
    let opening = posts["items"][0]["body"].as_str().unwrap_or_default();
    for paragraph in wrap(opening, terminal.width.saturating_sub(4)) {
        line(paragraph);
    }
    if let Some(path) = text("cover_url")
        .find("/api/")
        .map(|at| &text("cover_url")[at..])
    {
        let request = server.request(reqwest::Method::GET, path);
        let response = server.send(request).await?;
        let bytes = response
            .bytes()
            .await
            .map_err(|error| server.unreachable(&error))?;
        let file = keep(&format!("chorus-demo-topic-{}.png", at + 1), &bytes)?;
        line(String::new());
        row(terminal, "Cover", file.display().to_string());
    }
    Ok(())
}

fn trouble(what: &str) -> Trouble {
    Trouble::new(Code::Failed, what.to_owned(), AGAIN)
}
