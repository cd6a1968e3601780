//! The steps of the demo sagas: nothing but the row that shows that they were done.

use domain::demo::{Stumble, Touch, TouchImage, leave};
use saga_core::db::Tx;
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError};

/// Leaves rows.
#[derive(Clone, Copy)]
pub struct Toucher;

/// Fails for good.
pub struct Stumbler;

async fn rows(touched: Vec<(RecordOf, ())>, tx: &mut Tx) -> Result<(), StepError> {
    let steps: Vec<RecordOf> = touched.into_iter().map(|(of, ())| of).collect();
    leave(tx, &steps).await.map_err(StepError::retry)
}

impl Handler<Touch> for Toucher {
    const REACH: Reach = Reach::Store;

    async fn run(&self, _: Touch, _: &StepContext) -> Result<(), StepError> {
        Ok(())
    }

    async fn record_all(&self, touched: Vec<(RecordOf, ())>, tx: &mut Tx) -> Result<(), StepError> {
        rows(touched, tx).await
    }
}

impl Handler<TouchImage> for Toucher {
    const REACH: Reach = Reach::Store;

    async fn run(&self, _: TouchImage, _: &StepContext) -> Result<(), StepError> {
        Ok(())
    }

    async fn record_all(&self, touched: Vec<(RecordOf, ())>, tx: &mut Tx) -> Result<(), StepError> {
        rows(touched, tx).await
    }
}

impl Handler<Stumble> for Stumbler {
    async fn run(&self, _: Stumble, _: &StepContext) -> Result<(), StepError> {
        Err(StepError::fail("it was started to fail"))
    }
}
