//! The API: is it where people are told it is, and may it be given work?

use super::finding::Finding;
use crate::http::Server;
use crate::notes::Notes;
use process::Settings;
use process::settings::shown;
use reqwest::Method;
use std::time::Duration;

const ANSWER_MAX: Duration = Duration::from_secs(5);

pub(super) async fn examine(settings: &Settings, url: Option<String>) -> Finding {
    let told = std::env::var("CHORUS_URL")
        .ok()
        .filter(|url| !url.is_empty());
    let here = || Notes::find(&settings.data_dir).map(|notes| notes.url);
    let url = url.or(told).or_else(here);
    let url = url.unwrap_or_else(|| settings.public_base_url.clone());
    let remedy =
        "start it with: chorus api; or say where it is: --url, CHORUS_URL or PUBLIC_BASE_URL";
    let server = Server::new(&url, None);
    let url = shown(&url);
    let Ok(server) = server else {
        return Finding::failed("api", format!("{url} is no address of a server"), remedy);
    };
    let asked = server.request(Method::GET, "/readyz?verbose");
    let answer = match asked.timeout(ANSWER_MAX).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => {
            let found = format!("{url} does not answer within {} s", ANSWER_MAX.as_secs());
            return Finding::failed("api", found, remedy);
        }
        Err(_) => return Finding::failed("api", format!("nobody answers at {url}"), remedy),
    };
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    if status.is_success() && text.trim_end().ends_with("ready") {
        return Finding::ok("api", format!("{url} is ready"));
    }
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.ends_with(": ok"))
        .collect();
    let about = if status.as_u16() == 503 {
        lines.join(", ")
    } else {
        format!("/readyz says {status}, as no API of ours does")
    };
    let remedy = "the lines of store and broker here, and the API's log";
    Finding::failed("api", format!("{url}: {about}"), remedy)
}
