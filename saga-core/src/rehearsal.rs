//! Plays a saga in memory with canned answers and tells what happened: for tests.
//!
//! It is the engine's own code that decides here, with nothing but the store left out.

use crate::journal::{Class, Failure};
use crate::kinds::Kinds;
use crate::review::{Decision, Said};
use crate::run::{Answer, Heard, Lease, Role, Run, SagaRow, StepRow};
use crate::saga::{Retry, Saga, Signal, Step};
use crate::state::{SagaState, StepState};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::{marker::PhantomData, time::Duration};
use uuid::Uuid;

type Canned = Box<dyn Fn(Value) -> Result<Value, String>>;

/// Moves after which a play is ended: the saga goes in circles.
const MOVES_MAX: usize = 10_000;

/// A saga about to be played.
pub struct Rehearsal<S: Saga> {
    input: Value,
    answers: BTreeMap<&'static str, Canned>,
    signals: Vec<(&'static str, Value)>,
    said: VecDeque<Said>,
    break_at: Option<usize>,
    twice: bool,
    saga: PhantomData<S>,
}

/// What happened in a play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// One line an event: `did`, `failed`, `undid`, `slept`, `heard`, then how it ended.
    pub lines: Vec<String>,
    /// How it ended.
    pub state: SagaState,
    /// Deeds that were attempted, in order.
    pub deeds: usize,
}

impl<S: Saga> Rehearsal<S> {
    /// A play from this input.
    pub fn of(input: S::Input) -> Self {
        let input = serde_json::to_value(input).expect("an input is made of plain data");
        Self {
            input,
            answers: BTreeMap::new(),
            signals: vec![],
            said: VecDeque::new(),
            break_at: None,
            twice: false,
            saga: PhantomData,
        }
    }

    /// Answers a step.
    #[must_use]
    pub fn answer<T: Step>(
        mut self,
        canned: impl Fn(T) -> Result<T::Output, String> + 'static,
    ) -> Self {
        let canned = move |input| {
            let output = canned(serde_json::from_value(input).map_err(|error| error.to_string())?)?;
            serde_json::to_value(output).map_err(|error| error.to_string())
        };
        self.answers.insert(T::NAME, Box::new(canned));
        self
    }

    /// Answers a child, as the end of its own story.
    #[must_use]
    pub fn child<C: Saga>(
        mut self,
        canned: impl Fn(C::Input) -> Result<C::Output, String> + 'static,
    ) -> Self {
        let canned = move |input| {
            let output = canned(serde_json::from_value(input).map_err(|error| error.to_string())?)?;
            serde_json::to_value(output).map_err(|error| error.to_string())
        };
        self.answers.insert(C::KIND, Box::new(canned));
        self
    }

    /// Sends a signal as soon as the saga waits for one of its name.
    #[must_use]
    pub fn signal<T: Signal>(mut self, signal: T) -> Self {
        self.signals.push((
            T::NAME,
            serde_json::to_value(signal).expect("a signal is made of plain data"),
        ));
        self
    }

    /// Decides the next review; those that nobody decides expire.
    #[must_use]
    pub fn decide(mut self, decision: Decision, notes: &str) -> Self {
        self.said.push_back(Said {
            decision,
            notes: Some(notes.to_owned()),
        });
        self
    }

    /// Breaks the `nth` deed or child (from 0) for good; when the saga parks, its letter is discarded.
    #[must_use]
    pub fn breaking_at(mut self, nth: usize) -> Self {
        self.break_at = Some(nth);
        self
    }

    /// Does every deed and every undo twice, as if the first worker had lost its lease.
    #[must_use]
    pub fn twice(mut self) -> Self {
        self.twice = true;
        self
    }

    /// Plays to the end, or to where only the outside could move it on.
    pub fn play(mut self) -> Story {
        let kinds = Kinds::default().with::<S>();
        let mut now = DateTime::<Utc>::UNIX_EPOCH;
        let mut run = self.first(&kinds, now);
        let (mut lines, mut deeds) = (vec![], 0);
        for _ in 0..MOVES_MAX {
            now += TimeDelta::milliseconds(1);
            for at in run.unborn().collect::<Vec<_>>() {
                run.child_began(at);
            }
            let ready = run
                .steps
                .iter()
                .position(|step| step.state == StepState::Ready);
            if let Some(at) = ready {
                self.act(&mut run, at, &kinds, now, (&mut lines, &mut deeds));
            } else if let Some(at) = next_child(&run) {
                self.end_child(&mut run, at, &kinds, now, (&mut lines, &mut deeds));
            } else if let Some(at) = next_review(&run)
                && let Some(said) = self.said.pop_front()
            {
                let (key, word) = (&run.steps[at].key, said.decision.as_str());
                lines.push(format!("decided {key}: {word}"));
                run.take_said(at, (&said, None), &kinds, now);
            } else if let Some((at, due)) = next_due(&run) {
                now = now.max(due);
                run.wake_step(at, &kinds, now);
                match run.steps[at].role {
                    Role::Timer => lines.push(format!("slept   {}", run.steps[at].key)),
                    Role::Review => lines.push(format!("expired {}", run.steps[at].key)),
                    Role::Work | Role::Undo | Role::Listen | Role::Child => {}
                }
            } else if let Some(at) = self.wanted(&run) {
                let (name, value) = self.signals.remove(at);
                lines.push(format!("heard   {name}"));
                run.take_signal(
                    Heard {
                        id: Uuid::from_u128(lines.len() as u128),
                        name: name.to_owned(),
                        value,
                        by: None,
                    },
                    &kinds,
                    now,
                );
            } else if let (SagaState::Parked, Some(letter)) = (run.saga.state, open_letter(&run)) {
                lines.push(format!(
                    "parked  {}",
                    run.saga
                        .error
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default()
                ));
                if run.discard(letter, "rehearsal", &kinds, now).is_err() {
                    break;
                }
            } else {
                break;
            }
        }
        lines.push(run.saga.state.as_str().to_owned());
        Story {
            lines,
            state: run.saga.state,
            deeds,
        }
    }

    fn first(&self, kinds: &Kinds, now: DateTime<Utc>) -> Run {
        let saga = SagaRow {
            id: Uuid::nil(),
            kind: S::KIND.to_owned(),
            state: SagaState::Queued,
            ending: None,
            input: self.input.clone(),
            output: None,
            error: None,
            owner_id: None,
            request_id: "rehearsal".to_owned(),
            trace: None,
            singleton: None,
            phase: None,
            seq: 0,
            inbox: 0,
            pivoted: false,
            degraded: false,
            letter_id: None,
            replay_of: None,
            parent: None,
            parked_until: None,
            deadline_at: None,
            wake_at: None,
            created_at: now,
            started_at: None,
            updated_at: now,
            finished_at: None,
        };
        let mut run = Run::loaded(saga, vec![], vec![]);
        run.go_on(kinds, now);
        run
    }

    fn act(
        &self,
        run: &mut Run,
        at: usize,
        kinds: &Kinds,
        now: DateTime<Utc>,
        (lines, deeds): (&mut Vec<String>, &mut usize),
    ) {
        let lease = Lease {
            worker: "rehearsal".to_owned(),
            length: Duration::from_secs(30),
        };
        let (key, role, name, input) = {
            let step = &run.steps[at];
            (
                step.key.clone(),
                step.role,
                step.step.clone(),
                step.input.clone(),
            )
        };
        let canned = self.answers.get(name.as_str());
        let mut told = canned.map_or_else(
            || Err(format!("nobody answers {name}")),
            |canned| canned(input.clone()),
        );
        if self.twice {
            told = canned.map_or(told, |canned| canned(input));
            let turn = run.steps[at].turn;
            run.claim(at, turn, &lease, now);
            run.steps[at].wake_at = Some(now);
            run.lease_died(at, kinds, now);
        }
        let verb = if role == Role::Undo {
            ("undid", "failed")
        } else {
            ("did", "failed")
        };
        if role == Role::Work {
            if self.break_at == Some(*deeds) {
                told = Err("broken on purpose".to_owned());
            }
            *deeds += 1;
        }
        let (turn, line) = (
            run.steps[at].turn,
            match &told {
                Ok(value) => format!("{:7} {key} -> {value}", verb.0),
                Err(why) => format!("{:7} {key}: {why}", verb.1),
            },
        );
        lines.push(line);
        run.claim(at, turn, &lease, now);
        let answer = match told {
            Ok(output) => Answer::Done(output),
            Err(message) => Answer::Failed {
                class: Class::Permanent,
                message,
                after: None,
                retry: Retry::NEVER,
            },
        };
        run.settle(at, run.steps[at].epoch, answer, kinds, now);
    }

    fn end_child(
        &self,
        run: &mut Run,
        at: usize,
        kinds: &Kinds,
        now: DateTime<Utc>,
        (lines, deeds): (&mut Vec<String>, &mut usize),
    ) {
        let step = &run.steps[at];
        let (key, name) = (step.key.clone(), step.step.clone());
        let told = if step.is_recalled() {
            lines.push(format!("called back {key}"));
            Err("canceled by its parent".to_owned())
        } else {
            let canned = self.answers.get(name.as_str());
            let told = if self.break_at == Some(*deeds) {
                Err("broken on purpose".to_owned())
            } else {
                let nobody = || Err(format!("nobody answers {name}"));
                canned.map_or_else(nobody, |canned| canned(step.input.clone()))
            };
            *deeds += 1;
            lines.push(match &told {
                Ok(value) => format!("did     {key} -> {value}"),
                Err(why) => format!("failed  {key}: {why}"),
            });
            told
        };
        let end = told.map_err(|message| Failure {
            step: key.clone(),
            class: Class::Permanent,
            message,
        });
        run.child_ended(&key, end, kinds, now);
    }

    fn wanted(&self, run: &Run) -> Option<usize> {
        let open = |name: &str| {
            run.steps.iter().any(|step| {
                step.role == Role::Listen && step.state == StepState::Waiting && step.step == name
            })
        };
        self.signals.iter().position(|(name, _)| open(name))
    }
}

/// The oldest child that has not ended, one that is called back first.
fn next_child(run: &Run) -> Option<usize> {
    let open = |at: &usize| run.steps[*at].is_child_at_work();
    let open = || (0..run.steps.len()).filter(open);
    let recalled = open().find(|at| run.steps[*at].is_recalled());
    recalled.or_else(|| open().next())
}

fn next_review(run: &Run) -> Option<usize> {
    run.steps.iter().position(StepRow::is_open_review)
}

/// The next retry, timer or end of a review; a timer that races a signal waits for the signal's turn.
fn next_due(run: &Run) -> Option<(usize, DateTime<Utc>)> {
    let listening = run
        .steps
        .iter()
        .any(|step| step.role == Role::Listen && step.state == StepState::Waiting);
    let due = |(at, step): (usize, &StepRow)| match (step.role, step.state) {
        (Role::Timer, StepState::Waiting) if listening => None,
        (_, StepState::Retrying) | (Role::Timer | Role::Review, StepState::Waiting) => {
            Some((at, step.wake_at?))
        }
        _ => None,
    };
    run.steps
        .iter()
        .enumerate()
        .filter_map(due)
        .min_by_key(|(_, due)| *due)
}

fn open_letter(run: &Run) -> Option<Uuid> {
    run.steps
        .iter()
        .find_map(|step| step.letter_id)
        .or(run.saga.letter_id)
}

impl Story {
    /// The keys of what was done (or may have been), in order.
    pub fn did(&self) -> Vec<&str> {
        self.verbs(&["did", "failed"])
    }
    /// The keys of what was taken back, in order.
    pub fn undid(&self) -> Vec<&str> {
        self.verbs(&["undid"])
    }
    fn verbs(&self, verbs: &[&str]) -> Vec<&str> {
        let of = |line: &&String| {
            line.split_whitespace()
                .next()
                .is_some_and(|verb| verbs.contains(&verb))
        };
        self.lines
            .iter()
            .filter(of)
            .filter_map(|line| line.split_whitespace().nth(1))
            .map(|word| word.trim_end_matches(':'))
            .collect()
    }
}
