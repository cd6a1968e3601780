//! What sagas made, in the same words whatever it is.

use chrono::{DateTime, Utc};
use saga_core::db::Tx;
use uuid::Uuid;

/// Something that a saga made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Artefact {
    /// Never changes.
    pub id: Uuid,
    /// What it is: `topic`.
    pub kind: &'static str,
    /// The saga that made it.
    pub saga: Uuid,
}

const PUBLISH: &str = "-- artefacts.publish
    INSERT INTO artefacts (id, kind, saga_id, state, created_at, updated_at) VALUES ($1, $2, $3, 'published', $4, $4)
    ON CONFLICT (id) DO NOTHING";
const RETRACT: &str = "-- artefacts.retract
    UPDATE artefacts SET state = 'retracted', updated_at = $2 WHERE id = $1 AND state = 'published'";

/// The artefact that is made of something, such as a cluster of ideas: one at most.
pub fn id(of: Uuid) -> Uuid {
    Uuid::new_v5(&of, b"artefact")
}

/// Writes down something that is public from now on; done twice it is done once.
pub async fn publish(tx: &mut Tx, new: Artefact, now: DateTime<Utc>) -> sqlx::Result<()> {
    let insert = tx.query(PUBLISH).bind(new.id).bind(new.kind.to_owned());
    let insert = insert.bind(new.saga).bind(now);
    insert.execute().await.map(drop)
}

/// Takes something public back.
pub async fn retract(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    let retract = tx.query(RETRACT).bind(id).bind(now);
    retract.execute().await.map(drop)
}
