//! `chorus healthcheck`: asks the process on this machine how it is.

use crate::exit::{Code, Trouble};
use crate::http::Server;
use crate::terminal;
use reqwest::Method;
use std::time::Duration;

/// A container's check is cut off after a few seconds, too.
const ANSWER_MAX: Duration = Duration::from_secs(3);

const ELSEWHERE: &str = "chorus healthcheck --url URL, if it is elsewhere";

pub(crate) async fn run(ready: bool, url: Option<String>) -> Result<(), Trouble> {
    let port = ["WORKER_PORT", "PORT"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|port| !port.is_empty()));
    let url =
        url.unwrap_or_else(|| format!("http://127.0.0.1:{}", port.as_deref().unwrap_or("8000")));
    let server = Server::new(&url, None)?;
    let path = if ready { "/readyz?verbose" } else { "/livez" };
    let response = server
        .request(Method::GET, path)
        .timeout(ANSWER_MAX)
        .send()
        .await
        .map_err(|error| server.unreachable_try(&error, ELSEWHERE))?;
    let good = response.status().is_success();
    let told = response
        .text()
        .await
        .map_err(|error| server.unreachable(&error))?;
    terminal::line(told.trim_end());
    if good {
        Ok(())
    } else {
        Err(Trouble::told(Code::Failed))
    }
}
