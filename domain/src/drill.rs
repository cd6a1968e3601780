//! The saga that the crash suite sends through its faults: two queues, a paid call, steps side by
//! side, a point of no return, and an undo for every deed. No release has it.

use crate::queues::{IMAGE, SYNTHESIS};
use saga_core::{Flow, Halt, Queue, Retry, Saga, Step};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Quick retries: a crash suite has no time.
const RETRY: Retry = Retry {
    attempts_max: 6,
    delay_first: Duration::from_millis(50),
    delay_max: Duration::from_millis(400),
};

/// How a trip goes. Deeds are called `a` to `f`, their undos `undo a` to `undo f`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trip {
    /// Which fail for good.
    pub fail: Vec<String>,
    /// Which fail for good until the harness opens their gate.
    pub gated: Vec<String>,
    /// Which fail the first time they are tried.
    pub flaky: Vec<String>,
    /// Whether the saga may do without `e`.
    pub optional: bool,
    /// Whether there is only forward before `f`.
    pub pivot: bool,
    /// Which take all the memory that there is.
    pub hungry: Vec<String>,
    /// How long each takes.
    pub work_ms: u64,
}

/// What one deed, or one undo, does.
#[expect(
    clippy::struct_excessive_bools,
    reason = "troubles that have nothing to do with each other"
)]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// `a`, `undo a`.
    pub name: String,
    /// How long it takes.
    pub work_ms: u64,
    /// Whether it fails for good.
    pub fail: bool,
    /// Whether the harness is asked first.
    pub gated: bool,
    /// Whether the first attempt fails.
    pub flaky: bool,
    /// Whether it takes all the memory that there is.
    #[serde(default)]
    pub hungry: bool,
}

/// What a deed leaves behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Did {
    /// Its name.
    pub name: String,
}

macro_rules! steps {
    ($($(#[$doc:meta])* $step:ident, $name:literal, $queue:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct $step(
            /// What to do.
            pub Task,
        );
        impl Step for $step {
            const NAME: &'static str = $name;
            const QUEUE: Queue = $queue;
            const RETRY: Retry = RETRY;
            type Output = Did;
        }
    )*};
}

steps! {
    /// A deed of the synthesis workers: `a`, `d`, `f`.
    Deed, "drill.deed", SYNTHESIS;
    /// A deed that costs money: `b`.
    Pay, "drill.pay", SYNTHESIS;
    /// A deed of the image workers: `c`, `e`.
    Paint, "drill.paint", IMAGE;
    /// Takes back a deed or a payment.
    Undo, "drill.undo", SYNTHESIS;
    /// Takes back a picture.
    Unpaint, "drill.unpaint", IMAGE;
}

/// There and back again: a → b → c and d side by side → e → f.
pub struct DrillTrip;

impl Saga for DrillTrip {
    // Of the kinds that anybody may start, where they are switched on.
    const KIND: &'static str = "demo.drill";
    type Input = Trip;
    type Output = ();
    fn run(flow: &mut Flow, trip: Trip) -> Result<(), Halt> {
        flow.undo_with(Undo(trip.undo("a")));
        flow.step(Deed(trip.task("a")))?;
        flow.undo_with(Undo(trip.undo("b")));
        flow.step(Pay(trip.task("b")))?;
        flow.undo_with(Unpaint(trip.undo("c")));
        let c = flow.start(Paint(trip.task("c")))?;
        flow.undo_with(Undo(trip.undo("d")));
        let d = flow.start(Deed(trip.task("d")))?;
        flow.wait(c)?;
        flow.wait(d)?;
        flow.undo_with(Unpaint(trip.undo("e")));
        if trip.optional {
            // Without it the saga is degraded, not failed.
            drop(flow.attempt(Paint(trip.task("e")))?);
        } else {
            flow.step(Paint(trip.task("e")))?;
        }
        if trip.pivot {
            flow.pivot();
        } else {
            flow.undo_with(Undo(trip.undo("f")));
        }
        flow.step(Deed(trip.task("f")))?;
        Ok(())
    }
}

impl Trip {
    fn task(&self, name: &str) -> Task {
        let among = |names: &[String]| names.iter().any(|one| one == name);
        Task {
            name: name.to_owned(),
            work_ms: self.work_ms,
            fail: among(&self.fail),
            gated: among(&self.gated),
            flaky: among(&self.flaky),
            hungry: among(&self.hungry),
        }
    }

    fn undo(&self, name: &str) -> Task {
        self.task(&format!("undo {name}"))
    }
}
