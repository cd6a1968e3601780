//! What became true in one transaction, counted once it is committed.

use crate::kinds::Kinds;
use crate::run::{Role, Run, StepRow};
use metrics::{SharedString, counter, histogram};
use std::time::Duration;

const SUBMITTED: &str = "chorus_jobs_submitted_total";
const FINISHED: &str = "chorus_jobs_finished_total";
const JOB_DURATION: &str = "chorus_job_duration_seconds";
const ATTEMPTS: &str = "chorus_step_attempts_total";
const STEP_DURATION: &str = "chorus_step_duration_seconds";
const LETTERS: &str = "chorus_dead_letters_total";
const COMPENSATIONS: &str = "chorus_compensations_total";

/// How a saga ends.
const ENDINGS: [&str; 3] = ["succeeded", "failed", "canceled"];

/// What is to be counted once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Tally(Vec<Fact>);

#[derive(Debug)]
enum Fact {
    Submitted {
        kind: SharedString,
    },
    Finished {
        kind: SharedString,
        outcome: &'static str,
        took: Duration,
    },
    Attempt {
        kind: SharedString,
        step: SharedString,
        outcome: &'static str,
        took: Duration,
    },
    Undone {
        kind: SharedString,
    },
    Letter {
        kind: SharedString,
        step: SharedString,
        code: &'static str,
    },
}

/// Has every counter that a kind alone decides begin at nothing, so that its first rise is seen.
pub fn announce(kinds: &Kinds) {
    for kind in kinds.iter() {
        counter!(SUBMITTED, "kind" => kind.name).increment(0);
        counter!(COMPENSATIONS, "kind" => kind.name).increment(0);
        for outcome in ENDINGS {
            counter!(FINISHED, "kind" => kind.name, "outcome" => outcome).increment(0);
        }
    }
}

impl Tally {
    /// What the changes of these sagas amount to.
    pub(crate) fn of<'r>(runs: impl IntoIterator<Item = &'r Run>, kinds: &Kinds) -> Self {
        let mut tally = Self::default();
        for run in runs {
            tally.add(run, kinds);
        }
        tally
    }

    /// A message that nobody could read.
    pub(crate) fn of_poison() -> Self {
        Self(vec![Fact::Letter {
            kind: SharedString::const_str("none"),
            step: SharedString::const_str("none"),
            code: "poison",
        }])
    }

    fn add(&mut self, run: &Run, kinds: &Kinds) {
        let kind = name_of(run, kinds);
        let mut lost = None;
        for event in &run.events {
            let step = event.step.as_ref();
            let row = || step.and_then(|key| run.find(key)).map(|at| &run.steps[at]);
            match event.name {
                "saga.queued" => self.0.push(Fact::Submitted { kind: kind.clone() }),
                "saga.succeeded" => self.finished(run, &kind, "succeeded"),
                "saga.failed" => self.finished(run, &kind, "failed"),
                "saga.canceled" => self.finished(run, &kind, "canceled"),
                "step.succeeded" => self.attempted(run, &kind, row(), "succeeded"),
                "step.retrying" => self.attempted(run, &kind, row(), "failed"),
                "step.throttled" => self.attempted(run, &kind, row(), "throttled"),
                "step.released" => self.attempted(run, &kind, row(), "released"),
                "step.lost" => {
                    self.attempted(run, &kind, row(), "lost");
                    lost = step;
                }
                // A step whose last worker was lost gives up with that: it is one attempt.
                "step.failed" if lost.is_none() || lost != step => {
                    self.attempted(run, &kind, row(), "failed");
                }
                _ => {}
            }
        }
        for letter in &run.letters {
            let step = letter.step.map(|at| run.steps[at].step.clone());
            self.0.push(Fact::Letter {
                kind: kind.clone(),
                step: step.map_or(SharedString::const_str("none"), SharedString::from),
                code: letter.failure.class.as_str(),
            });
        }
    }

    fn finished(&mut self, run: &Run, kind: &SharedString, outcome: &'static str) {
        let saga = &run.saga;
        let took = saga.finished_at.map(|at| at - saga.created_at);
        self.0.push(Fact::Finished {
            kind: kind.clone(),
            outcome,
            took: took.and_then(|took| took.to_std().ok()).unwrap_or_default(),
        });
    }

    /// Timers and waits are nobody's work.
    fn attempted(
        &mut self,
        run: &Run,
        kind: &SharedString,
        step: Option<&StepRow>,
        outcome: &'static str,
    ) {
        let Some((step, began)) = step.and_then(|step| Some((step, step.started_at?))) else {
            return;
        };
        self.0.push(Fact::Attempt {
            kind: kind.clone(),
            step: step.step.clone().into(),
            outcome,
            took: (run.saga.updated_at - began).to_std().unwrap_or_default(),
        });
        if step.role == Role::Undo && outcome == "succeeded" {
            self.0.push(Fact::Undone { kind: kind.clone() });
        }
    }

    /// Whether there is nothing to count.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts it: the transaction is committed.
    pub(crate) fn count(self) {
        for fact in self.0 {
            fact.count();
        }
    }
}

impl Fact {
    fn count(self) {
        match self {
            Self::Submitted { kind } => counter!(SUBMITTED, "kind" => kind).increment(1),
            Self::Finished {
                kind,
                outcome,
                took,
            } => {
                counter!(FINISHED, "kind" => kind.clone(), "outcome" => outcome).increment(1);
                histogram!(JOB_DURATION, "kind" => kind, "outcome" => outcome).record(took);
            }
            Self::Attempt {
                kind,
                step,
                outcome,
                took,
            } => {
                counter!(ATTEMPTS, "kind" => kind.clone(), "step" => step.clone(), "outcome" => outcome)
                    .increment(1);
                histogram!(STEP_DURATION, "kind" => kind, "step" => step, "outcome" => outcome)
                    .record(took);
            }
            Self::Undone { kind } => counter!(COMPENSATIONS, "kind" => kind).increment(1),
            Self::Letter { kind, step, code } => {
                counter!(LETTERS, "kind" => kind, "step" => step, "code" => code).increment(1);
            }
        }
    }
}

/// A saga's kind as its code spells it; copied only where this program does not know it.
fn name_of(run: &Run, kinds: &Kinds) -> SharedString {
    let known = kinds.get(&run.saga.kind).map(|kind| kind.name);
    known.map_or_else(|| run.saga.kind.clone().into(), SharedString::const_str)
}
