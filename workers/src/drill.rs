//! Does the steps of the crash suite's saga, and leaves a row for each time it did one. No release
//! has it.

use domain::drill::{Deed, Did, Paint, Pay, Task, Undo, Unpaint};
use saga_core::db::Tx;
use saga_core::{
    Handler, Handlers, Provider, Reach, RecordOf, Reply, Step, StepContext, StepError, Usage,
};
use std::time::Duration;

const CALL_MAX: Duration = Duration::from_secs(10);
/// Memory that a hungry deed takes at once, and how often at most.
const PIECE_BYTES: usize = 256 << 20;
const PIECES_MAX: usize = 256;
const RECORD: &str = "-- drill.record
    INSERT INTO drill_effects (saga_id, name) VALUES ($1, $2)";

/// Does everything that a drill asks for.
#[derive(Clone)]
struct Driller {
    http: reqwest::Client,
    /// Where the harness plays the provider and the gatekeeper.
    harness: String,
}

/// The drill's handlers, if this process is told where the harness is.
#[must_use]
pub fn handlers(to: Handlers) -> Handlers {
    let Ok(harness) = std::env::var("CHORUS_DRILL") else {
        return to;
    };
    let driller = Driller {
        http: reqwest::Client::new(),
        harness,
    };
    to.with::<Deed>(driller.clone())
        .with::<Pay>(driller.clone())
        .with::<Paint>(driller.clone())
        .with::<Undo>(driller.clone())
        .with::<Unpaint>(driller)
}

impl Driller {
    async fn work(&self, task: Task, cx: &StepContext) -> Result<Did, StepError> {
        tokio::time::sleep(Duration::from_millis(task.work_ms)).await;
        if task.hungry {
            starve()?;
        }
        if task.flaky && cx.attempt == 1 {
            return Err(StepError::retry("the first time it never works"));
        }
        if task.fail {
            return Err(StepError::fail("it was told to fail"));
        }
        if task.gated {
            self.gate(&task.name, cx).await?;
        }
        Ok(Did { name: task.name })
    }

    async fn gate(&self, name: &str, cx: &StepContext) -> Result<(), StepError> {
        let url = format!(
            "{}/gate/{}/{}",
            self.harness,
            cx.saga,
            name.replace(' ', "-")
        );
        let answer = self
            .http
            .get(url)
            .timeout(CALL_MAX)
            .send()
            .await
            .map_err(StepError::retry)?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(StepError::fail("its gate is closed"))
        }
    }

    async fn pay(&self, key: String, cx: &StepContext) -> Result<Reply, StepError> {
        let sent = self
            .http
            .post(format!("{}/pay/{}", self.harness, cx.saga))
            .header("idempotency-key", key)
            .header("x-process", std::process::id())
            .header("x-decided", chrono::Utc::now().timestamp_micros())
            .timeout(CALL_MAX)
            .send();
        let answer = sent
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(StepError::retry)?;
        Ok(Reply {
            raw: answer.bytes().await.map_err(StepError::retry)?.to_vec(),
            usage: Usage::default(),
            patience: None,
        })
    }
}

/// Takes memory, of which nothing is written to, until this process may have no more, which ends it.
fn starve() -> Result<(), StepError> {
    let mut held: Vec<Vec<u8>> = vec![];
    while held.len() < PIECES_MAX {
        held.push(std::hint::black_box(Vec::with_capacity(PIECE_BYTES)));
    }
    Err(StepError::fail("nobody limits the memory of this process"))
}

async fn record(did: Did, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
    tx.query(RECORD)
        .bind(of.saga)
        .bind(did.name)
        .execute()
        .await
        .map(drop)
        .map_err(StepError::retry)
}

impl Handler<Pay> for Driller {
    async fn run(&self, step: Pay, cx: &StepContext) -> Result<Did, StepError> {
        let did = self.work(step.0, cx).await?;
        let provider = Provider {
            name: "drill",
            model: "drill",
            purpose: "drill",
            request_hash: String::new(),
            most: Usage::default(),
            idempotent: false,
        };
        cx.effect("charge", provider, |key| self.pay(key, cx))
            .await?;
        Ok(did)
    }
    async fn record(
        &self,
        did: <Pay as Step>::Output,
        of: &RecordOf,
        tx: &mut Tx,
    ) -> Result<(), StepError> {
        record(did, of, tx).await
    }
}

macro_rules! plain {
    ($($step:ident: $reach:ident),*) => {$(
        impl Handler<$step> for Driller {
            const REACH: Reach = Reach::$reach;

            async fn run(&self, step: $step, cx: &StepContext) -> Result<Did, StepError> {
                self.work(step.0, cx).await
            }
            async fn record(&self, did: Did, of: &RecordOf, tx: &mut Tx) -> Result<(), StepError> {
                record(did, of, tx).await
            }
        }
    )*};
}
// What a gate is asked changes nothing there, so the synthesis workers' deeds may do without a lease.
plain!(Deed: Store, Undo: Store, Paint: World, Unpaint: World);
