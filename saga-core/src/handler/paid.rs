//! How a step pays for calls: written down before they are made, answered before they are read.

use super::{StepContext, StepError};
use crate::journal::Class;
use crate::retry::Reconnect;
use crate::store::{Ask, Closed, Effect, EffectKey, OverBudget, is_passing};
use crate::trace;
use crate::usage::Usage;
use std::time::Duration;
use tracing::field::Empty;

/// Who is asked for what, for the journal of paid calls.
#[derive(Debug, Clone)]
pub struct Provider<'a> {
    /// Its name.
    pub name: &'a str,
    /// The model.
    pub model: &'a str,
    /// What the answer is for, in a word of the books.
    pub purpose: &'a str,
    /// Tells requests apart without keeping them: like requests, written in the same way, have the same.
    pub request_hash: String,
    /// The most that the answer can be charged for.
    pub most: Usage,
    /// Whether whoever asks the same within the hour may be given the same answer, which is then not paid
    /// for. Not for what is to be written anew each time.
    pub idempotent: bool,
}

/// What a provider answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// As it came, unread.
    pub raw: Vec<u8>,
    /// What it was charged for, as far as it says.
    pub usage: Usage,
    /// How long the provider asks everybody to wait from now on, since its limits are used up.
    pub patience: Option<Duration>,
}

impl StepContext {
    /// Makes a call that costs money, at most once for each answer that is kept: the call is written
    /// down before it is made, its raw answer before it is read. A crash after that reuses the
    /// answer; a crash before it makes the call once more, with the same idempotency key.
    pub async fn effect<F, Fut>(
        &self,
        name: &str,
        provider: Provider<'_>,
        call: F,
    ) -> Result<Vec<u8>, StepError>
    where
        F: FnOnce(String) -> Fut,
        Fut: Future<Output = Result<Reply, StepError>>,
    {
        if !self.leased {
            let why = "a paid call reaches further than the store: the step is to be claimed first";
            return Err(StepError::retry(why));
        }
        let ask = Ask {
            key: EffectKey {
                saga: self.saga,
                step: self.key.clone(),
                epoch: self.epoch,
                name: name.to_owned(),
            },
            kind: &self.kind,
            owner_id: self.owner_id,
            provider,
        };
        let at = self.key.as_str();
        match self.store.dispatch(&ask).await {
            Err(error) => Err(StepError::retry(error)),
            Ok(Effect::Fenced) => Err(StepError::retry("the lease is another worker's by now")),
            Ok(Effect::Answered(answer)) => Ok(answer),
            Ok(Effect::OverBudget(over)) => Err(StepError::over_budget(over)),
            Ok(Effect::Closed(Closed { pause, message })) => {
                Err(StepError::throttled(message, Some(pause)))
            }
            Ok(Effect::Dispatch {
                round,
                idempotency_key,
                held,
            }) => {
                crate::fault::point("effect.dispatched", at);
                let reply = match told(&ask, call(idempotency_key)).await {
                    Ok(reply) => reply,
                    Err(error) => {
                        self.missed(&ask, held.then_some(round), &error).await;
                        return Err(error);
                    }
                };
                crate::fault::point("effect.answered", at);
                self.keep(&ask, round, &reply)
                    .await
                    .map_err(StepError::retry)?;
                crate::fault::point("effect.stored", at);
                noted(self.store.call_answered(&ask.provider).await);
                if let Some(patience) = reply.patience {
                    noted(self.store.call_throttled(&ask.provider, patience).await);
                }
                Ok(reply.raw)
            }
        }
    }

    /// Keeps an answer that is paid for. While the store is away it stays in hand, as long as the step may
    /// take: the call is not made again for that.
    async fn keep(&self, ask: &Ask<'_>, round: i64, reply: &Reply) -> sqlx::Result<()> {
        let mut pauses = Reconnect::default();
        loop {
            match self.store.answered(ask, round, reply).await {
                Err(error) if is_passing(&error) => {
                    tracing::warn!(%error, "A paid answer could not be stored; trying again");
                    tokio::time::sleep(pauses.pause()).await;
                }
                done => return done,
            }
        }
    }

    /// Tells the others what came of a call without an answer, and lets them spend what it did not.
    async fn missed(&self, ask: &Ask<'_>, held: Option<i64>, error: &StepError) {
        let provider = &ask.provider;
        if let (Class::Throttled, Some(patience)) = (error.class, error.after) {
            noted(self.store.call_throttled(provider, patience).await);
        }
        match error.class {
            Class::Transient => noted(self.store.call_failed(provider).await),
            // Who turns a call down is there.
            Class::Throttled | Class::Content | Class::Permanent => {
                noted(self.store.call_answered(provider).await);
            }
            Class::OverBudget | Class::Poison | Class::Diverged | Class::Verdict => {}
        }
        // All else stays aside, and counts as spent when the call is made again or forgotten.
        if let Some(round) = held.filter(|_| error.free) {
            noted(self.store.let_go(ask, round).await);
        }
    }
}

/// Makes a call in a span, named as OpenTelemetry names calls of models. What is asked and answered is not in it.
async fn told(
    ask: &Ask<'_>,
    call: impl Future<Output = Result<Reply, StepError>>,
) -> Result<Reply, StepError> {
    let provider = &ask.provider;
    let span = tracing::info_span!(
        "model.call",
        gen_ai.system = provider.name,
        gen_ai.request.model = provider.model,
        purpose = provider.purpose,
        effect = ask.key.name,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        trace_id = Empty
    );
    let reply = trace::follow(span.clone(), trace::current(), call).await;
    if let Ok(Reply { usage, .. }) = &reply {
        span.record("gen_ai.usage.input_tokens", usage.input_tokens);
        span.record("gen_ai.usage.output_tokens", usage.output_tokens);
    }
    reply
}

/// The step goes on without: its next try notes it again, and the sweeper counts what is set aside as spent.
fn noted(done: sqlx::Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "What came of a call of a model could not be noted");
    }
}

impl StepError {
    /// A cap is in the way: tried again when there may be money, and not counted.
    fn over_budget(over: OverBudget) -> Self {
        Self {
            class: Class::OverBudget,
            free: true,
            after: over.pause.to_std().ok(),
            source: over.message.into(),
        }
    }
}
