//! Which saga was begun again from another one's letter.

use super::Store;
use super::judge::again;
use crate::db::{Sql, Tx};
use std::collections::BTreeMap;
use uuid::Uuid;

const TAKEN_UP: Sql = Sql {
    postgres: "-- links.taken_up
        SELECT saga_id, id FROM letters WHERE state = 'replayed' AND saga_id = ANY($1)",
    sqlite: "-- links.taken_up
        SELECT saga_id, id FROM letters WHERE state = 'replayed' AND saga_id = $1",
};
const THERE: Sql = Sql {
    postgres: "-- links.there
        SELECT id, replay_of FROM sagas WHERE replay_of IS NOT NULL AND id = ANY($1)",
    sqlite: "-- links.there
        SELECT id, replay_of FROM sagas WHERE replay_of IS NOT NULL AND id = $1",
};

/// Which saga this one was begun again as, if it was; its row is locked.
pub(super) async fn begun_again(tx: &mut Tx, saga: Uuid) -> sqlx::Result<Option<Uuid>> {
    let letters: Vec<(Uuid, Uuid)> = tx.batch(TAKEN_UP).column([saga]).all().await?;
    let candidates: Vec<Uuid> = letters.iter().map(|(_, letter)| again(*letter)).collect();
    if candidates.is_empty() {
        return Ok(None);
    }
    let there: Vec<(Uuid, Uuid)> = tx.batch(THERE).column(candidates).all().await?;
    Ok(there.first().map(|(new, _)| *new))
}

impl Store {
    /// Of these sagas, those that were begun again, and as which. The id of the new one follows from the
    /// letter, so no table has to be searched for it.
    pub async fn replayed_as(&self, sagas: &[Uuid]) -> sqlx::Result<BTreeMap<Uuid, Uuid>> {
        let letters: Vec<(Uuid, Uuid)> = self.db.read(TAKEN_UP, sagas).await?;
        let candidates: Vec<Uuid> = letters.iter().map(|(_, letter)| again(*letter)).collect();
        if candidates.is_empty() {
            return Ok(BTreeMap::new());
        }
        let there: Vec<(Uuid, Uuid)> = self.db.read(THERE, &candidates).await?;
        Ok(there.into_iter().map(|(new, old)| (old, new)).collect())
    }
}
