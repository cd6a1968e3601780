//! The one object a saga talks to.

mod children;
mod reviews;

pub use children::{Child, Children};

use crate::journal::{Class, Command, Dispatch, Failure, Journal, Key, Recorded, State};
use crate::saga::{Signal, Step};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::{marker::PhantomData, sync::Arc, time::Duration};
use uuid::Uuid;

/// Why a saga stopped before its end. Only a [`Flow`] makes one: pass it up with `?`.
#[derive(Debug)]
#[must_use = "pass it up with `?`: a saga that swallows a halt is parked"]
pub struct Halt(pub(crate) Why);

#[derive(Debug)]
pub(crate) enum Why {
    Waiting,
    Failed(Failure),
    Diverged(Box<Divergence>),
}

/// The saga asked for something else than last time under the same key.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The request that differs.
    pub key: Key,
    /// What the journal holds.
    pub recorded: Recorded,
    /// What the saga asks for now.
    pub asked: Recorded,
}

/// A step that is under way; [`Flow::wait`] brings its answer.
#[must_use = "a started step is joined by `flow.wait(started)?`"]
pub struct Started<S> {
    key: Key,
    step: PhantomData<fn() -> S>,
}

/// The saga's view of itself: every call answers from the journal, or halts until it can.
pub struct Flow {
    saga: Uuid,
    journal: Arc<Journal>,
    ordinals: BTreeMap<&'static str, u32>,
    pub(crate) asked: BTreeSet<Key>,
    pub(crate) commands: Vec<Command>,
    armed: Vec<Key>,
    pub(crate) disarmed: Vec<Key>,
    pub(crate) released: Vec<Key>,
    pub(crate) pivoted: bool,
    pub(crate) phase: Option<String>,
    pub(crate) diverged: Option<Divergence>,
    pub(crate) halted: bool,
    pub(crate) swallowed: bool,
    pub(crate) probe: Option<Probe>,
}

/// A question about one step: what would its answer have to be, and does the saga go on without?
pub(crate) struct Probe {
    /// The step.
    pub(crate) key: Key,
    /// What would be its answer.
    pub(crate) output: Value,
    /// That answer as its type has it, or what does not fit; none as long as nobody asked for the step.
    pub(crate) fits: Option<Result<Value, String>>,
    /// Whether its failure is a value.
    pub(crate) optional: bool,
}

impl Probe {
    fn judge<S: Step>(&mut self) {
        let read = serde_json::from_value::<S::Output>(self.output.clone());
        let fits = read.and_then(|output| serde_json::to_value(&output));
        self.fits = Some(fits.map_err(|error| error.to_string()));
    }
}

impl Flow {
    pub(crate) fn new(saga: Uuid, journal: Arc<Journal>) -> Self {
        Self {
            saga,
            journal,
            ordinals: BTreeMap::new(),
            asked: BTreeSet::new(),
            commands: vec![],
            armed: vec![],
            disarmed: vec![],
            released: vec![],
            pivoted: false,
            phase: None,
            diverged: None,
            halted: false,
            swallowed: false,
            probe: None,
        }
    }

    /// Runs one step and waits for its answer. If the step gives up, the saga fails.
    pub fn step<S: Step>(&mut self, step: S) -> Result<S::Output, Halt> {
        let started = self.start(step)?;
        self.wait(started)
    }

    /// Runs one step whose failure is a value: the saga goes on without it, degraded.
    pub fn attempt<S: Step>(&mut self, step: S) -> Result<Result<S::Output, Failure>, Halt> {
        let started = self.start(step)?;
        self.try_wait(started)
    }

    /// Starts a step without waiting, so that unlike steps run side by side.
    pub fn start<S: Step>(&mut self, step: S) -> Result<Started<S>, Halt> {
        let key = self.next(S::NAME);
        let dispatch = dispatch(key.clone(), &step);
        if let Some(probe) = self.probed(&key) {
            probe.judge::<S>();
        }
        self.ask(Command::Dispatch(dispatch));
        self.open()?;
        Ok(Started {
            key,
            step: PhantomData,
        })
    }

    /// Waits for a started step. If the step gave up, the saga fails.
    pub fn wait<S: Step>(&mut self, started: Started<S>) -> Result<S::Output, Halt> {
        match self.answer(started)? {
            Ok(output) => Ok(output),
            Err(failure) => Err(self.halt(Why::Failed(failure))),
        }
    }

    /// Waits for a started step whose failure is a value.
    pub fn try_wait<S: Step>(
        &mut self,
        started: Started<S>,
    ) -> Result<Result<S::Output, Failure>, Halt> {
        if let Some(probe) = self.probed(&started.key) {
            probe.optional = true;
        }
        self.answer(started)
    }

    fn answer<S: Step>(&mut self, started: Started<S>) -> Result<Result<S::Output, Failure>, Halt> {
        self.open()?;
        match self
            .journal
            .get(&started.key)
            .map(|entry| entry.state.clone())
        {
            Some(State::Done(value)) => Ok(Ok(decode(value))),
            Some(State::Failed(failure)) => Ok(Err(failure)),
            Some(State::Pending) | None => Err(self.halt(Why::Waiting)),
        }
    }

    /// Runs like steps side by side and waits for every one of them.
    pub fn all<S: Step>(
        &mut self,
        steps: impl IntoIterator<Item = S>,
    ) -> Result<Vec<S::Output>, Halt> {
        let started = steps
            .into_iter()
            .map(|step| self.start(step))
            .collect::<Result<Vec<_>, _>>()?;
        started.into_iter().map(|one| self.wait(one)).collect()
    }

    /// Lets time pass, by the store's clock.
    pub fn sleep(&mut self, after: Duration) -> Result<(), Halt> {
        let key = self.next("timer");
        self.ask(Command::Timer {
            key: key.clone(),
            after,
        });
        self.open()?;
        match self.settled(&key) {
            Some(_) => Ok(()),
            None => Err(self.halt(Why::Waiting)),
        }
    }

    /// Waits for news from outside, however long it takes.
    pub fn signal<S: Signal>(&mut self) -> Result<S, Halt> {
        let key = self.next(S::NAME);
        self.ask(Command::Listen {
            key: key.clone(),
            signal: S::NAME,
        });
        self.open()?;
        match self.heard(&key) {
            Some(news) => Ok(decode(news)),
            None => Err(self.halt(Why::Waiting)),
        }
    }

    /// Waits for news from outside, but no longer than `limit`; what came first wins for ever.
    pub fn signal_within<S: Signal>(&mut self, limit: Duration) -> Result<Option<S>, Halt> {
        let (news, alarm) = (self.next(S::NAME), self.next("timer"));
        self.ask(Command::Listen {
            key: news.clone(),
            signal: S::NAME,
        });
        self.ask(Command::Timer {
            key: alarm.clone(),
            after: limit,
        });
        self.open()?;
        let heard_first = match (self.settled(&news), self.settled(&alarm)) {
            (None, None) => return Err(self.halt(Why::Waiting)),
            (Some(heard), Some(rang)) => heard < rang,
            (heard, _) => heard.is_some(),
        };
        self.released
            .push(if heard_first { alarm } else { news.clone() });
        Ok(if heard_first {
            self.heard(&news).map(decode)
        } else {
            None
        })
    }

    /// Writes down how to take back what comes next, before it happens. If the saga fails later,
    /// undos run newest first, for every deed that happened or may have.
    pub fn undo_with<S: Step>(&mut self, step: S) {
        let key = self.next(S::NAME);
        self.ask(Command::Arm(dispatch(key.clone(), &step)));
        self.armed.push(key);
    }

    /// From here on there is only forward: nothing before this point is ever undone.
    pub fn pivot(&mut self) {
        if !self.halted {
            self.pivoted = true;
            self.disarmed.append(&mut self.armed);
        }
    }

    /// Chooses an id that is the same on every replay: choose it before the deed, so that the deed
    /// can be undone.
    pub fn id(&mut self, name: &'static str) -> Uuid {
        let key = self.next(name);
        Uuid::new_v5(&self.saga, key.as_str().as_bytes())
    }

    /// Ends the saga as failed, for a reason that the saga itself decides.
    pub fn fail<T>(&mut self, reason: impl Into<String>) -> Result<T, Halt> {
        self.open()?;
        let step = self.next("verdict");
        Err(self.halt(Why::Failed(Failure {
            step,
            class: Class::Verdict,
            message: reason.into(),
        })))
    }

    /// Says in one word where the saga is, for its status.
    pub fn phase(&mut self, word: &'static str) {
        if !self.halted {
            self.phase = Some(word.to_owned());
        }
    }

    fn probed(&mut self, key: &Key) -> Option<&mut Probe> {
        self.probe.as_mut().filter(|probe| probe.key == *key)
    }

    fn next(&mut self, name: &'static str) -> Key {
        let ordinal = self.ordinals.entry(name).or_default();
        *ordinal += 1;
        Key::nth(name, *ordinal)
    }

    /// Asks for `command` unless the journal already holds it; holding another is a divergence.
    fn ask(&mut self, command: Command) {
        if self.halted {
            self.swallowed = true;
            return;
        }
        let key = command.key().clone();
        match self.journal.get(&key) {
            None => self.commands.push(command),
            Some(entry) if entry.recorded == command.recorded() => {}
            Some(entry) => {
                let found = Divergence {
                    key: key.clone(),
                    recorded: entry.recorded.clone(),
                    asked: command.recorded(),
                };
                self.diverged.get_or_insert(found);
            }
        }
        self.asked.insert(key);
    }

    /// Halts where the story no longer fits the journal.
    fn open(&mut self) -> Result<(), Halt> {
        if self.halted {
            self.swallowed = true;
            return Err(Halt(Why::Waiting));
        }
        match self.diverged.clone() {
            Some(divergence) => Err(self.halt(Why::Diverged(Box::new(divergence)))),
            None => Ok(()),
        }
    }

    /// A step or child that was started, is not let go, and has no answer yet.
    pub(crate) fn unjoined(&self) -> Option<Key> {
        let unanswered = self.asked.iter().find(|key| {
            let entry = self.journal.get(key);
            entry.is_some_and(|entry| {
                let joined = matches!(
                    entry.recorded,
                    Recorded::Work { .. } | Recorded::Child { .. }
                );
                joined && entry.state == State::Pending && !self.released.contains(key)
            })
        });
        let unsent = self.commands.iter().find_map(|command| match command {
            Command::Dispatch(dispatch) => Some(&dispatch.key),
            Command::Child { key, .. } => Some(key),
            Command::Arm(_)
            | Command::Timer { .. }
            | Command::Listen { .. }
            | Command::Review { .. } => None,
        });
        unanswered.or(unsent).cloned()
    }

    fn settled(&self, key: &Key) -> Option<i64> {
        self.journal
            .get(key)
            .filter(|entry| entry.state != State::Pending)
            .map(|entry| entry.settled)
    }

    fn heard(&self, key: &Key) -> Option<Value> {
        match &self.journal.get(key)?.state {
            State::Done(news) => Some(news.clone()),
            State::Pending | State::Failed(_) => None,
        }
    }

    fn halt(&mut self, why: Why) -> Halt {
        self.halted = true;
        Halt(why)
    }
}

fn dispatch<S: Step>(key: Key, step: &S) -> Dispatch {
    let input = serde_json::to_value(step).expect("a step is made of plain data");
    Dispatch {
        key,
        step: S::NAME,
        queue: S::QUEUE,
        input,
        retry: S::RETRY,
    }
}

fn decode<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the journal holds what the step promised")
}
