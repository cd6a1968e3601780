//! `account.close`, `account.reopen`, `account.erase_files`, `account.erase_rows`: an account goes.

use crate::blobs::Blobs;
use domain::accounts::erase::{CloseAccount, Closed, EraseFiles, EraseRows, ReopenAccount};
use domain::accounts::erasure;
use saga_core::db::Tx;
use saga_core::store::{Cancel, ControlError};
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError};

/// Sagas that are taken away in one transaction.
const BATCH: i64 = 100;

/// Does `account.close`.
pub struct Closer;

impl Handler<CloseAccount> for Closer {
    async fn run(&self, step: CloseAccount, cx: &StepContext) -> Result<Closed, StepError> {
        let account = step.account;
        let live = cx.store().live_of(account, cx.saga).await;
        let live = live.map_err(StepError::retry)?;
        for saga in &live {
            let cancel = Cancel {
                by: "its owner",
                actor: "account.erase",
                reason: "the account is erased",
            };
            match cx.store().cancel(*saga, &cancel).await {
                // The sweeper has tickets for them in a second or two; nothing here can publish.
                Ok(_) | Err(ControlError::Refused(_) | ControlError::NotFound) => {}
                Err(error @ (ControlError::Start(_) | ControlError::Store(_))) => {
                    return Err(StepError::retry(error));
                }
            }
        }
        Ok(Closed {
            account,
            open: live.len(),
        })
    }

    async fn record(&self, closed: Closed, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        erasure::asked(tx, of.saga, closed.account)
            .await
            .map_err(StepError::retry)
    }
}

/// Does `account.reopen`.
pub struct Reopener;

impl Handler<ReopenAccount> for Reopener {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: ReopenAccount, _: &StepContext) -> Result<ReopenAccount, StepError> {
        Ok(step)
    }

    async fn record(
        &self,
        reopened: ReopenAccount,
        _: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        erasure::reopened(tx, reopened.account)
            .await
            .map_err(StepError::retry)
    }
}

/// Does `account.erase_files`.
pub struct FileEraser {
    /// Where the files are.
    pub blobs: Blobs,
}

impl Handler<EraseFiles> for FileEraser {
    async fn run(&self, step: EraseFiles, cx: &StepContext) -> Result<EraseFiles, StepError> {
        let media = erasure::media(cx.store().db(), step.account).await;
        for medium in media.map_err(StepError::retry)? {
            self.blobs.delete(medium).await.map_err(StepError::retry)?;
        }
        Ok(step)
    }
}

/// Does `account.erase_rows`.
pub struct RowEraser;

impl Handler<EraseRows> for RowEraser {
    async fn run(&self, step: EraseRows, cx: &StepContext) -> Result<EraseRows, StepError> {
        let mut last = usize::try_from(BATCH).unwrap_or_default();
        while i64::try_from(last).is_ok_and(|last| last == BATCH) {
            let forgotten = cx.store().forget_of(step.account, cx.saga, BATCH).await;
            last = forgotten.map_err(StepError::retry)?;
        }
        Ok(step)
    }

    async fn record(&self, erased: EraseRows, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        erasure::erased(tx, of, erased.account)
            .await
            .map_err(StepError::retry)
    }
}
