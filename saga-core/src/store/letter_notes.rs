//! What somebody noted about letters that failed alike.

use super::Store;
use super::audit::{self, Entry};
use crate::db::Tx;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

/// A note on a group of letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct GroupNote {
    /// The fingerprint of its letters.
    pub group: String,
    /// What was noted; nothing if the note was taken away.
    pub note: Option<String>,
    /// Who noted it.
    pub noted_by: String,
    /// When.
    pub noted_at: DateTime<Utc>,
}

const KNOWN: &str = "-- letter_notes.known
    SELECT count(*) FROM (SELECT id FROM letters WHERE fingerprint = $1 LIMIT 1) AS one";
const NOTE: &str = "-- letter_notes.note
    INSERT INTO letter_notes (fingerprint, note, noted_by, noted_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (fingerprint) DO UPDATE
       SET note = excluded.note, noted_by = excluded.noted_by, noted_at = excluded.noted_at";
const TAKE_AWAY: &str = "-- letter_notes.take_away
    DELETE FROM letter_notes WHERE fingerprint = $1";

impl Store {
    /// Notes something about a group, or takes the note away. None: no letter is of that group.
    pub async fn note_group(
        &self,
        tx: &mut Tx,
        group: &str,
        note: Option<&str>,
        by: &str,
    ) -> sqlx::Result<Option<GroupNote>> {
        let known: i64 = tx.query(KNOWN).bind(group.to_owned()).scalar().await?;
        if known == 0 {
            return Ok(None);
        }
        let now = tx.now().await?;
        match note {
            Some(note) => {
                let noting = tx.query(NOTE).bind(group.to_owned()).bind(note.to_owned());
                noting.bind(by.to_owned()).bind(now).execute().await?;
            }
            None => drop(tx.query(TAKE_AWAY).bind(group.to_owned()).execute().await?),
        }
        let entry = Entry {
            actor: by,
            verb: "group.note",
            target_kind: "group",
            target_id: group.to_owned(),
            reason: note.unwrap_or_default(),
            detail: json!({"taken_away": note.is_none()}),
        };
        audit::write(tx, &entry).await?;
        Ok(Some(GroupNote {
            group: group.to_owned(),
            note: note.map(str::to_owned),
            noted_by: by.to_owned(),
            noted_at: now,
        }))
    }
}
