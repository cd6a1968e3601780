//! `topic.compose`: has the words of a topic written, and mended once if they will not do.

use super::{seed, words};
use crate::providers::{Prompt, TextModel};
use domain::topics::draft::{ComposeTopic, Composed};
use domain::topics::material::Material;
use domain::topics::prompts;
use domain::topics::store::{clusters, grouping, ideas};
use domain::topics::topic_text::{TopicText, check};
use saga_core::db::Db;
use saga_core::{Handler, StepContext, StepError};
use std::sync::Arc;

/// The longest answer that is paid for: all three fields at their longest, with room to spare.
const TOKENS_MAX: u32 = 1_500;
/// Calm: a host, not a poet.
const TEMPERATURE: f32 = 0.4;

/// Does `topic.compose`.
pub struct Composer {
    /// Who writes.
    pub text: Arc<dyn TextModel>,
}

impl Handler<ComposeTopic> for Composer {
    async fn run(&self, step: ComposeTopic, cx: &StepContext) -> Result<Composed, StepError> {
        let material = material(cx.store().db(), &step).await?;
        let prompt = prompt(&material)?;
        let fits = |text: &TopicText| check(text, &material);
        let (text, usage) = words::written(self.text.as_ref(), &prompt, fits, cx).await?;
        Ok(Composed {
            text,
            keywords: material.keywords,
            provider: self.text.provider().to_owned(),
            usage,
        })
    }
}

async fn material(db: &Db, step: &ComposeTopic) -> Result<Material, StepError> {
    let cluster = clusters::find(db, step.round, step.cluster)
        .await
        .map_err(StepError::retry)?;
    let cluster = cluster.ok_or_else(|| StepError::fail("the cluster is gone"))?;
    let ideas = ideas::of_cluster(db, step.cluster)
        .await
        .map_err(StepError::retry)?;
    if ideas.is_empty() {
        return Err(StepError::fail("the cluster has no ideas any more"));
    }
    let names = grouping::authors(db, step.cluster)
        .await
        .map_err(StepError::retry)?;
    Ok(Material {
        ideas: ideas.into_iter().map(|idea| idea.text).collect(),
        keywords: cluster.keywords,
        title_hint: cluster.title_hint,
        names,
        seed: seed(step.topic),
    })
}

fn prompt(material: &Material) -> Result<Prompt, StepError> {
    let domain::mirror::prompts::Prompt { system, user } = prompts::prompt(material);
    Ok(Prompt {
        system,
        user,
        json: true,
        tokens_max: TOKENS_MAX,
        temperature: TEMPERATURE,
        purpose: prompts::PURPOSE,
        material: serde_json::to_value(material).map_err(StepError::fail)?,
    })
}
