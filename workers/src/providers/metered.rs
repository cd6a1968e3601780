//! A model, and what calling it takes: time by outcome, and tokens.

use super::{
    Answered, Call, CallError, Completion, Embedder, Image, ImageModel, Picture, Prompt, TextModel,
    Texts, Unreadable, Usage, Vectors,
};
use futures_util::future::BoxFuture;
use metrics::{counter, histogram};
use std::time::Instant;

const DURATION: &str = "chorus_provider_request_duration_seconds";
const TOKENS: &str = "chorus_provider_tokens_total";

/// A model whose calls are counted. A call counts when it is made: an answer that was stored and is
/// read again cost nothing.
pub struct Metered<M>(M);

impl<M> Metered<M> {
    /// Counts the calls of `model`.
    pub fn new(model: M) -> Self {
        Self(model)
    }
}

impl<M: TextModel> TextModel for Metered<M> {
    fn provider(&self) -> &'static str {
        self.0.provider()
    }

    fn model(&self) -> &str {
        self.0.model()
    }

    fn send<'a>(
        &'a self,
        prompt: &'a Prompt,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = self.0.send(prompt, call).await;
            let usage = answer.as_ref().map(|answer| self.0.usage(&answer.raw));
            note(self.provider(), self.model(), began, usage);
            answer
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Completion, Unreadable> {
        self.0.read(raw)
    }

    fn usage(&self, raw: &[u8]) -> Usage {
        self.0.usage(raw)
    }
}

impl<M: ImageModel> ImageModel for Metered<M> {
    fn provider(&self) -> &'static str {
        self.0.provider()
    }

    fn model(&self) -> &str {
        self.0.model()
    }

    fn send<'a>(
        &'a self,
        picture: &'a Picture,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = self.0.send(picture, call).await;
            let usage = answer.as_ref().map(|answer| self.0.usage(&answer.raw));
            note(self.provider(), self.model(), began, usage);
            answer
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Image, Unreadable> {
        self.0.read(raw)
    }

    fn usage(&self, raw: &[u8]) -> Usage {
        self.0.usage(raw)
    }
}

impl<M: Embedder> Embedder for Metered<M> {
    fn provider(&self) -> &'static str {
        self.0.provider()
    }

    fn model(&self) -> &str {
        self.0.model()
    }

    fn send<'a>(
        &'a self,
        texts: &'a Texts,
        call: &'a Call,
    ) -> BoxFuture<'a, Result<Answered, CallError>> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = self.0.send(texts, call).await;
            let usage = answer.as_ref().map(|answer| self.0.usage(&answer.raw));
            note(self.provider(), self.model(), began, usage);
            answer
        })
    }

    fn read(&self, raw: &[u8], count: usize) -> Result<Vectors, Unreadable> {
        self.0.read(raw, count)
    }

    fn usage(&self, raw: &[u8]) -> Usage {
        self.0.usage(raw)
    }
}

fn note(provider: &'static str, model: &str, began: Instant, usage: Result<Usage, &CallError>) {
    let model = || model.to_owned();
    let outcome = match usage {
        Ok(_) => "answered",
        Err(CallError::Transient { .. }) => "failed",
        Err(CallError::Throttled { .. }) => "throttled",
        Err(CallError::Refused { .. }) => "refused",
        Err(CallError::Permanent { .. }) => "rejected",
    };
    histogram!(DURATION, "provider" => provider, "model" => model(), "outcome" => outcome)
        .record(began.elapsed());
    let Ok(usage) = usage else { return };
    for (direction, tokens) in [("in", usage.input_tokens), ("out", usage.output_tokens)] {
        counter!(TOKENS, "provider" => provider, "model" => model(), "direction" => direction)
            .increment(tokens);
    }
}
