//! The heart: what a saga wants next, as a pure function of what happened so far.

use crate::flow::{Divergence, Flow, Halt, Probe, Why};
use crate::journal::{Command, Failure, Journal, Key};
use crate::saga::Saga;
use serde_json::Value;
use std::{panic::AssertUnwindSafe, sync::Arc};
use uuid::Uuid;

/// What one run of the saga's function came to.
#[derive(Debug, PartialEq)]
pub struct Advance {
    /// What happens next.
    pub next: Next,
    /// The word the saga last gave for where it is.
    pub phase: Option<String>,
    /// Whether the point of no return was passed.
    pub pivoted: bool,
    /// Undos that the pivot made void.
    pub disarmed: Vec<Key>,
    /// Timers and waits that lost their race and need not be kept.
    pub released: Vec<Key>,
}

/// What happens next to a saga.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// It waits for answers; these requests are new.
    Going {
        /// In the order in which they were made.
        commands: Vec<Command>,
    },
    /// It is over, and well.
    Done {
        /// What it leaves behind.
        output: Value,
    },
    /// It cannot go on.
    Failed(Failure),
    /// Its code and its journal do not fit: somebody has to look.
    Broken(Broken),
}

/// How a saga's code and its journal do not fit.
#[derive(Debug, PartialEq)]
pub enum Broken {
    /// Under the same key the saga asks for something else than it did.
    Diverged(Box<Divergence>),
    /// The journal holds a request that the saga no longer makes.
    Orphaned(Key),
    /// The saga did not pass a halt up with `?`.
    Swallowed,
    /// The saga ended while a step that it had started was still at work.
    Unjoined(Key),
    /// The stored input, or a stored answer, no longer fits its type; or the saga panicked.
    Unreadable(String),
}

impl Broken {
    /// Both sides, for the person who looks.
    pub fn describe(&self) -> String {
        match self {
            Self::Diverged(found) => format!(
                "diverged at {}: the journal has {:?}, the code asks for {:?}; run the old code under a new kind name",
                found.key, found.recorded, found.asked
            ),
            Self::Orphaned(key) => {
                format!(
                    "orphaned: the journal has {key}, the code no longer asks for it; bring the step back or use a new kind name"
                )
            }
            Self::Swallowed => {
                "swallowed: the saga went on after a halt; pass every halt up with `?`".to_owned()
            }
            Self::Unjoined(key) => format!(
                "unjoined: the saga ended without waiting for {key}; join every started step with `flow.wait`"
            ),
            Self::Unreadable(why) => format!("unreadable: {why}"),
        }
    }
}

/// Runs the saga's function against `journal` and says what it wants next.
pub fn advance<S: Saga>(saga: Uuid, input: &Value, journal: &Arc<Journal>) -> Advance {
    let mut flow = Flow::new(saga, Arc::clone(journal));
    let told = play::<S>(&mut flow, input);
    let next = match told {
        Err(why) => Next::Broken(Broken::Unreadable(why)),
        Ok(told) => judge(&mut flow, journal, told),
    };
    Advance {
        next,
        phase: flow.phase,
        pivoted: flow.pivoted,
        disarmed: flow.disarmed,
        released: flow.released,
    }
}

/// What a saga says about one of its steps, as far as it has come.
#[derive(Debug, PartialEq)]
pub struct Probed {
    /// An answer as the step's type has it, or what does not fit.
    pub fits: Result<Value, String>,
    /// Whether the saga takes the step's failure for a value. Not known, and so not true, of a step
    /// that it waits for only after another.
    pub optional: bool,
}

/// Runs the saga's function against `journal` to learn whether `output` would be an answer of the step
/// `key`, and whether the saga would go on without one.
pub fn probe<S: Saga>(
    saga: Uuid,
    input: &Value,
    journal: &Arc<Journal>,
    (key, output): (Key, Value),
) -> Probed {
    let mut flow = Flow::new(saga, Arc::clone(journal));
    flow.probe = Some(Probe {
        key,
        output,
        fits: None,
        optional: false,
    });
    let told = play::<S>(&mut flow, input);
    let (fits, optional) = match flow.probe.take() {
        Some(probe) => (probe.fits, probe.optional),
        None => (None, false),
    };
    let unasked = || match told {
        Err(why) => Err(why),
        Ok(_) => Err("the saga no longer asks for it".to_owned()),
    };
    Probed {
        fits: fits.unwrap_or_else(unasked),
        optional,
    }
}

/// Runs the function from the top; an error is told in words.
fn play<S: Saga>(flow: &mut Flow, input: &Value) -> Result<Result<Value, Halt>, String> {
    let input = serde_json::from_value(input.clone())
        .map_err(|error| format!("the stored input: {error}"))?;
    std::panic::catch_unwind(AssertUnwindSafe(|| {
        S::run(flow, input)
            .map(|output| serde_json::to_value(output).expect("an output is made of plain data"))
    }))
    .map_err(|panic| format!("the saga panicked: {}", words(panic.as_ref())))
}

fn judge(flow: &mut Flow, journal: &Journal, told: Result<Value, Halt>) -> Next {
    if let Some(found) = flow.diverged.take() {
        return Next::Broken(Broken::Diverged(Box::new(found)));
    }
    if flow.swallowed || (told.is_ok() && flow.halted) {
        return Next::Broken(Broken::Swallowed);
    }
    if let Some(key) = journal.keys().find(|key| !flow.asked.contains(key)) {
        return Next::Broken(Broken::Orphaned(key.clone()));
    }
    match told {
        Ok(output) => match flow.unjoined() {
            Some(key) => Next::Broken(Broken::Unjoined(key)),
            None => Next::Done { output },
        },
        Err(halt) => match halt.0 {
            Why::Diverged(found) => Next::Broken(Broken::Diverged(found)),
            Why::Failed(failure) => Next::Failed(failure),
            Why::Waiting => Next::Going {
                commands: std::mem::take(&mut flow.commands),
            },
        },
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
