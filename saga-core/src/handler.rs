//! The worker's side: who does the work of a step.

mod paid;

pub use paid::{Provider, Reply};

use crate::db::Tx;
use crate::journal::{Class, Key, readable};
use crate::run::Answer;
use crate::saga::{Queue, Retry, Step};
use crate::store::{Claimed, Recorder, Store};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::{collections::BTreeMap, error::Error, future::Future, sync::Arc, time::Duration};
use uuid::Uuid;

type Source = Box<dyn Error + Send + Sync>;

/// The least pause before a step is tried again that the store did not answer.
const AWAY_MIN: Duration = Duration::from_millis(200);

/// How a step went wrong, and so what happens next. There is no `From`: every failure is judged.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct StepError {
    class: Class,
    /// Whether a paid call that ends so surely cost nothing.
    free: bool,
    after: Option<Duration>,
    source: Source,
}

impl StepError {
    /// May work next time: tried again with growing delays.
    pub fn retry(source: impl Into<Source>) -> Self {
        Self {
            class: Class::Transient,
            free: false,
            after: None,
            source: source.into(),
        }
    }
    /// As [`StepError::retry`], but not before `after`.
    pub fn retry_after(source: impl Into<Source>, after: Duration) -> Self {
        Self {
            class: Class::Transient,
            free: false,
            after: Some(after),
            source: source.into(),
        }
    }
    /// The provider asked for patience: tried again after that, and not counted.
    pub fn throttled(source: impl Into<Source>, after: Option<Duration>) -> Self {
        Self {
            class: Class::Throttled,
            free: true,
            after,
            source: source.into(),
        }
    }
    /// The answer was unusable even after a repair: it is set aside and the call made anew.
    pub fn content(source: impl Into<Source>) -> Self {
        Self {
            class: Class::Content,
            free: false,
            after: None,
            source: source.into(),
        }
    }
    /// Will never work: not tried again.
    pub fn fail(source: impl Into<Source>) -> Self {
        Self {
            class: Class::Permanent,
            free: true,
            after: None,
            source: source.into(),
        }
    }

    /// Of a paid call: it never left, so it cost nothing. Otherwise only one that was throttled or failed
    /// for good is taken for turned down; one that was broken off may have been charged for.
    #[must_use]
    pub fn unsent(self) -> Self {
        Self { free: true, ..self }
    }
    /// Of a paid call: it was answered, so it was charged for, though the answer is not kept.
    #[must_use]
    pub fn charged(self) -> Self {
        Self {
            free: false,
            ..self
        }
    }

    /// The store's own trouble, if that is all it is: not the step's fault, and not counted.
    pub(crate) fn of_the_store(self) -> Result<sqlx::Error, Self> {
        let passing = |error: &sqlx::Error| crate::store::is_passing(error);
        match self.source.downcast::<sqlx::Error>() {
            Ok(error) if passing(&error) => Ok(*error),
            Ok(error) => Err(Self {
                source: error,
                ..self
            }),
            Err(source) => Err(Self { source, ..self }),
        }
    }

    pub(crate) fn into_answer(self, retry: Retry) -> Answer {
        Answer::Failed {
            class: self.class,
            message: readable(&chain(self.source.as_ref())),
            after: self.after,
            retry,
        }
    }
}

/// An error with its causes, on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

/// What a handler may know about the attempt it is making, and how it pays for calls.
#[derive(Clone)]
pub struct StepContext {
    /// The saga.
    pub saga: Uuid,
    /// The saga's kind.
    pub kind: String,
    /// The step's key within the saga.
    pub key: Key,
    /// Whose saga it is.
    pub owner_id: Option<Uuid>,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// The request that started the saga: hand it to whatever you call.
    pub request_id: String,
    epoch: i64,
    leased: bool,
    store: Store,
}

/// Which step's rows are being recorded.
#[derive(Debug, Clone)]
pub struct RecordOf {
    /// The saga.
    pub saga: Uuid,
    /// The step's key within the saga.
    pub key: Key,
    /// Whose saga it is.
    pub owner_id: Option<Uuid>,
    /// The transaction's time.
    pub now: DateTime<Utc>,
}

impl StepContext {
    pub(crate) fn of(claimed: &Claimed, store: Store) -> Self {
        Self {
            saga: claimed.saga,
            kind: claimed.kind.clone(),
            key: claimed.key.clone(),
            owner_id: claimed.owner_id,
            attempt: claimed.attempt,
            request_id: claimed.request_id.clone(),
            epoch: claimed.epoch,
            leased: claimed.leased,
            store,
        }
    }

    /// The store, for a handler that reads rows of its domain. Rows are written by `record`.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// How far a handler's work reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Beyond the store, for all anybody knows: the step is claimed before its handler runs, so that
    /// a deed that nobody heard of again can be taken back.
    World,
    /// No further than the store: the handler reads and reckons, and all that it leaves behind is
    /// what `record` writes. Such a step may run before it is claimed; claim and answer are then one
    /// commit. Whatever comes in between, be it a failure, is as if the step had not been begun.
    Store,
}

/// Does the work of one kind of step. Dependencies are its fields.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle the step `{S}`",
    note = "write `impl Handler<{S}> for {Self}`"
)]
pub trait Handler<S: Step>: Send + Sync + 'static {
    /// How far the work reaches. [`Reach::Store`] is faster, and has to be true.
    const REACH: Reach = Reach::World;

    /// Does the work. No transaction is open and it may take minutes; it may be done twice at the
    /// same time, so whatever it leaves outside the store must not mind.
    fn run(
        &self,
        step: S,
        cx: &StepContext,
    ) -> impl Future<Output = Result<S::Output, StepError>> + Send;

    /// Writes the rows that belong to the answer, in the transaction that makes it true.
    fn record(
        &self,
        output: S::Output,
        of: &RecordOf,
        tx: &mut Tx,
    ) -> impl Future<Output = Result<(), StepError>> + Send {
        let _ = (output, of, tx);
        std::future::ready(Ok(()))
    }

    /// As [`Handler::record`], for many answers at once; by default one after the other.
    fn record_all(
        &self,
        outputs: Vec<(RecordOf, S::Output)>,
        tx: &mut Tx,
    ) -> impl Future<Output = Result<(), StepError>> + Send {
        async move {
            for (of, output) in outputs {
                self.record(output, &of, tx).await?;
            }
            Ok(())
        }
    }
}

trait Runnable: Recorder {
    fn run<'a>(
        &'a self,
        input: Value,
        cx: &'a StepContext,
    ) -> BoxFuture<'a, Result<Value, StepError>>;
}

struct Typed<H, S> {
    handler: H,
    step: std::marker::PhantomData<fn() -> S>,
}

impl<S: Step, H: Handler<S>> Runnable for Typed<H, S> {
    fn run<'a>(
        &'a self,
        input: Value,
        cx: &'a StepContext,
    ) -> BoxFuture<'a, Result<Value, StepError>> {
        Box::pin(async move {
            let step = serde_json::from_value(input).map_err(StepError::fail)?;
            let output = self.handler.run(step, cx).await?;
            let output = serde_json::to_value(output).map_err(StepError::fail)?;
            let bytes = output.to_string().len();
            if bytes > crate::run::INPUT_BYTES_MAX {
                return Err(StepError::fail(format!(
                    "the answer is {bytes} bytes; carry ids, not documents"
                )));
            }
            Ok(output)
        })
    }
}

impl<S: Step, H: Handler<S>> Recorder for Typed<H, S> {
    fn record<'a>(
        &'a self,
        outputs: Vec<(RecordOf, Value)>,
        tx: &'a mut Tx,
    ) -> BoxFuture<'a, Result<(), StepError>> {
        Box::pin(async move {
            let typed = |(of, output)| serde_json::from_value(output).map(|output| (of, output));
            let outputs = outputs
                .into_iter()
                .map(typed)
                .collect::<Result<Vec<_>, _>>()
                .map_err(StepError::fail)?;
            self.handler.record_all(outputs, tx).await
        })
    }
}

/// A step that a process can do.
#[derive(Clone)]
pub struct Able {
    /// The queue it comes from.
    pub queue: Queue,
    /// How often and how fast it is tried again.
    pub retry: Retry,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How far its work reaches.
    pub reach: Reach,
    runnable: Arc<dyn Runnable>,
}

impl Able {
    pub(crate) async fn run(&self, input: Value, cx: &StepContext) -> Answer {
        match tokio::time::timeout(self.timeout, self.runnable.run(input, cx)).await {
            Ok(Ok(output)) => Answer::Done(output),
            Ok(Err(error)) => match error.of_the_store() {
                Ok(away) => {
                    tracing::warn!(error = %away, "The store did not answer a step; it is tried again, not counted");
                    Answer::Away(self.retry.delay_first.max(AWAY_MIN))
                }
                Err(error) => error.into_answer(self.retry),
            },
            Err(_) => StepError::retry(format!("timed out after {} s", self.timeout.as_secs()))
                .into_answer(self.retry),
        }
    }
    pub(crate) fn recorder(&self) -> Arc<dyn Recorder> {
        Arc::clone(&self.runnable) as Arc<dyn Recorder>
    }
}

fn reach<S: Step, H: Handler<S>>(_: &H) -> Reach {
    H::REACH
}

/// Every step a process can do, by name.
#[derive(Clone, Default)]
pub struct Handlers(BTreeMap<&'static str, Able>);

impl Handlers {
    /// Adds a handler.
    #[must_use]
    pub fn with<S: Step>(mut self, handler: impl Handler<S>) -> Self {
        let reach = reach(&handler);
        let runnable = Arc::new(Typed {
            handler,
            step: std::marker::PhantomData::<fn() -> S>,
        });
        let able = Able {
            queue: S::QUEUE,
            retry: S::RETRY,
            timeout: S::TIMEOUT,
            reach,
            runnable,
        };
        let twice = self.0.insert(S::NAME, able).is_some();
        assert!(!twice, "two handlers for the step {}", S::NAME);
        self
    }
    /// Finds a handler by its step's name.
    pub fn get(&self, step: &str) -> Option<&Able> {
        self.0.get(step)
    }
    /// Every step that has a handler.
    pub fn steps(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}
