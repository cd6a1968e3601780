//! What one saga once asked and was told, kept in a file, and played to today's code: for tests.
//!
//! Sagas that are open when a process is replaced go on with the new code. Whoever changes a saga is
//! told by its old records whether they could.

use crate::advance::Next;
use crate::journal::{Entry, Failure, Journal, Key, Recorded, State};
use crate::kinds::Kinds;
use crate::run::{Role, Run, StepRow};
use crate::state::StepState;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// What one saga asked and was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Which saga it is.
    pub kind: String,
    /// Its id, which its own ids follow from.
    pub saga: Uuid,
    /// What it was started with.
    pub input: Value,
    /// In the order in which it asked.
    pub requests: Vec<Request>,
    /// What its function came to in the end.
    pub end: End,
}

/// One request, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Name and occurrence.
    pub key: Key,
    /// What it is for.
    pub role: Role,
    /// What was asked.
    pub input: Value,
    /// What was answered; none if the function never heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answered>,
}

/// An answer, and when it came among the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// Position in the order in which answers came.
    pub settled: i64,
    /// The answer itself.
    pub told: Told,
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It is done.
    Done(Value),
    /// It gave up.
    Failed(Failure),
}

/// What a saga's function came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It is over, and well.
    Done(Value),
    /// It could not go on.
    Failed(Failure),
    /// It still waited for answers.
    Open,
}

impl Record {
    /// The record of a saga as the store has it, on its way there: what it took back says nothing.
    pub fn of(run: &Run) -> Self {
        let end = match (&run.saga.output, &run.saga.error) {
            (Some(output), _) => End::Done(output.clone()),
            (None, Some(failure)) => End::Failed(failure.clone()),
            (None, None) => End::Open,
        };
        Self {
            kind: run.saga.kind.clone(),
            saga: run.saga.id,
            input: run.saga.input.clone(),
            requests: run.steps.iter().map(request).collect(),
            end,
        }
    }

    /// Plays the record to the code that `kinds` has for it, answer by answer, as the engine would. An
    /// error tells both sides of where they part.
    pub fn play(&self, kinds: &Kinds) -> Result<(), String> {
        let Some(kind) = kinds.get(&self.kind) else {
            return Err(format!("the code knows no saga of kind {}", self.kind));
        };
        kind.check(&self.input)
            .map_err(|why| format!("the code does not take the recorded input: {why}"))?;
        let answers = self.requests.iter().filter_map(Request::settled);
        let moments: BTreeSet<i64> = answers.chain([0]).collect();
        let (mut asked, mut came_to) = (BTreeSet::new(), End::Open);
        for moment in moments {
            let journal = Arc::new(self.journal(&asked, moment));
            came_to = match kind.advance(self.saga, &self.input, &journal).next {
                Next::Going { commands } => {
                    for command in commands {
                        self.compare(command.key(), &command.recorded())?;
                        asked.insert(command.key().clone());
                    }
                    End::Open
                }
                Next::Done { output } => End::Done(output),
                Next::Failed(failure) => End::Failed(failure),
                Next::Broken(broken) => return Err(broken.describe()),
            };
        }
        if let Some(request) = self.requests.iter().find(|one| !asked.contains(&one.key)) {
            let Request { key, input, .. } = request;
            return Err(format!(
                "at {key}: the record has it, with {input}; the code does not ask for it"
            ));
        }
        if came_to != self.end {
            let was = &self.end;
            return Err(format!(
                "at the end: the record has {was:?}, the code comes to {came_to:?}"
            ));
        }
        Ok(())
    }

    /// What was known at a moment, of that which the code has asked for by then.
    fn journal(&self, asked: &BTreeSet<Key>, moment: i64) -> Journal {
        let mut journal = Journal::default();
        for request in self.requests.iter().filter(|one| asked.contains(&one.key)) {
            let heard = request.answer.as_ref().filter(|one| one.settled <= moment);
            let state = match heard.map(|one| &one.told) {
                Some(Told::Done(output)) => State::Done(output.clone()),
                Some(Told::Failed(failure)) => State::Failed(failure.clone()),
                None => State::Pending,
            };
            let settled = heard.map_or(0, |one| one.settled);
            let recorded = request.recorded();
            let entry = Entry {
                recorded,
                state,
                settled,
            };
            journal.insert(request.key.clone(), entry);
        }
        journal
    }

    fn compare(&self, key: &Key, asks: &Recorded) -> Result<(), String> {
        let Some(request) = self.requests.iter().find(|one| one.key == *key) else {
            return Err(format!(
                "at {key}: the record does not have it, the code asks for {asks:?}"
            ));
        };
        let was = request.recorded();
        if was == *asks {
            return Ok(());
        }
        Err(format!(
            "at {key}: the record has {was:?}, the code asks for {asks:?}"
        ))
    }
}

impl Request {
    fn settled(&self) -> Option<i64> {
        Some(self.answer.as_ref()?.settled)
    }

    fn recorded(&self) -> Recorded {
        self.role.recorded(&self.input)
    }
}

fn request(step: &StepRow) -> Request {
    let told = match (step.role, step.state, &step.output, &step.error) {
        (Role::Undo, ..) => None,
        (_, StepState::Done, Some(output), _) => Some(Told::Done(output.clone())),
        (_, StepState::Failed, _, Some(failure)) => Some(Told::Failed(failure.clone())),
        _ => None,
    };
    let settled = step.settled.unwrap_or(0);
    Request {
        key: step.key.clone(),
        role: step.role,
        input: step.input.clone(),
        answer: told.map(|told| Answered { settled, told }),
    }
}
