//! `topic.embed`: has vectors made of a round's ideas, each text once.

use super::judge;
use crate::providers::{Call, Embedder, Texts};
use domain::topics::embed::projected;
use domain::topics::round::{EmbedIdeas, Embedded};
use domain::topics::store::embeddings::{self, TextHash};
use domain::topics::store::{grouping, ideas, rounds};
use saga_core::db::{Durability, Tx};
use saga_core::{Handler, Provider, RecordOf, Reply, StepContext, StepError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many calls one step makes at most.
const CALLS_MAX: usize = 4;
/// The most ideas that a round groups, the oldest; those beyond are noise.
pub(super) const IDEAS_MAX: usize = 20_000;

/// Does `topic.embed`.
pub struct IdeaEmbedder {
    /// Who is asked; nobody, where ideas are compared by rule.
    pub embed: Option<Arc<dyn Embedder>>,
}

impl Handler<EmbedIdeas> for IdeaEmbedder {
    async fn run(&self, step: EmbedIdeas, cx: &StepContext) -> Result<Embedded, StepError> {
        let db = cx.store().db();
        let Some(embedder) = &self.embed else {
            let ideas = grouping::count(db, cx.saga).await;
            return Ok(Embedded {
                round: cx.saga,
                ideas: ideas.map_err(StepError::retry)?,
                next: None,
            });
        };
        let claimed = ideas::claimed(db, cx.saga)
            .await
            .map_err(StepError::retry)?;
        let window = CALLS_MAX * Texts::BATCH_MAX;
        let here = claimed.iter().take(IDEAS_MAX).skip(step.from).take(window);
        // Twice the same text is one text; sorted, so that a second attempt sends the same batches.
        let texts: BTreeMap<TextHash, &str> = here
            .map(|idea| (embeddings::hash(&idea.text), idea.text.as_str()))
            .collect();
        let texts: Vec<(TextHash, &str)> = texts.into_iter().collect();
        for (at, batch) in texts.chunks(Texts::BATCH_MAX).enumerate() {
            made(embedder.as_ref(), at, batch, cx).await?;
        }
        let end = step.from + window;
        Ok(Embedded {
            round: cx.saga,
            ideas: claimed.len(),
            next: (end < claimed.len().min(IDEAS_MAX)).then_some(end),
        })
    }

    async fn record(&self, done: Embedded, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
        if done.next.is_some() {
            return Ok(());
        }
        rounds::embedded(tx, of.saga)
            .await
            .map_err(StepError::retry)
    }
}

/// Under which name an embedder's vectors are kept: they are [`projected`].
pub(super) fn kept_as(embedder: &dyn Embedder) -> String {
    format!("{}/{}/256", embedder.provider(), embedder.model())
}

/// Sees to it that there are vectors of a batch. They are a cache by text, which no undo takes back, so they
/// are written at once.
async fn made(
    embedder: &dyn Embedder,
    at: usize,
    batch: &[(TextHash, &str)],
    cx: &StepContext,
) -> Result<(), StepError> {
    let db = cx.store().db();
    let model = kept_as(embedder);
    let hashes: Vec<TextHash> = batch.iter().map(|(hash, _)| *hash).collect();
    let known = embeddings::find(db, &model, &hashes)
        .await
        .map_err(StepError::retry)?;
    if known.iter().all(Option::is_some) {
        return Ok(());
    }
    let texts = Texts {
        texts: batch.iter().map(|(_, text)| (*text).to_owned()).collect(),
        purpose: "embed",
    };
    let vectors = asked(embedder, &format!("embed {at}"), &texts, cx).await?;
    let vectors: Vec<(TextHash, Vec<f32>)> = hashes.into_iter().zip(vectors).collect();
    let mut tx = db
        .begin(Durability::Relaxed)
        .await
        .map_err(StepError::retry)?;
    embeddings::keep(&mut tx, &model, &vectors)
        .await
        .map_err(StepError::retry)?;
    tx.commit().await.map_err(StepError::retry)
}

/// One paid call; its answer is stored before it is read.
async fn asked(
    embedder: &dyn Embedder,
    name: &str,
    texts: &Texts,
    cx: &StepContext,
) -> Result<Vec<Vec<f32>>, StepError> {
    let (provider, model) = (embedder.provider(), embedder.model());
    let asked = Provider {
        name: provider,
        model,
        purpose: texts.purpose,
        request_hash: judge::hash(texts)?,
        most: texts.most(),
        idempotent: true,
    };
    let request_id = cx.request_id.clone();
    let raw = cx
        .effect(name, asked, |idempotency_key| async move {
            let call = Call {
                idempotency_key,
                request_id,
            };
            let answer = embedder.send(texts, &call).await.map_err(judge::call)?;
            Ok(Reply {
                usage: embedder.usage(&answer.raw),
                patience: answer.patience,
                raw: answer.raw,
            })
        })
        .await?;
    let usage = embedder.usage(&raw);
    tracing::info!(
        provider,
        model,
        usage.input_tokens,
        "An embedding call is answered"
    );
    let vectors = embedder.read(&raw, texts.texts.len());
    let vectors = vectors.map_err(judge::answer)?.0;
    Ok(vectors.iter().map(|vector| projected(vector)).collect())
}
