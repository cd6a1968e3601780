//! Jobs that do as a test says: besides the demos, one that waits at a gate and one that needs it open.

use saga_core::{
    Flow, Halt, Handler, Handlers, Kinds, Provider, Queue, Reply, Retry, Review, Saga, Signal,
    Step, StepContext, StepError, Usage,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
pub(crate) struct News;
impl Signal for News {
    const NAME: &'static str = "demo.news";
}

/// Waits for news.
pub(crate) struct Patient;
impl Saga for Patient {
    const KIND: &'static str = "demo.patient";
    type Input = serde_json::Value;
    type Output = String;
    fn run(flow: &mut Flow, _: serde_json::Value) -> Result<String, Halt> {
        flow.phase("waiting");
        flow.signal::<News>()?;
        Ok("heard".to_owned())
    }
}

/// Goes through if the gate is open, and fails for good if it is not.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pass {}
impl Step for Pass {
    const NAME: &'static str = "demo.pass";
    const QUEUE: Queue = domain::queues::SYNTHESIS;
    const RETRY: Retry = Retry::NEVER;
    type Output = String;
}

/// Passes the gate twice.
pub(crate) struct Gate;
impl Saga for Gate {
    const KIND: &'static str = "demo.gate";
    type Input = serde_json::Value;
    type Output = String;
    fn run(flow: &mut Flow, _: serde_json::Value) -> Result<String, Halt> {
        flow.step(Pass {})?;
        flow.step(Pass {})
    }
}

/// Passes the gate if it can, and goes on if it cannot.
pub(crate) struct Spare;
impl Saga for Spare {
    const KIND: &'static str = "demo.spare";
    type Input = serde_json::Value;
    type Output = String;
    fn run(flow: &mut Flow, _: serde_json::Value) -> Result<String, Halt> {
        let passed = flow.attempt(Knock {})?;
        Ok(passed.unwrap_or_else(|failure| failure.message))
    }
}

/// Goes through if the gate is open, and comes again in an hour if it is not.
#[derive(Serialize, Deserialize)]
pub(crate) struct Knock {}
impl Step for Knock {
    const NAME: &'static str = "demo.knock";
    const QUEUE: Queue = domain::queues::SYNTHESIS;
    const RETRY: Retry = Retry {
        attempts_max: 9,
        delay_first: Duration::from_hours(1),
        delay_max: Duration::from_hours(1),
    };
    type Output = String;
}

/// Stands before the gate until it is open.
#[derive(Serialize, Deserialize)]
pub(crate) struct Linger {}
impl Step for Linger {
    const NAME: &'static str = "demo.linger";
    const QUEUE: Queue = domain::queues::SYNTHESIS;
    type Output = u32;
}

/// Stands before the gate, and then passes it.
pub(crate) struct Visit;
impl Saga for Visit {
    const KIND: &'static str = "demo.visit";
    const DEADLINE: Option<Duration> = Some(Duration::from_hours(1));
    type Input = serde_json::Value;
    type Output = u32;
    fn run(flow: &mut Flow, _: serde_json::Value) -> Result<u32, Halt> {
        let waited = flow.step(Linger {})?;
        flow.step(Pass {})?;
        Ok(waited)
    }
}

/// Pays, and then passes the gate if it is open; fails for good if it is not.
#[derive(Serialize, Deserialize)]
pub(crate) struct Buy {}
impl Step for Buy {
    const NAME: &'static str = "demo.buy";
    const QUEUE: Queue = domain::queues::SYNTHESIS;
    const RETRY: Retry = Retry::NEVER;
    type Output = String;
}

/// Buys something.
pub(crate) struct Shop;
impl Saga for Shop {
    const KIND: &'static str = "demo.shop";
    type Input = serde_json::Value;
    type Output = String;
    fn run(flow: &mut Flow, _: serde_json::Value) -> Result<String, Halt> {
        flow.step(Buy {})
    }
}

/// What a strict saga is started with.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Order {
    owner: String,
    cups: u32,
}

impl Default for Order {
    fn default() -> Self {
        let owner = "ana".to_owned();
        Self { owner, cups: 1 }
    }
}

/// Passes the gate, for its owner alone.
pub(crate) struct Strict;
impl Saga for Strict {
    const KIND: &'static str = "demo.strict";
    const LOCKED: &'static [&'static str] = &["owner"];
    type Input = Order;
    type Output = String;
    fn run(flow: &mut Flow, _: Order) -> Result<String, Halt> {
        flow.step(Pass {})
    }
}

/// How a draft is reviewed.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Draft {
    decider: Option<uuid::Uuid>,
    four_eyes: bool,
}

/// Asks people about something, as often as they want it made again.
pub(crate) struct Drafted;
impl Saga for Drafted {
    const KIND: &'static str = "demo.draft";
    type Input = Option<Draft>;
    type Output = String;
    fn run(flow: &mut Flow, draft: Option<Draft>) -> Result<String, Halt> {
        let draft = draft.unwrap_or_default();
        let made = flow.reviewed("look", |_, notes| {
            let made = notes.unwrap_or("first").to_owned();
            let mut review = Review::of("draft", &made, "rounds.review").titled("A draft");
            review.decider = draft.decider;
            review.four_eyes = draft.four_eyes;
            Ok((made, review))
        })?;
        Ok(made.unwrap_or_else(|said| said.decision.as_str().to_owned()))
    }
}

/// Has two others wait for news.
pub(crate) struct Family;
impl Saga for Family {
    const KIND: &'static str = "demo.family";
    type Input = serde_json::Value;
    type Output = Vec<String>;
    fn run(flow: &mut Flow, _: serde_json::Value) -> Result<Vec<String>, Halt> {
        let inputs = [serde_json::Value::Null, serde_json::Value::Null];
        flow.children::<Patient>(inputs)?.all(flow)
    }
}

pub(crate) fn kinds() -> Kinds {
    let kinds = domain::catalog::kinds().with::<Patient>().with::<Gate>();
    let kinds = kinds.with::<Spare>().with::<Visit>().with::<Strict>();
    kinds.with::<Shop>().with::<Drafted>().with::<Family>()
}

/// Keeps the gate.
#[derive(Clone, Default)]
pub(crate) struct Gatekeeper(Arc<AtomicBool>);

impl Gatekeeper {
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
    pub(crate) fn handlers(&self, handlers: Handlers) -> Handlers {
        let handlers = handlers.with::<Pass>(self.clone());
        handlers
            .with::<Knock>(self.clone())
            .with::<Linger>(self.clone())
            .with::<Buy>(self.clone())
    }
}

impl Handler<Pass> for Gatekeeper {
    async fn run(&self, _: Pass, _: &StepContext) -> Result<String, StepError> {
        if self.0.load(Ordering::SeqCst) {
            Ok("passed".to_owned())
        } else {
            Err(StepError::retry("the gate is closed"))
        }
    }
}

impl Handler<Knock> for Gatekeeper {
    async fn run(&self, _: Knock, cx: &StepContext) -> Result<String, StepError> {
        Handler::<Pass>::run(self, Pass {}, cx).await
    }
}

impl Handler<Linger> for Gatekeeper {
    async fn run(&self, _: Linger, _: &StepContext) -> Result<u32, StepError> {
        while !self.0.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(1)
    }
}

impl Handler<Buy> for Gatekeeper {
    async fn run(&self, _: Buy, cx: &StepContext) -> Result<String, StepError> {
        let till = Provider {
            name: "till",
            model: "one",
            purpose: "drill",
            request_hash: "tea".to_owned(),
            most: Usage::default(),
            idempotent: false,
        };
        let tea = Reply {
            raw: b"tea".to_vec(),
            usage: Usage::default(),
            patience: None,
        };
        let answer = |_| std::future::ready(Ok(tea));
        cx.effect("pay", till, answer).await?;
        Handler::<Pass>::run(self, Pass {}, cx).await
    }
}
