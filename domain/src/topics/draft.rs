//! The saga `topic.draft`: a cluster of ideas becomes a topic with its opening post.

use super::topic_text::TopicText;
use crate::media::store::Variant;
use crate::mirror::forge::DiscardPicture;
use crate::queues::{IMAGE, SYNTHESIS};
use saga_core::usage::Usage;
use saga_core::{Flow, Halt, Queue, Saga, Step};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// What a draft is started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The round that found the cluster.
    pub round: Uuid,
    /// The cluster.
    pub cluster: Uuid,
}

/// `topic.draft`.
pub struct DraftTopic;

impl Saga for DraftTopic {
    const KIND: &'static str = "topic.draft";
    const PARK: Duration = Duration::from_mins(15);
    const DEADLINE: Option<Duration> = Some(Duration::from_mins(5));
    const LOCKED: &'static [&'static str] = &["round", "cluster"];
    type Input = Draft;
    type Output = Uuid;

    fn run(flow: &mut Flow, draft: Draft) -> Result<Uuid, Halt> {
        let Draft { round, cluster } = draft;
        let (topic, cover) = (flow.id("topic"), flow.id("cover"));

        flow.phase("compose");
        let composed = match flow.attempt(ComposeTopic {
            round,
            cluster,
            topic,
        })? {
            Ok(composed) => composed,
            Err(failure) => return flow.fail(failure.message),
        };

        flow.phase("cover");
        flow.undo_with(DiscardPicture { media: cover });
        let painted = flow.attempt(PaintCover {
            topic,
            media: cover,
            title: composed.text.title.clone(),
            keywords: composed.keywords.clone(),
        })?;

        flow.phase("publish");
        flow.pivot();
        flow.step(PublishTopic {
            topic,
            round,
            cluster,
            text: composed.text,
            cover: painted.is_ok().then_some(cover),
        })?;
        Ok(topic)
    }
}

/// Has the topic's words written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ComposeTopic {
    /// The round that found the cluster.
    pub round: Uuid,
    /// The cluster.
    pub cluster: Uuid,
    /// The id that the topic will have.
    pub topic: Uuid,
}

/// Words for a topic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Composed {
    /// The words.
    pub text: TopicText,
    /// What the cluster's ideas have in common, for the cover.
    pub keywords: Vec<String>,
    /// Who wrote them.
    pub provider: String,
    /// What the calls of this attempt cost.
    pub usage: Usage,
}

impl Step for ComposeTopic {
    const NAME: &'static str = "topic.compose";
    const QUEUE: Queue = SYNTHESIS;
    /// Two calls of 30 s, the repair included, and what is between them.
    const TIMEOUT: Duration = Duration::from_secs(90);
    type Output = Composed;
}

/// Has the cover drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaintCover {
    /// The topic that it will belong to.
    pub topic: Uuid,
    /// The cover's id.
    pub media: Uuid,
    /// The question.
    pub title: String,
    /// What it is about.
    pub keywords: Vec<String>,
}

/// A cover as it was drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaintedCover {
    /// The topic that it will belong to.
    pub topic: Uuid,
    /// The cover's id.
    pub media: Uuid,
    /// Its files, largest first.
    pub variants: Vec<Variant>,
    /// Who drew it.
    pub provider: String,
    /// What the call cost.
    pub usage: Usage,
}

impl Step for PaintCover {
    const NAME: &'static str = "topic.cover";
    const QUEUE: Queue = IMAGE;
    const TIMEOUT: Duration = Duration::from_mins(2);
    type Output = PaintedCover;
}

/// Makes the topic public with its opening post, and archives the cluster's ideas.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PublishTopic {
    /// The id that the topic gets.
    pub topic: Uuid,
    /// The round that found the cluster.
    pub round: Uuid,
    /// The cluster.
    pub cluster: Uuid,
    /// The words.
    pub text: TopicText,
    /// Its cover, if one was drawn.
    pub cover: Option<Uuid>,
}

impl Step for PublishTopic {
    const NAME: &'static str = "topic.publish";
    const QUEUE: Queue = SYNTHESIS;
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Output = Self;
}
