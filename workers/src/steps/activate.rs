//! `persona.activate`: from here on the draft is who the owner is met as.

use domain::mirror::forge::ActivatePersona;
use domain::mirror::store::forging;
use saga_core::db::Tx;
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError};

/// Does `persona.activate`.
pub struct Activator;

impl Handler<ActivatePersona> for Activator {
    const REACH: Reach = Reach::Store;

    async fn run(
        &self,
        step: ActivatePersona,
        _: &StepContext,
    ) -> Result<ActivatePersona, StepError> {
        Ok(step)
    }

    async fn record(
        &self,
        done: ActivatePersona,
        _: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        forging::activated(tx, done).await.map_err(StepError::retry)
    }
}
