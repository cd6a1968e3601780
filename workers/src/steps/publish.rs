//! `topic.publish`: a topic, its opening post and what it was made of, in one transaction.

use domain::topics::draft::PublishTopic;
use domain::topics::store::publication::{self, Publication};
use saga_core::db::Tx;
use saga_core::{Handler, Reach, RecordOf, StepContext, StepError};

/// Does `topic.publish`.
pub struct Publisher;

impl Handler<PublishTopic> for Publisher {
    const REACH: Reach = Reach::Store;

    async fn run(&self, step: PublishTopic, _: &StepContext) -> Result<PublishTopic, StepError> {
        Ok(step)
    }

    async fn record(&self, done: PublishTopic, _: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        let publication = Publication {
            topic: done.topic,
            round: done.round,
            cluster: done.cluster,
            title: done.text.title,
            summary: done.text.summary,
            opening_post: done.text.opening_post,
            cover: done.cover,
        };
        let published = publication::publish(tx, publication).await;
        published.map(drop).map_err(StepError::retry)
    }
}
