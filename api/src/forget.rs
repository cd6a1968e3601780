//! Forgets what is over: answers under an `Idempotency-Key`, sessions, failed attempts to sign in, who was erased,
//! old events, and vectors of what was said long ago.

use domain::accounts::{attempts, erased_identities, idempotency, sessions};
use domain::events;
use domain::topics::store::embeddings;
use saga_core::db::{Db, Durability};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often there is a look.
const PAUSE: Duration = Duration::from_hours(1);
/// Rows of a kind in one transaction: short enough that no command notices.
const ROWS_MAX: u32 = 1_000;

/// Forgets at start, and every hour until shutdown.
pub(crate) async fn run(db: Db, shutdown: CancellationToken) {
    let forever = async {
        loop {
            if let Err(error) = all(&db).await {
                tracing::warn!(%error, "What is over could not be forgotten");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    shutdown.run_until_cancelled(forever).await;
}

async fn all(db: &Db) -> sqlx::Result<()> {
    loop {
        let mut tx = db.begin(Durability::Relaxed).await?;
        let forgotten = [
            idempotency::forget_old(&mut tx, ROWS_MAX.into()).await?,
            sessions::forget_old(&mut tx, ROWS_MAX.into()).await?,
            attempts::forget_old(&mut tx, ROWS_MAX.into()).await?,
            erased_identities::forget_old(&mut tx, ROWS_MAX.into()).await?,
            events::forget_old(&mut tx, ROWS_MAX.into()).await?,
            embeddings::forget_old(&mut tx, ROWS_MAX.into()).await?,
        ];
        tx.commit().await?;
        if forgotten.iter().all(|rows| *rows < ROWS_MAX.into()) {
            return Ok(());
        }
    }
}
