//! `/events/stream`: what happens, as it happens, as far as the caller may know.

use crate::auth::{Caller, Signed};
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::rate::streams::Place;
use crate::sse;
use crate::state::State;
use axum::extract::State as In;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use chrono::{DateTime, Utc};
use domain::accounts::permissions::Reach;
use domain::events::{self, Ear};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// Events read at once.
const READ_MAX: i64 = 100;
/// How long a stream lasts: whoever comes again shows credentials anew, so that nobody listens for much longer
/// than they may.
const LIFE_MAX: Duration = Duration::from_mins(15);
/// Topics that one stream may name.
const TOPICS_MAX: usize = 20;
/// What there are events about.
const ENTITIES: [&str; 3] = ["round", "submission", "topic"];

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct About {
    /// Only events about these, with commas between: `topic`, `round`, `submission`, or one of them by its id, as
    /// in `topic:0198…`.
    topics: Option<String>,
}

/// What a stream is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Topic {
    entity: &'static str,
    id: Option<Uuid>,
}

impl About {
    fn topics(&self) -> Result<Vec<Topic>, Problem> {
        let Some(given) = &self.topics else {
            return Ok(vec![]);
        };
        let topics: Option<Vec<Topic>> = given.split(',').map(topic).collect();
        let fits = topics.filter(|topics| topics.len() <= TOPICS_MAX);
        fits.ok_or_else(|| {
            let how = format!(
                "topics: send at most {TOPICS_MAX} of {}, each alone or with `:` and an id, with commas between.",
                ENTITIES.join(", ")
            );
            Problem::new(Code::BadParameter, how)
        })
    }
}

fn topic(given: &str) -> Option<Topic> {
    let (entity, id) = match given.trim().split_once(':') {
        None => (given.trim(), None),
        Some((entity, id)) => (entity, Some(Uuid::try_parse(id).ok()?)),
    };
    let entity = ENTITIES.into_iter().find(|known| *known == entity)?;
    Some(Topic { entity, id })
}

/// Something that happened.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
pub(crate) struct Told {
    /// Rises with every event; send the last one back as `Last-Event-ID`.
    id: i64,
    at: DateTime<Utc>,
    /// What happened, such as `topic.published`.
    name: String,
    /// What kind of thing it is about.
    entity: String,
    entity_id: Uuid,
    data: Value,
}

impl From<events::Event> for Told {
    fn from(event: events::Event) -> Self {
        Self {
            id: event.id,
            at: event.at,
            name: event.name,
            entity: event.entity,
            entity_id: event.entity_id,
            data: serde_json::from_str(&event.value).unwrap_or(Value::Null),
        }
    }
}

/// Tells what happens from now on, or since the event that the caller had last.
pub(crate) async fn stream(
    caller: Signed,
    In(state): In<State>,
    headers: HeaderMap,
    Params(about): Params<About>,
) -> Result<Response, Problem> {
    let topics = about.topics()?;
    let given = sse::last_event_id(&headers)?;
    let place = state.place(caller.account())?;
    let following = state.feed().follow();
    let last = events::last(state.db()).await?;
    // Numbers beyond the last one are of another store: there is nothing to go on from.
    let after = given.map_or(last, |given| given.min(last));
    let opened = Event::default()
        .id(after.to_string())
        .event("stream.opened");
    let opened = opened.data(json!({"id": after}).to_string());
    let news = News {
        ear: ear(&caller),
        topics,
        state,
        following,
        after,
        up_to: last,
        waiting: VecDeque::from([opened]),
        until: Instant::now() + LIFE_MAX,
        over: false,
        _place: place,
    };
    Ok(sse::telling(news.tell()))
}

/// What somebody may be told.
fn ear(caller: &Caller) -> Ear {
    let all = |permission| caller.reach(permission) == Some(Reach::All);
    let owns = caller.reach("submissions.read").is_some();
    Ear {
        owner: caller.own_account().filter(|_| owns),
        reader: all("topics.read"),
        curator: all("rounds.review"),
    }
}

/// What happens, being told to one listener.
struct News {
    state: State,
    ear: Ear,
    topics: Vec<Topic>,
    following: watch::Receiver<i64>,
    /// The last event that was looked at.
    after: i64,
    /// The last event that there is, for all we know.
    up_to: i64,
    waiting: VecDeque<Event>,
    until: Instant,
    over: bool,
    _place: Option<Place>,
}

impl News {
    fn tell(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        stream::unfold(self, |mut news| async move {
            let event = news.next().await?;
            Some((Ok(event), news))
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
            self.up_to = self.up_to.max(*self.following.borrow_and_update());
            if self.after < self.up_to {
                self.read().await;
            } else {
                self.wait().await;
            }
        }
    }

    async fn read(&mut self) {
        let (after, up_to) = (self.after, self.up_to);
        match events::heard(self.state.db(), self.ear, after, up_to, READ_MAX).await {
            Ok(found) => self.take(found),
            Err(error) => {
                tracing::debug!(%error, "Events could not be read; their listener is sent away");
                self.part("the store does not answer");
            }
        }
    }

    fn take(&mut self, found: Vec<events::Event>) {
        let whole = i64::try_from(found.len()).is_ok_and(|found| found < READ_MAX);
        self.after = match found.last() {
            Some(last) if !whole => last.id,
            Some(_) | None => self.up_to,
        };
        for event in found
            .into_iter()
            .filter(|event| wanted(&self.topics, event))
        {
            let told = Event::default()
                .id(event.id.to_string())
                .event(event.name.clone());
            let told = told.json_data(Told::from(event));
            let unreadable = |_| Event::default().comment("unreadable");
            self.waiting.push_back(told.unwrap_or_else(unreadable));
        }
    }

    async fn wait(&mut self) {
        let closing = self.state.closing().clone();
        tokio::select! {
            moved = self.following.changed() => {
                if moved.is_err() {
                    self.part("the server is stopping");
                }
            }
            () = tokio::time::sleep_until(self.until) => self.part("come again"),
            () = closing.cancelled() => self.part("the server is stopping"),
        }
    }

    fn part(&mut self, why: &str) {
        self.over = true;
        self.waiting.push_back(sse::parting(why));
    }
}

/// Whether an event is about what somebody listens for.
fn wanted(topics: &[Topic], event: &events::Event) -> bool {
    let fits = |topic: &Topic| {
        topic.entity == event.entity && topic.id.is_none_or(|id| id == event.entity_id)
    };
    topics.is_empty() || topics.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::About;

    #[test]
    fn a_stream_is_about_what_there_are_events_of() {
        let read = |topics: &str| {
            let about = About {
                topics: Some(topics.to_owned()),
            };
            about.topics().map(|topics| topics.len())
        };
        assert_eq!(read("topic, round").unwrap(), 2);
        assert_eq!(
            read("topic:018f2f10-0000-7000-8000-000000000000").unwrap(),
            1
        );
        for refused in ["", "persona", "topic:x", "topic,", "topic:"] {
            assert!(read(refused).is_err(), "{refused}");
        }
        assert!(read(&vec!["topic"; 21].join(",")).is_err());
    }
}
