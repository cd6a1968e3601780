//! `topic.claim`, `topic.choose`, `topic.release`, `topic.give_back`, `topic.forget_clusters`: what a round holds.

use domain::topics::round::{
    ChooseClusters, Chosen, ClaimIdeas, ForgetClusters, GiveBackIdeas, ReleaseIdeas,
};
use domain::topics::store::{clusters, rounds};
use saga_core::db::Tx;
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError};

/// Does `topic.claim`.
pub struct Claimer;

impl Handler<ClaimIdeas> for Claimer {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: ClaimIdeas, _: &StepContext) -> Result<ClaimIdeas, StepError> {
        Ok(step)
    }

    async fn record(&self, claim: ClaimIdeas, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        let claimed = rounds::claim(tx, of.saga, &claim.pool).await;
        claimed.map(drop).map_err(StepError::retry)
    }
}

/// Does `topic.choose`.
pub struct Chooser;

impl Handler<ChooseClusters> for Chooser {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: ChooseClusters, cx: &StepContext) -> Result<Chosen, StepError> {
        let found = clusters::of_round(cx.store().db(), cx.saga)
            .await
            .map_err(StepError::retry)?;
        Ok(Chosen {
            topics_max: step.topics_max,
            clusters: clusters::kept(found, step.topics_max),
        })
    }

    async fn record(&self, chosen: Chosen, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        let (clusters, max) = (&chosen.clusters, chosen.topics_max);
        match clusters::choose(tx, of.saga, clusters, max).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StepError::retry(
                "a curator has decided otherwise meanwhile",
            )),
            Err(error) => Err(StepError::retry(error)),
        }
    }
}

/// Does `topic.release`.
pub struct Releaser;

impl Handler<ReleaseIdeas> for Releaser {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: ReleaseIdeas, _: &StepContext) -> Result<ReleaseIdeas, StepError> {
        Ok(step)
    }

    async fn record(&self, _: ReleaseIdeas, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        rounds::finish(tx, of.saga).await.map_err(StepError::retry)
    }
}

/// Does `topic.give_back`.
pub struct Giver;

impl Handler<GiveBackIdeas> for Giver {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: GiveBackIdeas, _: &StepContext) -> Result<GiveBackIdeas, StepError> {
        Ok(step)
    }

    async fn record(&self, _: GiveBackIdeas, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        rounds::give_up(tx, of.saga).await.map_err(StepError::retry)
    }
}

/// Does `topic.forget_clusters`.
pub struct Forgetter;

impl Handler<ForgetClusters> for Forgetter {
    const REACH: Reach = Reach::Store;

    async fn run(
        &self,
        step: ForgetClusters,
        _: &StepContext,
    ) -> Result<ForgetClusters, StepError> {
        Ok(step)
    }

    async fn record(&self, _: ForgetClusters, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        clusters::remove(tx, of.saga)
            .await
            .map_err(StepError::retry)
    }
}
