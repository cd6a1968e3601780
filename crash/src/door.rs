//! The fleet's front door, as clients that do not give up use it.

use crate::plan::Plan;
use anyhow::bail;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How long a client goes on trying.
const PATIENCE: Duration = Duration::from_mins(2);
const JOBS: &str = "/api/v1/jobs";

/// HTTP to whichever API process answers.
pub struct Door {
    http: reqwest::Client,
    ports: Vec<u16>,
    token: String,
    /// Requests that had to be made again.
    pub repeated: AtomicUsize,
    /// Of these, such as were answered with an error of the server.
    pub refused: AtomicUsize,
    turn: AtomicUsize,
}

impl Door {
    /// A door to these ports.
    pub fn new(ports: Vec<u16>, token: String) -> Self {
        let http = reqwest::Client::builder()
            .timeout(ANSWER_MAX)
            .pool_max_idle_per_host(0)
            .build()
            .unwrap_or_default();
        Self {
            http,
            ports,
            token,
            repeated: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            turn: AtomicUsize::new(0),
        }
    }

    /// One request to the next API process.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = self.request(method, path);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await
    }

    /// What is answered to a GET, as it is.
    pub async fn text(&self, path: &str) -> anyhow::Result<(StatusCode, String)> {
        let answer = self.request(Method::GET, path).send().await?;
        Ok((answer.status(), answer.text().await?))
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let port = self.ports[self.turn.fetch_add(1, Ordering::Relaxed) % self.ports.len()];
        let url = format!("http://127.0.0.1:{port}{path}");
        self.http.request(method, url).bearer_auth(&self.token)
    }

    /// Asks until there is an answer that stands: neither a broken line nor "try again".
    pub async fn insist(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let began = Instant::now();
        loop {
            let last = match self.ask(method.clone(), path, key, body).await {
                Ok((status, said)) if !again(status, &said) => return Ok((status, said)),
                Ok((status, said)) => {
                    let fault = usize::from(status.is_server_error());
                    self.refused.fetch_add(fault, Ordering::Relaxed);
                    format!("{status} {said}")
                }
                Err(error) => format!("{error:#}"),
            };
            if began.elapsed() > PATIENCE {
                bail!("no answer to {method} {path} within {PATIENCE:?}: {last}");
            }
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Has a saga accepted; returns its id.
    pub async fn submit(&self, key: &str, plan: &Plan) -> anyhow::Result<Uuid> {
        let (status, said) = self
            .insist(Method::POST, JOBS, key, Some(&command(plan)))
            .await?;
        accepted(status, &said)
    }

    /// Has a saga accepted without an idempotency key: every try is a command of its own. Returns the id
    /// that was answered, and how many tries were not: each of those may have begun a saga, or not.
    pub async fn submit_bare(&self, name: &str, plan: &Plan) -> anyhow::Result<(Uuid, usize)> {
        let began = Instant::now();
        for unanswered in 0.. {
            let request = self.request(Method::POST, JOBS).json(&command(plan));
            let last = match answer(request.header("x-request-id", name)).await {
                Ok((status, said)) if !again(status, &said) => {
                    return Ok((accepted(status, &said)?, unanswered));
                }
                Ok((status, said)) => format!("{status} {said}"),
                Err(error) => format!("{error:#}"),
            };
            if began.elapsed() > PATIENCE {
                bail!("no answer to {name} within {PATIENCE:?}: {last}");
            }
            self.repeated.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{name} was tried for ever")
    }

    /// Cancels a saga; that it is too late is fine.
    pub async fn cancel(&self, saga: Uuid) -> anyhow::Result<StatusCode> {
        Ok(self
            .insist(
                Method::POST,
                &format!("/api/v1/jobs/{saga}/cancel"),
                "",
                None,
            )
            .await?
            .0)
    }

    /// Open letters.
    pub async fn letters(&self) -> anyhow::Result<Vec<Value>> {
        let (status, mut said) = self
            .ask(
                Method::GET,
                "/api/v1/admin/dead-letters?state=open&limit=100",
                "",
                None,
            )
            .await?;
        match said["items"].take() {
            Value::Array(items) => Ok(items),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => bail!("no list of letters: {status} {said}"),
        }
    }

    /// Decides about a letter: `replay` or `discard`. Not repeated: whoever asks twice is told 409.
    pub async fn decide(&self, letter: &str, verb: &str) -> anyhow::Result<StatusCode> {
        let path = format!("/api/v1/admin/dead-letters/{letter}/{verb}");
        let body = json!({"reason": "the crash suite"});
        Ok(self.ask(Method::POST, &path, "", Some(&body)).await?.0)
    }
}

fn command(plan: &Plan) -> Value {
    json!({"kind": "demo.drill", "input": plan.trip})
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<(StatusCode, Value)> {
    let answer = request.send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}

fn accepted(status: StatusCode, said: &Value) -> anyhow::Result<Uuid> {
    match said["id"].as_str().and_then(|id| id.parse().ok()) {
        Some(id) if status == StatusCode::ACCEPTED || status == StatusCode::OK => Ok(id),
        _ => bail!("a saga was not accepted: {status} {said}"),
    }
}

/// Whether a client that knows HTTP would try again.
fn again(status: StatusCode, said: &Value) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::CONFLICT && said["code"] == "idempotency_in_progress")
}
