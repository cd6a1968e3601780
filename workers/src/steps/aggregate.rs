//! `persona.aggregate`: adds the answers up.

use domain::accounts::erasure;
use domain::mirror::archetype::Archetype;
use domain::mirror::forge::{Aggregate, AggregateAnswers};
use domain::mirror::rarity::Rarity;
use domain::mirror::statistics::Stats;
use domain::mirror::store::forging;
use saga_core::db::Tx;
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError};

/// Does `persona.aggregate`.
pub struct Aggregator;

impl Handler<AggregateAnswers> for Aggregator {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: AggregateAnswers, cx: &StepContext) -> Result<Aggregate, StepError> {
        let found = forging::answers(cx.store().db(), step.survey)
            .await
            .map_err(StepError::retry)?;
        let (survey, answers) = found.ok_or_else(|| StepError::fail("there is no such survey"))?;
        // However it came to be started: nothing is made that an erasure no longer looks for.
        let leaving = erasure::find(cx.store().db(), survey.owner_id).await;
        if leaving.map_err(StepError::retry)?.is_some() {
            return Err(StepError::fail("the account is being erased"));
        }
        if !survey.is_sufficient() {
            let (has, needs) = (survey.response_count, survey.min_responses);
            return Err(StepError::fail(format!(
                "insufficient_responses: {has} of {needs} answers are there"
            )));
        }
        let stats = Stats::from_answers(&answers);
        Ok(Aggregate {
            persona: step.persona,
            survey: step.survey,
            mode: step.mode,
            responses: survey.response_count,
            stats,
            archetype: Archetype::decide(stats, step.mode, step.archetype),
            rarity: Rarity::of(stats, &answers, step.mode),
        })
    }

    async fn record(&self, sum: Aggregate, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        forging::aggregated(tx, of, sum)
            .await
            .map_err(StepError::retry)
    }
}
