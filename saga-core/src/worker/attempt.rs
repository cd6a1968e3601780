//! One attempt at a step: its handler runs, its answer is settled.

use super::pool::Pool;
use crate::handler::{StepContext, StepError};
use crate::run::Answer;
use crate::saga::Retry;
use crate::store::{Claimed, SettleOutcome, Settlement};
use futures_util::FutureExt as _;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// How long a step may go on without a lease: by then the sweeper takes its ticket for lost.
const UNLEASED_MAX: Duration = Duration::from_secs(10);

impl Pool {
    /// Runs a step's handler and settles what it brings. No outcome: nothing could be settled.
    pub(super) async fn attempt(&self, claimed: &Claimed) -> Option<SettleOutcome> {
        if claimed.leased {
            self.attempt_leased(claimed).await
        } else {
            self.attempt_unleased(claimed).await
        }
    }

    async fn attempt_leased(&self, claimed: &Claimed) -> Option<SettleOutcome> {
        let (lease, began) = (self.leases.hold(claimed), Instant::now());
        let answer = tokio::select! {
            answer = self.run_handler(claimed) => answer,
            () = self.stop_now.cancelled() => Answer::Released,
            () = lease.lost.cancelled() => {
                tracing::warn!("The lease was lost; the step is another worker's");
                return Some(SettleOutcome::Fenced);
            }
        };
        if let Answer::Failed { class, message, .. } = &answer {
            tracing::warn!(class = class.as_str(), message, "A step failed");
        }
        self.settle(claimed, answer, began).await
    }

    /// Only an answer counts: after anything else the step is as if nobody had begun it.
    async fn attempt_unleased(&self, claimed: &Claimed) -> Option<SettleOutcome> {
        let began = Instant::now();
        let answer = tokio::select! {
            answer = tokio::time::timeout(UNLEASED_MAX, self.run_handler(claimed)) => answer,
            () = self.stop_now.cancelled() => return None,
        };
        match answer {
            Ok(answer @ Answer::Done(_)) => self.settle(claimed, answer, began).await,
            Ok(Answer::Failed { .. } | Answer::Released | Answer::Away(_)) | Err(_) => {
                Some(SettleOutcome::Overtaken)
            }
        }
    }

    async fn run_handler(&self, claimed: &Claimed) -> Answer {
        let Some(able) = self.handlers.get(&claimed.step).cloned() else {
            let why = format!("this worker has no handler for the step {}", claimed.step);
            return StepError::fail(why).into_answer(Retry::NEVER);
        };
        let cx = StepContext::of(claimed, self.store.clone());
        // A panic is an answer, too.
        let work = AssertUnwindSafe(able.run(claimed.input.clone(), &cx)).catch_unwind();
        work.await.unwrap_or_else(|panic| {
            let why = format!("the handler panicked: {}", said(panic.as_ref()));
            StepError::retry(why).into_answer(able.retry)
        })
    }

    async fn settle(
        &self,
        claimed: &Claimed,
        answer: Answer,
        began: Instant,
    ) -> Option<SettleOutcome> {
        crate::fault::point("step.answered", claimed.key.as_str());
        let able = self.handlers.get(&claimed.step);
        let handed_back = matches!(answer, Answer::Released | Answer::Away(_));
        let go_on = !self.shutdown.is_cancelled();
        let settlement = Settlement {
            saga: claimed.saga,
            key: claimed.key.clone(),
            epoch: claimed.epoch,
            step: claimed.step.clone(),
            recorder: able.map(crate::handler::Able::recorder),
            retry: able.map_or(Retry::NEVER, |able| able.retry),
            answer,
            run_on: go_on.then(|| (self.queue.clone(), self.lease.clone())),
            leased: claimed.leased,
            trace: claimed.trace.clone(),
            seen: claimed.seen.clone(),
        };
        let outcome = self.settler.settle(settlement, &self.stop_now).await;
        match &outcome {
            Some(SettleOutcome::Committed(_)) if !handed_back => self.tally.settled(began),
            Some(SettleOutcome::Fenced) => {
                tracing::warn!("The answer came too late and changed nothing");
            }
            Some(SettleOutcome::Committed(_) | SettleOutcome::Overtaken) | None => {}
        }
        outcome
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it did not say why")
}
