//! Sagas that do nothing, for the benchmark and for operators who want to see one run, or fail.

use crate::queues::{IMAGE, SYNTHESIS};
use saga_core::db::{Sql, Tx};
use saga_core::{Flow, Halt, Queue, RecordOf, Retry, Saga, Step};
use serde::{Deserialize, Serialize};

/// What a demo is started with: nothing, and nothing else is taken.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demo {}

/// Leaves one row, on the synthesis workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Touch {}

impl Step for Touch {
    const NAME: &'static str = "demo.touch";
    const QUEUE: Queue = SYNTHESIS;
    type Output = ();
}

/// Leaves one row, on the image workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TouchImage {}

impl Step for TouchImage {
    const NAME: &'static str = "demo.touch_image";
    const QUEUE: Queue = IMAGE;
    type Output = ();
}

/// Fails for good.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stumble {}

impl Step for Stumble {
    const NAME: &'static str = "demo.stumble";
    const QUEUE: Queue = SYNTHESIS;
    const RETRY: Retry = Retry::NEVER;
    type Output = ();
}

/// `demo.pair`: two steps, one after the other, on one queue.
pub struct DemoPair;

impl Saga for DemoPair {
    const KIND: &'static str = "demo.pair";
    type Input = Demo;
    type Output = ();
    fn run(flow: &mut Flow, _: Demo) -> Result<(), Halt> {
        flow.step(Touch {})?;
        flow.step(Touch {})
    }
}

/// `demo.relay`: two steps, the second on another queue.
pub struct DemoRelay;

impl Saga for DemoRelay {
    const KIND: &'static str = "demo.relay";
    type Input = Demo;
    type Output = ();
    fn run(flow: &mut Flow, _: Demo) -> Result<(), Halt> {
        flow.step(Touch {})?;
        flow.step(TouchImage {})
    }
}

/// `demo.fail`: parks at once, for whoever wants to see a dead letter.
pub struct DemoFail;

impl Saga for DemoFail {
    const KIND: &'static str = "demo.fail";
    type Input = Demo;
    type Output = ();
    fn run(flow: &mut Flow, _: Demo) -> Result<(), Halt> {
        flow.step(Stumble {})
    }
}

const LEAVE: Sql = Sql {
    postgres: "-- demo.leave
        INSERT INTO demo_effects (saga_id, step_key, at)
        SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::timestamptz[]) AS r",
    sqlite: "-- demo.leave
        INSERT INTO demo_effects (saga_id, step_key, at) VALUES ($1, $2, $3)",
};

/// Leaves the rows of many steps with one statement.
pub async fn leave(tx: &mut Tx, steps: &[RecordOf]) -> sqlx::Result<()> {
    tx.batch(LEAVE)
        .column(steps.iter().map(|of| of.saga))
        .column(steps.iter().map(|of| of.key.as_str().to_owned()))
        .column(steps.iter().map(|of| of.now))
        .execute()
        .await
        .map(drop)
}
