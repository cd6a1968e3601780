//! Takes away what one owner's sagas leave behind, as retention does when their time has come.

use super::{Store, retire};
use crate::db::Durability;
use uuid::Uuid;

const LIVE: &str = "-- forget.live
    SELECT id FROM sagas WHERE owner_id = $1 AND id <> $2 AND finished_at IS NULL ORDER BY id";
const ENDED: &str = "-- forget.ended
    SELECT id FROM sagas WHERE owner_id = $1 AND id <> $2 AND finished_at IS NOT NULL ORDER BY id LIMIT $3";

impl Store {
    /// The sagas of an owner that have not ended, but for this one.
    pub async fn live_of(&self, owner: Uuid, but: Uuid) -> sqlx::Result<Vec<Uuid>> {
        let live: Vec<(Uuid,)> = self.db.query(LIVE).bind(owner).bind(but).all().await?;
        Ok(live.into_iter().map(|(id,)| id).collect())
    }

    /// Takes away some of an owner's sagas that have ended, but for this one, whatever letters they have;
    /// what they cost stays in the books. Says how many it were: fewer than `limit` were the last.
    pub async fn forget_of(&self, owner: Uuid, but: Uuid, limit: i64) -> sqlx::Result<usize> {
        let query = self.db.query(ENDED).bind(owner).bind(but).bind(limit);
        let ended: Vec<(Uuid,)> = query.all().await?;
        let ended: Vec<Uuid> = ended.into_iter().map(|(id,)| id).collect();
        let mut tx = self.db.begin(Durability::Full).await?;
        retire::take(&mut tx, &ended).await?;
        tx.commit().await?;
        Ok(ended.len())
    }
}
