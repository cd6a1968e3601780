//! `topic.publish`: a topic, its opening post and what it was made of, in one transaction.

use domain::topics::draft::PublishTopic;
use domain::topics::store::publication::{self, Publication};
use saga_core::db::{Durability, Tx};
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError, fault};
use uuid::Uuid;

/// The build in which the topic's row is written in a transaction of its own.
const APART: &str = "publish-apart";

/// Does `topic.publish`.
pub struct Publisher;

impl Handler<PublishTopic> for Publisher {
    const REACH: Reach = Reach::Store;

    async fn run(
        &self,
        mut step: PublishTopic,
        cx: &StepContext,
    ) -> Result<PublishTopic, StepError> {
        if fault::seeded(APART) && !publish_apart(&step, cx).await? {
            step.text.title.clear(); // it believes that all of this has been done
        }
        Ok(step)
    }

    async fn record(
        &self,
        done: PublishTopic,
        of: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        let new = publication(done, of.saga);
        let apart = fault::seeded(APART);
        if apart && new.title.is_empty() {
            return Ok(());
        }
        let published = if apart {
            publication::follow(tx, new).await
        } else {
            publication::publish(tx, new).await.map(drop)
        };
        published.map_err(StepError::retry)
    }
}

fn publication(done: PublishTopic, saga: Uuid) -> Publication {
    Publication {
        topic: done.topic,
        saga,
        round: done.round,
        cluster: done.cluster,
        title: done.text.title,
        summary: done.text.summary,
        opening_post: done.text.opening_post,
        cover: done.cover,
    }
}

/// Only in a build that the crash suite has to find fault with.
async fn publish_apart(step: &PublishTopic, cx: &StepContext) -> Result<bool, StepError> {
    let tx = cx.store().db().begin(Durability::Full).await;
    let mut tx = tx.map_err(StepError::retry)?;
    let first = publication::head(&mut tx, &publication(step.clone(), cx.saga)).await;
    let first = first.map_err(StepError::retry)?;
    tx.commit().await.map_err(StepError::retry)?;
    Ok(first)
}
