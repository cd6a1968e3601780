//! `/jobs/{id}/events`: a job's history, as a list or as it happens.

use crate::auth::Signed;
use crate::jobs::Seen;
use crate::page;
use crate::params::{Id, Params};
use crate::problem::Problem;
use crate::rate::streams::Place;
use crate::sse;
use crate::state::State;
use axum::extract::State as In;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use futures_util::{Stream, stream};
use saga_core::store::JobEvent;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::watch;

/// Events read at once.
const READ_MAX: i64 = 100;
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct From {
    /// The id of the last event that you have; a page's `next_cursor`.
    starting_after: Option<i64>,
    /// How many, 20 unless said otherwise.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// Something that happened to a job.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = JobEvent)]
pub(crate) struct Told {
    /// Counts the job's events.
    pub(super) id: i64,
    pub(super) at: DateTime<Utc>,
    /// What happened, such as `step.done`.
    pub(super) name: String,
    /// The step it happened to.
    pub(super) step: Option<String>,
    pub(super) data: Option<Value>,
}

impl Told {
    /// Who decided, and on which machine, is for those who run the fleet; they have the letters.
    fn to_owner(mut event: JobEvent) -> Self {
        if let Some(Value::Object(data)) = &mut event.data {
            data.remove("by");
            data.remove("worker");
        }
        event.into()
    }
}

impl core::convert::From<JobEvent> for Told {
    fn from(event: JobEvent) -> Self {
        Self {
            id: event.seq,
            at: event.at,
            name: event.name,
            step: event.step,
            data: event.data,
        }
    }
}

/// A list, or a stream for those who accept `text/event-stream`.
pub(crate) async fn events(
    caller: Signed,
    Id(id): Id,
    In(state): In<State>,
    headers: HeaderMap,
    Params(from): Params<From>,
) -> Result<Response, Problem> {
    let seen = super::jobs::visible(&state, &caller, id).await?;
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or("");
    let last = sse::last_event_id(&headers)?;
    if accept.contains("text/event-stream") {
        let after = last.or(from.starting_after);
        let place = state.place(caller.account())?;
        return Ok(stream_from(&state, seen, after, place));
    }
    let limit = page::limit(from.limit)?;
    let found = state
        .store()
        .events(id, from.starting_after.unwrap_or(0), limit + 1)
        .await?;
    let kept = usize::try_from(limit).unwrap_or_default();
    let more = found.len() > kept;
    let items: Vec<Told> = found.into_iter().take(kept).map(Told::to_owner).collect();
    let next = items.last().map(|last| last.id).filter(|_| more);
    Ok(axum::Json(EventPage {
        items,
        next_cursor: next.map(|id| id.to_string()),
    })
    .into_response())
}

/// A page whose cursor is what `?starting_after=` takes.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct EventPage {
    pub(super) items: Vec<Told>,
    pub(super) next_cursor: Option<String>,
}

fn stream_from(
    state: &State,
    seen: Arc<Seen>,
    after: Option<i64>,
    place: Option<Place>,
) -> Response {
    if seen.done && after.is_some_and(|after| after >= seen.seq) {
        return StatusCode::NO_CONTENT.into_response(); // a browser stops coming again
    }
    let story = Story {
        state: state.clone(),
        following: state.jobs().follow(Arc::clone(&seen)),
        after: after.unwrap_or(0),
        waiting: VecDeque::from([snapshot(&seen)]),
        seen,
        over: false,
        _place: place,
    };
    sse::telling(story.tell())
}

fn snapshot(seen: &Seen) -> Event {
    let body = std::str::from_utf8(&seen.body).unwrap_or("{}");
    Event::default().event("job.snapshot").data(body)
}

/// A job's story, being told to one listener.
struct Story {
    state: State,
    seen: Arc<Seen>,
    following: watch::Receiver<Arc<Seen>>,
    after: i64,
    waiting: VecDeque<Event>,
    over: bool,
    _place: Option<Place>,
}

impl Story {
    fn tell(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, |mut story| async move {
            let event = story.next().await?;
            Some((Ok(event), story))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            self.seen = Arc::clone(&self.following.borrow_and_update());
            match self
                .state
                .store()
                .events(self.seen.id, self.after, READ_MAX)
                .await
            {
                Ok(events) if !events.is_empty() => self.take(events),
                Ok(_) if self.seen.done && self.after >= self.seen.seq => return None,
                Ok(_) => self.wait().await,
                Err(error) => {
                    tracing::debug!(%error, "A job's events could not be read; its listener is sent away");
                    self.part("the store does not answer");
                }
            }
        }
    }

    fn take(&mut self, events: Vec<JobEvent>) {
        for event in events {
            self.after = event.seq;
            let told = Event::default()
                .id(event.seq.to_string())
                .event(event.name.clone());
            let told = told
                .json_data(Told::to_owner(event))
                .unwrap_or_else(|_| Event::default().comment("unreadable"));
            self.waiting.push_back(told);
        }
    }

    async fn wait(&mut self) {
        let closing = self.state.closing().clone();
        tokio::select! {
            changed = self.following.changed() => {
                if changed.is_err() && !self.following.borrow().done {
                    self.part("the server is stopping");
                }
            }
            () = closing.cancelled() => self.part("the server is stopping"),
        }
    }

    /// Says why the stream ends before the story does, and when to come again.
    fn part(&mut self, why: &str) {
        self.over = true;
        self.waiting.push_back(sse::parting(why));
    }
}
