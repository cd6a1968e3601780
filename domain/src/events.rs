//! What happened in the product, in one row each, for whoever listens: never changed, and kept for a while.
//!
//! The histories of sagas are `saga_core`'s; these are facts about what people see.

use chrono::{DateTime, TimeDelta, Utc};
use saga_core::db::{Db, Sql, Tx};
use serde_json::Value;
use uuid::Uuid;

/// How long events are kept.
pub const KEPT_FOR: TimeDelta = TimeDelta::days(90);

/// Who may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// One account: it is about something of its own.
    Owner(Uuid),
    /// Whoever reads topics.
    Readers,
    /// Whoever reviews rounds.
    Curators,
}

impl Audience {
    fn as_str(self) -> &'static str {
        match self {
            Self::Owner(_) => "owner",
            Self::Readers => "readers",
            Self::Curators => "curators",
        }
    }

    fn owner(self) -> Option<Uuid> {
        match self {
            Self::Owner(account) => Some(account),
            Self::Readers | Self::Curators => None,
        }
    }
}

/// Something that has just become true.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// `noun.verb`, such as `topic.published`.
    pub name: &'static str,
    /// What kind of thing it is about: `submission`, `round`, `topic`.
    pub entity: &'static str,
    /// Which one.
    pub entity_id: Uuid,
    /// Who may be told.
    pub audience: Audience,
    /// A JSON object that names nobody.
    pub value: Value,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    /// Counts all events; in the order of commits.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// `noun.verb`.
    pub name: String,
    /// What kind of thing it is about.
    pub entity: String,
    /// Which one.
    pub entity_id: Uuid,
    /// A JSON object.
    pub value: String,
}

/// What somebody may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ear {
    /// Whose own events, if any.
    pub owner: Option<Uuid>,
    /// Whether it reads topics.
    pub reader: bool,
    /// Whether it reviews rounds.
    pub curator: bool,
}

const NEXT: &str = "-- events.next
    UPDATE domain_event_head SET last = last + $1 WHERE one = 1 RETURNING last";
const INSERT: Sql = Sql {
    postgres: "-- events.insert
        INSERT INTO domain_events (id, at, name, entity, entity_id, audience, owner_id, value, request_id)
        SELECT * FROM UNNEST($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::uuid[],
                             $8::text[], $9::text[]) AS r",
    sqlite: "-- events.insert
        INSERT INTO domain_events (id, at, name, entity, entity_id, audience, owner_id, value, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
};
const LAST: &str = "-- events.last
    SELECT last FROM domain_event_head WHERE one = 1";
const AFTER: &str = "-- events.after
    SELECT id, at, name, entity, entity_id, value FROM domain_events
     WHERE id > $1 AND id <= $2
       AND ((audience = 'owner' AND owner_id = $3) OR (audience = 'readers' AND $4) OR (audience = 'curators' AND $5))
     ORDER BY id LIMIT $6";
const BLANK: &str = "-- events.blank
    UPDATE domain_events SET value = '{}' WHERE entity_id = $1 AND name = $2";
const FORGET: &str = "-- events.forget
    DELETE FROM domain_events WHERE id IN (SELECT id FROM domain_events WHERE at < $1 ORDER BY at LIMIT $2)";

/// Writes down what has become true in this transaction, as its last deed: from here on nobody else writes
/// events until it ends, so that their numbers are in the order of commits.
pub async fn note(
    tx: &mut Tx,
    request_id: Option<&str>,
    events: Vec<NewEvent>,
) -> sqlx::Result<()> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    if count == 0 {
        return Ok(());
    }
    let now = tx.now().await?;
    let last: i64 = tx.query(NEXT).bind(count).scalar().await?;
    tx.batch(INSERT)
        .column(last - count + 1..=last)
        .column(events.iter().map(|_| now))
        .column(events.iter().map(|event| event.name.to_owned()))
        .column(events.iter().map(|event| event.entity.to_owned()))
        .column(events.iter().map(|event| event.entity_id))
        .column(
            events
                .iter()
                .map(|event| event.audience.as_str().to_owned()),
        )
        .column(events.iter().map(|event| event.audience.owner()))
        .column(events.iter().map(|event| event.value.to_string()))
        .column(events.iter().map(|_| request_id.map(str::to_owned)))
        .execute()
        .await
        .map(drop)
}

/// The number of the last event there is, 0 before the first.
pub async fn last(db: &Db) -> sqlx::Result<i64> {
    db.query(LAST).scalar().await
}

/// What `ear` may be told of the events after `after` up to `up_to`, oldest first.
pub async fn heard(
    db: &Db,
    ear: Ear,
    after: i64,
    up_to: i64,
    limit: i64,
) -> sqlx::Result<Vec<Event>> {
    let events = db.query(AFTER).bind(after).bind(up_to).bind(ear.owner);
    let events = events.bind(ear.reader).bind(ear.curator).bind(limit);
    events.all().await
}

/// Takes out of the events of this name what they told of a thing.
pub async fn blank(tx: &mut Tx, entity: Uuid, name: &'static str) -> sqlx::Result<()> {
    let blank = tx.query(BLANK).bind(entity).bind(name.to_owned());
    blank.execute().await.map(drop)
}

/// Forgets at most `limit` of the events that are older than [`KEPT_FOR`].
pub async fn forget_old(tx: &mut Tx, limit: i64) -> sqlx::Result<u64> {
    let before = tx.now().await? - KEPT_FOR;
    tx.query(FORGET).bind(before).bind(limit).execute().await
}
