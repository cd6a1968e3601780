//! Talks to a server as its users do: over HTTP, with a bearer token.

use crate::exit::{Code, Trouble};
use crate::notes::{self, Notes};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::time::Duration;

const URL_DEFAULT: &str = "http://127.0.0.1:8000";
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The longest answer; a wait on top of it is granted by the server for 30 s.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// A server, and the token that opens it.
#[derive(Clone)]
pub(crate) struct Server {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    /// An API key, which counts where there is no token.
    key: Option<String>,
}

impl Server {
    /// The server of `CHORUS_URL`, else the one that runs here, else the default. It is shown `CHORUS_TOKEN`,
    /// else `CHORUS_API_KEY`, else the token in the data folder.
    pub(crate) fn found() -> Result<Self, Trouble> {
        let set = |name: &str| {
            std::env::var(name)
                .ok()
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let (url, token, key, notes) = (
            set("CHORUS_URL"),
            set("CHORUS_TOKEN"),
            set("CHORUS_API_KEY"),
            Notes::find(&notes::folder()),
        );
        // The token of this machine's server is told to no other.
        let notes = notes.filter(|notes| {
            url.as_ref()
                .is_none_or(|url| url.trim_end_matches('/') == notes.url)
        });
        let here = notes
            .as_ref()
            .map_or(URL_DEFAULT, |notes| &notes.url)
            .to_owned();
        let of_notes = notes.map(|notes| notes.token).filter(|_| key.is_none());
        let server = Self::new(&url.unwrap_or(here), token.or(of_notes))?;
        Ok(Self { key, ..server })
    }

    /// A server at `url`.
    pub(crate) fn new(url: &str, token: Option<String>) -> Result<Self, Trouble> {
        let url = url.trim_end_matches('/').to_owned();
        let host = reqwest::Url::parse(&url)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()))
            .and_then(|url| url.host_str().map(str::to_owned))
            .ok_or_else(|| {
                Trouble::usage(
                    format!("{url} is no address of a server"),
                    format!("CHORUS_URL={URL_DEFAULT}"),
                )
            })?;
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            .user_agent(concat!("chorus/", env!("CARGO_PKG_VERSION")));
        // A proxy for the rest of the world does not find this machine.
        let near = ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str());
        let builder = if near { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(anyhow::Error::from)?;
        Ok(Self {
            http,
            url,
            token,
            key: None,
        })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The path of these parts; names in it may hold whatever they like.
    pub(crate) fn path(base: &str, parts: &[&str]) -> String {
        let mut url = reqwest::Url::parse(URL_DEFAULT).ok();
        let written = url.as_mut().and_then(|url| {
            url.set_path(base);
            url.path_segments_mut().ok()?.extend(parts);
            Some(url.path().to_owned())
        });
        written.unwrap_or_else(|| base.to_owned())
    }

    /// Begins a request.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match (&self.token, &self.key) {
            (Some(token), _) => request.bearer_auth(token),
            (None, Some(key)) => request.header("x-api-key", key),
            (None, None) => request,
        }
    }

    /// Sends a request and takes what came, if it is an answer and no problem.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let status = response.status();
        let problem: Value = response.json().await.unwrap_or_default();
        Err(self.refused(status, &problem))
    }

    /// Reads a resource.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Trouble> {
        self.json(self.request(Method::GET, path).timeout(ANSWER_MAX))
            .await
    }

    /// Gives a command.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.command(Method::POST, path, body).await
    }

    /// Changes a resource.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.command(Method::PATCH, path, body).await
    }

    async fn command(&self, method: Method, path: &str, body: &Value) -> Result<Value, Trouble> {
        let request = self.request(method, path).timeout(ANSWER_MAX);
        self.json(request.json(body)).await
    }

    /// Sends a request and reads the JSON of its answer.
    pub(crate) async fn json(&self, request: RequestBuilder) -> Result<Value, Trouble> {
        let response = self.send(request).await?;
        response
            .json()
            .await
            .map_err(|error| self.unreachable(&error))
    }

    /// The server did not answer, or not to the end.
    pub(crate) fn unreachable(&self, error: &reqwest::Error) -> Trouble {
        let remedy = "start one here with: chorus, or say where it is with CHORUS_URL";
        self.unreachable_try(error, remedy)
    }

    /// The same, where something else helps.
    pub(crate) fn unreachable_try(&self, error: &reqwest::Error, remedy: &str) -> Trouble {
        let why = match (error.is_timeout(), error.is_connect()) {
            (true, _) => "does not answer in time",
            (false, true) => "is not there",
            (false, false) => "broke the connection off",
        };
        Trouble::new(
            Code::Unreachable,
            format!("the server at {} {why}", self.url),
            remedy,
        )
    }

    fn refused(&self, status: StatusCode, problem: &Value) -> Trouble {
        let word = |name: &str| problem[name].as_str().unwrap_or_default();
        let (title, detail) = (word("title"), word("detail"));
        let mut what = match (title, detail) {
            ("", "") => format!("the server at {} answers {status}", self.url),
            ("", detail) => detail.to_owned(),
            (title, "") => title.to_owned(),
            (title, detail) => format!("{title}: {detail}"),
        };
        for error in problem["errors"].as_array().into_iter().flatten() {
            let word = |name: &str| error[name].as_str().unwrap_or_default();
            if detail == [word("pointer"), ": ", word("detail")].concat() {
                continue; // it is the only one, and told already
            }
            what.extend(["\n  ", word("pointer"), "  ", word("detail")]);
        }
        let (code, remedy) = match status {
            StatusCode::UNAUTHORIZED => (
                Code::Unauthorised,
                "export CHORUS_TOKEN=$(chorus token --email you@example.org), with the server's settings",
            ),
            StatusCode::FORBIDDEN => (
                Code::Unauthorised,
                "a token with a role that has it: chorus token --email you@example.org --role operator",
            ),
            StatusCode::NOT_FOUND => (
                Code::Usage,
                "chorus jobs list, dead-letters list, workers or queues, for what there is",
            ),
            status if status.is_server_error() => (
                Code::Unreachable,
                "again in a moment; chorus healthcheck --ready tells more",
            ),
            StatusCode::CONFLICT => (
                Code::Usage,
                "chorus jobs list, dead-letters list, workers or queues, for how things are by now",
            ),
            _ => (Code::Usage, "the same command with --help"),
        };
        Trouble::new(code, what, remedy)
    }
}
