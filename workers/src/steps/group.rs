//! `topic.cluster`: finds the groups among a round's ideas.

use super::embed::{IDEAS_MAX, kept_as};
use super::pictures::draw;
use crate::providers::Embedder;
use domain::topics::cluster::{cluster, ranked};
use domain::topics::embed::{embed, place};
use domain::topics::keywords::keywords;
use domain::topics::round::ClusterIdeas;
use domain::topics::store::grouping::Grouping;
use domain::topics::store::{embeddings, grouping, ideas};
use saga_core::db::Tx;
use saga_core::{Handler, RecordOf, StepContext, StepError};
use std::sync::Arc;
use uuid::Uuid;

/// Does `topic.cluster`.
pub struct Grouper {
    /// Whose vectors are compared; nobody's, where ideas are compared by rule.
    pub embed: Option<Arc<dyn Embedder>>,
}

impl Handler<ClusterIdeas> for Grouper {
    async fn run(&self, step: ClusterIdeas, cx: &StepContext) -> Result<Grouping, StepError> {
        let db = cx.store().db();
        let claimed = ideas::claimed(db, cx.saga)
            .await
            .map_err(StepError::retry)?;
        let vectors = match &self.embed {
            None => None,
            Some(embedder) => {
                let hashes: Vec<_> = claimed
                    .iter()
                    .take(IDEAS_MAX)
                    .map(|idea| embeddings::hash(&idea.text))
                    .collect();
                let model = kept_as(embedder.as_ref());
                let found = embeddings::find(db, &model, &hashes)
                    .await
                    .map_err(StepError::retry)?;
                let found: Option<Vec<Vec<f32>>> = found.into_iter().collect();
                Some(found.ok_or_else(|| StepError::fail("an idea has no vector any more"))?)
            }
        };
        let size_min = usize::try_from(step.size_min).unwrap_or(usize::MAX);
        let (ids, texts): (Vec<Uuid>, Vec<String>) =
            claimed.into_iter().map(|idea| (idea.id, idea.text)).unzip();
        draw(move || grouped(&ids, &texts, vectors, size_min)).await
    }

    async fn record(&self, found: Grouping, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        match grouping::grouped(tx, of.saga, &found).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StepError::retry("an idea has gone meanwhile")),
            Err(error) => Err(StepError::retry(error)),
        }
    }
}

fn grouped(
    ids: &[Uuid],
    texts: &[String],
    vectors: Option<Vec<Vec<f32>>>,
    size_min: usize,
) -> Grouping {
    let texts: Vec<&str> = texts.iter().take(IDEAS_MAX).map(String::as_str).collect();
    let vectors = vectors.map_or_else(|| embed(&texts), place);
    let mut labels = cluster(&vectors, size_min);
    let keywords = keywords(&texts, &labels);
    let ranked = ranked(&vectors, &labels);
    labels.resize(ids.len(), -1);
    Grouping::of(ids, &labels, keywords, ranked)
}
