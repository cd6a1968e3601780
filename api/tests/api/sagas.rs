//! Jobs that do as a test says: besides the demos, one that waits at a gate and one that needs it open.

use saga_core::{
    Flow, Halt, Handler, Handlers, Kinds, Queue, Retry, Saga, Signal, Step, StepContext, StepError,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

pub(crate) fn kinds() -> Kinds {
    domain::catalog::kinds().with::<Patient>().with::<Gate>()
}

/// Keeps the gate.
#[derive(Clone, Default)]
pub(crate) struct Gatekeeper(Arc<AtomicBool>);

impl Gatekeeper {
    pub(crate) fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
    pub(crate) fn handlers(&self, handlers: Handlers) -> Handlers {
        handlers.with::<Pass>(self.clone())
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
