//! Forgets what was kept under an `Idempotency-Key`, once nobody may ask for it any more.

use domain::accounts::idempotency;
use saga_core::db::{Db, Durability};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often there is a look.
const PAUSE: Duration = Duration::from_hours(1);
/// Keys in one transaction: short enough that no command notices.
const KEYS_MAX: u32 = 1_000;

/// Forgets at start, and every hour until shutdown.
pub(crate) async fn run(db: Db, shutdown: CancellationToken) {
    let forever = async {
        loop {
            if let Err(error) = all(&db).await {
                tracing::warn!(%error, "Old idempotency keys could not be forgotten");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    shutdown.run_until_cancelled(forever).await;
}

async fn all(db: &Db) -> sqlx::Result<()> {
    loop {
        let mut tx = db.begin(Durability::Relaxed).await?;
        let forgotten = idempotency::forget_old(&mut tx, KEYS_MAX.into()).await?;
        tx.commit().await?;
        if forgotten < KEYS_MAX.into() {
            return Ok(());
        }
    }
}
