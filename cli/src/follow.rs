//! A job's events as they happen: server-sent events, taken up again where they broke off.

use crate::exit::{Code, Trouble};
use crate::http::Server;
use chrono::{DateTime, Utc};
use reqwest::{Method, Response, StatusCode, header::ACCEPT};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::VecDeque, time::Duration};
use uuid::Uuid;

/// How often a broken stream is taken up again without a single event in between.
const BREAKS_MAX: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// The server sends a comment every 15 s; silence for longer is a broken line.
const SILENCE_MAX: Duration = Duration::from_secs(40);

/// One line of a job's history.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Event {
    /// Counts from 1 within the job.
    pub(crate) id: i64,
    pub(crate) at: DateTime<Utc>,
    /// `step.started`, `saga.parked` …
    pub(crate) name: String,
    /// The step's key.
    pub(crate) step: Option<String>,
    #[serde(default)]
    pub(crate) data: Value,
}

impl Event {
    /// Whether nothing comes after it.
    pub(crate) fn is_last(&self) -> bool {
        matches!(
            self.name.as_str(),
            "saga.succeeded" | "saga.failed" | "saga.canceled"
        )
    }
}

/// A job that is being followed.
pub(crate) struct Follow<'a> {
    server: &'a Server,
    job: Uuid,
    after: i64,
    over: bool,
    breaks: u32,
    stream: Option<Response>,
    bytes: Vec<u8>,
    waiting: VecDeque<Event>,
}

impl<'a> Follow<'a> {
    /// Follows a job from its first event.
    pub(crate) fn new(server: &'a Server, job: Uuid) -> Self {
        Self {
            server,
            job,
            after: 0,
            over: false,
            breaks: 0,
            stream: None,
            bytes: vec![],
            waiting: VecDeque::new(),
        }
    }

    /// The next event; none after the last one.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Trouble> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.after = event.id;
                self.over |= event.is_last();
                return Ok(Some(event));
            }
            if self.over {
                return Ok(None);
            }
            match self.stream.take() {
                None => self.open().await?,
                Some(mut stream) => match tokio::time::timeout(SILENCE_MAX, stream.chunk()).await {
                    Ok(Ok(Some(chunk))) => {
                        self.bytes.extend_from_slice(&chunk);
                        self.stream = Some(stream);
                        self.read();
                    }
                    Ok(Ok(None) | Err(_)) | Err(_) => self.bytes.clear(), // taken up again
                },
            }
        }
    }

    async fn open(&mut self) -> Result<(), Trouble> {
        if self.breaks > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        self.breaks += 1;
        let path = format!("/api/v1/jobs/{}/events", self.job);
        let request = self
            .server
            .request(Method::GET, &path)
            .header(ACCEPT, "text/event-stream");
        let request = if self.after > 0 {
            request.header("last-event-id", self.after)
        } else {
            request
        };
        match self.server.send(request).await {
            Ok(response) if response.status() == StatusCode::NO_CONTENT => self.over = true,
            Ok(response) => self.stream = Some(response),
            // A server that restarts is waited for; one that was never there is not.
            Err(trouble)
                if trouble.code() == Code::Unreachable
                    && self.after > 0
                    && self.breaks < BREAKS_MAX => {}
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }

    /// Takes whole frames out of what has come.
    fn read(&mut self) {
        while let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
            let frame: Vec<u8> = self.bytes.drain(..end + 2).collect();
            if let Some(event) = event_of(&String::from_utf8_lossy(&frame))
                && event.id > self.after
            {
                self.breaks = 0;
                self.waiting.push_back(event);
            }
        }
    }
}

/// The event of a frame; none for comments and snapshots, which have no id.
fn event_of(frame: &str) -> Option<Event> {
    let field = |name: &'static str| {
        frame
            .lines()
            .filter_map(move |line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim_start)
    };
    field("id").next()?;
    let data: Vec<&str> = field("data").collect();
    serde_json::from_str(&data.join("\n")).ok()
}

#[cfg(test)]
mod tests {
    use super::event_of;

    #[test]
    fn a_frame_with_an_id_is_an_event_and_others_are_not() {
        let frame = "id: 7\nevent: step.started\ndata: {\"id\":7,\"at\":\"2026-01-02T03:04:05Z\",\ndata: \"name\":\"step.started\",\"step\":\"persona.write\",\"data\":null}\n\n";
        let event = event_of(frame).unwrap();
        assert_eq!(
            (event.id, event.name.as_str(), event.step.as_deref()),
            (7, "step.started", Some("persona.write"))
        );
        assert!(event_of(": still here\n\n").is_none());
        assert!(event_of("event: job.snapshot\ndata: {\"id\":\"x\"}\n\n").is_none());
    }
}
