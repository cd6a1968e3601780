//! Has what is over leave the tables, so that what is under way stays fast. Every worker runs one, and one
//! at a time is at it.

use crate::store::{Keep, Store};
use chrono::DateTime;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const CHORE: &str = "retention";
/// How long one that does not say any more that it is at it keeps the others off.
const HELD: Duration = Duration::from_mins(1);
/// How long after a round the next one begins, in the whole fleet.
const EVERY: Duration = Duration::from_hours(1);
/// Rows of a batch. An SQLite store has one writer, and each row is a statement there.
const BATCH: i64 = 500;
const BATCH_EMBEDDED: i64 = 100;
/// The rest after a batch, in times of what the batch took, and at least so long: a fifth of one
/// connection's time is what retention may cost.
const REST_TIMES: u32 = 4;
const REST_MIN: Duration = Duration::from_millis(50);

/// Has what is over leave the tables.
pub struct Retirement {
    store: Store,
    keep: Keep,
    look: Duration,
}

impl Retirement {
    /// One that looks once a minute whether it is its turn.
    pub fn new(store: Store, keep: Keep) -> Self {
        Self {
            store,
            keep,
            look: HELD,
        }
    }

    /// Sees to it until shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut silent = false;
        while !shutdown.is_cancelled() {
            match self.turn(&shutdown).await {
                Ok(Some(sagas)) if sagas > 0 => {
                    silent = false;
                    tracing::info!(sagas, "{sagas} sagas that ended long ago were taken away");
                }
                Ok(_) => silent = false,
                Err(error) if !silent => {
                    tracing::warn!(%error, "What is over could not be taken away; trying again");
                    silent = true;
                }
                Err(_) => {}
            }
            rest(self.look, &shutdown).await;
        }
    }

    /// One round, if it is due and nobody else is at it; says how many sagas went.
    pub async fn turn(&self, shutdown: &CancellationToken) -> sqlx::Result<Option<u64>> {
        if !self.store.take_chore(CHORE, HELD).await? {
            return Ok(None);
        }
        let limit = match self.store.db().name() {
            "sqlite" => BATCH_EMBEDDED,
            _ => BATCH,
        };
        let (mut gone, mut place) = (0, Some((DateTime::UNIX_EPOCH, Uuid::nil())));
        while let (Some(after), false) = (place, shutdown.is_cancelled()) {
            let began = Instant::now();
            let retired = self.store.retire_sagas(&self.keep, after, limit).await?;
            (gone, place) = (gone + retired.rows, retired.next);
            self.breathe(began, shutdown).await?;
        }
        let mut more = true;
        while more && !shutdown.is_cancelled() {
            let began = Instant::now();
            let most = self.store.retire_rest(&self.keep, limit).await?;
            more = i64::try_from(most).is_ok_and(|most| most >= limit);
            self.breathe(began, shutdown).await?;
        }
        // Whoever is stopped in the middle leaves the rest to the next one.
        if shutdown.is_cancelled() {
            self.store.hold_chore(CHORE, Duration::ZERO).await?;
        } else {
            self.store.finish_chore(CHORE, EVERY).await?;
        }
        Ok(Some(gone))
    }

    /// Says that somebody is at it, and leaves the store to the others for a while.
    async fn breathe(&self, began: Instant, shutdown: &CancellationToken) -> sqlx::Result<()> {
        let took = began.elapsed();
        self.store.hold_chore(CHORE, HELD).await?;
        rest((took * REST_TIMES).clamp(REST_MIN, HELD / 2), shutdown).await;
        Ok(())
    }
}

async fn rest(length: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = shutdown.cancelled() => {}
    }
}
