//! Why a saga is where it is: reasons for people, from its rows, the time, and what is known of the outside.

use super::wake::ticket_out_since;
use super::{Ending, Role, Run, StepRow};
use crate::journal::{Class, Key};
use crate::state::{SagaState, StepState};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How long a ticket may be on its way, and what is due may lie there, before it is remarkable: the relay
/// notes confirms and the sweeper looks about every second.
const REMARKABLE: TimeDelta = TimeDelta::seconds(5);

/// What a saga's rows cannot tell.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Whether tickets can be published; none if nobody knows.
    pub broker_up: Option<bool>,
    /// How many consume each queue. A queue of which nobody knows is left out.
    pub consumers: BTreeMap<String, u64>,
    /// The queues that are paused, and in a sentence by whom, when and why.
    pub paused: BTreeMap<String, String>,
    /// The oldest step of all sagas that is ready and has no confirmed ticket: since when.
    pub oldest_unconfirmed: Option<DateTime<Utc>>,
}

/// Why, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// A pause is not over.
    WaitingUntil,
    /// News from outside is missing.
    WaitingForSignal,
    /// A step is ready and nobody has taken it yet.
    Queued,
    /// Somebody paused the queue.
    QueuePaused,
    /// Nobody consumes the queue.
    NoWorker,
    /// No ticket has been confirmed for a while.
    TicketLag,
    /// No ticket can be published.
    BrokerDown,
    /// A worker is at it.
    Running,
    /// A worker had it and has not reported in time.
    LeaseStale,
    /// It failed and is tried again.
    Retrying,
    /// The provider asked for patience.
    Throttled,
    /// A step gave up; somebody has to decide.
    Parked,
    /// Its code and its journal do not fit.
    Diverged,
    /// It is being taken back.
    Undoing,
    /// The taking back gave up; somebody has to decide.
    UndoFailed,
    /// It is over.
    Finished,
    /// Nothing was found: it moved while it was looked at.
    Moving,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// For programs.
    pub code: Why,
    /// The step it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Key>,
    /// That step's queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Who is at it, or was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The letter that somebody has to judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub letter: Option<Uuid>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Until when, unless something else happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// A sentence for people.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Reason {
    fn new(code: Why, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            step: None,
            queue: None,
            worker: None,
            letter: None,
            since: None,
            until: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    fn of(mut self, step: &StepRow) -> Self {
        self.step = Some(step.key.clone());
        self.queue.clone_from(&step.queue);
        self.worker.clone_from(&step.worker);
        self.letter = step.letter_id;
        self
    }

    fn since(mut self, since: Option<DateTime<Utc>>) -> Self {
        self.since = since;
        self
    }

    fn until(mut self, until: Option<DateTime<Utc>>) -> Self {
        self.until = until;
        self
    }
}

impl Run {
    /// Why the saga is where it is, the most telling reason first. There is always one.
    pub fn why(&self, now: DateTime<Utc>, outside: &Outside) -> Vec<Reason> {
        let steps = |wanted: fn(&StepRow) -> bool| {
            let wanted = self.steps.iter().filter(move |step| wanted(step));
            wanted.flat_map(|step| of_step(step, now, outside))
        };
        let mut reasons: Vec<Reason> = match self.saga.state {
            SagaState::Succeeded | SagaState::Undone => vec![self.finished()],
            SagaState::Queued | SagaState::Running | SagaState::Waiting => {
                steps(|step| step.state.is_open()).collect()
            }
            SagaState::Parked => self.parked().chain(steps(is_at_work)).collect(),
            SagaState::Undoing => [self.undoing()]
                .into_iter()
                .chain(steps(is_at_work))
                .collect(),
            SagaState::Stuck => self.undo_failed().collect(),
        };
        if reasons.is_empty() {
            let message = "Nothing that it waits for was found: it moved while it was looked at.";
            reasons.push(Reason::new(Why::Moving, message, "Look again."));
        }
        reasons
    }

    fn finished(&self) -> Reason {
        let how = match (self.saga.state, self.saga.ending) {
            (SagaState::Succeeded, _) => "It is over, and well.",
            (_, Some(Ending::Canceled)) => "It was canceled, and what it did was taken back.",
            (_, Some(Ending::Failed) | None) => "It failed, and what it did was taken back.",
        };
        let error = self.saga.error.as_ref();
        let why = error.map_or(String::new(), |error| format!(" Why: {}", error.message));
        Reason::new(Why::Finished, format!("{how}{why}"), "Nothing.").since(self.saga.finished_at)
    }

    fn parked(&self) -> impl Iterator<Item = Reason> {
        let gave_up = |step: &&StepRow| step.letter_id.is_some() && step.role != Role::Undo;
        let steps = self.steps.iter().filter(gave_up).map(|step| {
            let message = format!(
                "{} gave up after {} attempt(s): {}. {}",
                step.key,
                step.attempt,
                last_error(step),
                self.parking_ends()
            );
            Reason::new(Why::Parked, message, self.judge(step.letter_id))
                .of(step)
                .since(step.finished_at)
                .until(self.saga.parked_until)
        });
        steps.chain(self.saga.letter_id.map(|letter| self.diverged(letter)))
    }

    fn diverged(&self, letter: Uuid) -> Reason {
        let error = self.saga.error.as_ref();
        let both = error.map_or("no words are kept", |error| error.message.as_str());
        let message = format!("Its code does not fit what it has asked for so far: {both}.");
        let remedy = format!(
            "Deploy code that fits, then: chorus dead-letters replay {letter}. Or discard it: what was done is undone."
        );
        Reason {
            letter: Some(letter),
            ..Reason::new(Why::Diverged, message, remedy)
        }
        .since(Some(self.saga.updated_at))
    }

    fn parking_ends(&self) -> String {
        match self.saga.parked_until {
            Some(until) => format!("Undo begins by itself at {}.", time(until)),
            None => "Nothing happens until somebody decides.".to_owned(),
        }
    }

    fn judge(&self, letter: Option<Uuid>) -> String {
        let letter = letter.map_or_else(|| "LETTER".to_owned(), |letter| letter.to_string());
        let replay = format!("Mend the cause, then: chorus dead-letters replay {letter}.");
        if self.saga.pivoted {
            return replay; // there is only forward
        }
        format!("{replay} Or give it up: chorus dead-letters discard {letter}.")
    }

    fn undoing(&self) -> Reason {
        let how = match self.saga.ending {
            Some(Ending::Canceled) => "It was canceled",
            Some(Ending::Failed) | None => "It failed",
        };
        let error = self.saga.error.as_ref();
        let why = error.map_or(String::new(), |error| format!(" ({})", error.message));
        let message = format!("{how}{why}, and what it did is being taken back.");
        Reason::new(Why::Undoing, message, "Nothing: it ends by itself.")
    }

    fn undo_failed(&self) -> impl Iterator<Item = Reason> {
        let gave_up = |step: &&StepRow| step.role == Role::Undo && step.state == StepState::Failed;
        self.steps.iter().filter(gave_up).map(|step| {
            let message = format!(
                "The undo {} gave up after {} attempt(s): {}. Nothing happens until somebody decides.",
                step.key,
                step.attempt,
                last_error(step)
            );
            let letter = step
                .letter_id
                .map_or_else(|| "LETTER".to_owned(), |letter| letter.to_string());
            let remedy = format!(
                "Mend the cause, then: chorus dead-letters replay {letter}. Or undo it by hand, then: chorus dead-letters discard {letter}."
            );
            Reason::new(Why::UndoFailed, message, remedy)
                .of(step)
                .since(step.finished_at)
        })
    }
}

/// In a worker's hands, or soon to be.
fn is_at_work(step: &StepRow) -> bool {
    match step.state {
        StepState::Ready | StepState::Leased | StepState::Retrying => true,
        StepState::Waiting | StepState::Done | StepState::Failed | StepState::Cancelled => false,
    }
}

fn of_step(step: &StepRow, now: DateTime<Utc>, outside: &Outside) -> Vec<Reason> {
    match (step.state, step.role) {
        (StepState::Ready, _) => ready(step, now, outside),
        (StepState::Leased, _) => vec![leased(step, now)],
        (StepState::Retrying, _) => vec![retrying(step, now)],
        (StepState::Waiting, Role::Timer) => vec![timer(step, now)],
        (StepState::Waiting, Role::Listen) => vec![listening(step)],
        // An armed undo waits for a failure that may never come.
        (StepState::Waiting, Role::Undo | Role::Work)
        | (StepState::Done | StepState::Failed | StepState::Cancelled, _) => vec![],
    }
}

/// What keeps a step from being taken, and last that nobody has taken it.
fn ready(step: &StepRow, now: DateTime<Utc>, outside: &Outside) -> Vec<Reason> {
    let queue = step.queue.clone().unwrap_or_default();
    let mut reasons = vec![];
    let mut add = |code, message: String, remedy: String, since| {
        reasons.push(Reason::new(code, message, remedy).of(step).since(since));
    };
    // Asked for a while ago and never tried: how long a step has been ready anew is not kept.
    let fresh = (step.turn == 0).then_some(step.created_at);
    let unconfirmed = [fresh, outside.oldest_unconfirmed].into_iter().flatten();
    let lagging = unconfirmed.min().filter(|since| now - *since > REMARKABLE);
    if outside.broker_up == Some(false) {
        let message = "The broker cannot be reached, so no worker is told of it.".to_owned();
        let remedy = "Bring the broker back; nothing is lost, tickets go out again by themselves.";
        add(Why::BrokerDown, message, remedy.to_owned(), None);
    } else if step.tickets == 0
        && let Some(since) = lagging
    {
        let message = format!(
            "It has no confirmed ticket, and the oldest such step has been waiting for one since {}.",
            time(since)
        );
        let remedy = "Look at the log of the API and of the workers: their sweepers publish tickets again. Is one running?";
        add(Why::TicketLag, message, remedy.to_owned(), Some(since));
    }
    if let Some(who) = outside.paused.get(&queue) {
        let message = format!("The queue {queue} is paused: {who}.");
        let remedy = format!("When it may go on: chorus queues resume {queue}.");
        add(Why::QueuePaused, message, remedy, None);
    } else if outside.consumers.get(&queue) == Some(&0) {
        let message = format!("Nobody consumes the queue {queue}.");
        let remedy = format!("Start a worker: chorus worker {queue}.");
        add(Why::NoWorker, message, remedy, None);
    }
    let (since, ticket) = match ticket_out_since(step).filter(|out| *out <= now) {
        Some(out) => (Some(out), format!("its ticket is out since {}", time(out))),
        None => (fresh, "it has no confirmed ticket yet".to_owned()),
    };
    let message = format!("{} is ready for a worker of {queue}; {ticket}.", step.key);
    let remedy = format!("Wait; if the queue is long, add workers: chorus worker {queue}.");
    add(Why::Queued, message, remedy, since);
    reasons
}

fn leased(step: &StepRow, now: DateTime<Utc>) -> Reason {
    let worker = step.worker.as_deref().unwrap_or("a worker");
    let (since, until) = (step.started_at, step.wake_at);
    let began = since.map_or_else(String::new, |since| format!(" since {}", time(since)));
    let (key, attempt) = (&step.key, step.attempt);
    let reason = if let Some(until) = until.filter(|until| *until <= now) {
        let message = format!(
            "{worker} has had {key}{began} and has not reported: its lease ended at {}.",
            time(until)
        );
        let remedy = "The sweeper of any worker gives it to another at once; if it stays so, no worker is running.";
        Reason::new(Why::LeaseStale, message, remedy)
    } else {
        let message = format!("{worker} is at {key}{began}, attempt {attempt}.");
        let remedy = "Wait; if the worker dies, another takes it when the lease has ended.";
        Reason::new(Why::Running, message, remedy)
    };
    reason.of(step).since(since).until(until)
}

fn retrying(step: &StepRow, now: DateTime<Utc>) -> Reason {
    let until = step.wake_at;
    let when = until.map_or_else(String::new, |until| format!(" at {}", time(until)));
    let (key, error) = (&step.key, last_error(step));
    let class = step.error.as_ref().map(|error| error.class);
    let (code, message) = if class == Some(Class::Throttled) {
        let message =
            format!("The provider asked for patience; {key} is tried again{when}: {error}.");
        (Why::Throttled, message)
    } else {
        let attempt = step.attempt;
        let message = format!("Attempt {attempt} at {key} failed, the next is{when}: {error}.");
        (Why::Retrying, message)
    };
    Reason::new(code, message, by_itself(until, now))
        .of(step)
        .since(step.started_at)
        .until(until)
}

fn timer(step: &StepRow, now: DateTime<Utc>) -> Reason {
    let until = step.wake_at;
    let when = until.map_or_else(|| "its hour".to_owned(), time);
    let message = format!("It waits until {when}.");
    Reason::new(Why::WaitingUntil, message, by_itself(until, now))
        .of(step)
        .since(Some(step.created_at))
        .until(until)
}

fn listening(step: &StepRow) -> Reason {
    let message = format!("It waits for the signal {}.", step.step);
    let remedy = "Send that signal, or cancel the saga.";
    Reason::new(Why::WaitingForSignal, message, remedy)
        .of(step)
        .since(Some(step.created_at))
}

/// What to do about something that the sweeper sees to at `due`.
fn by_itself(due: Option<DateTime<Utc>>, now: DateTime<Utc>) -> &'static str {
    match due {
        Some(due) if now - due > REMARKABLE => {
            "It is overdue: start a worker, its sweeper sees to whatever is due."
        }
        Some(_) | None => "Wait; it goes on by itself.",
    }
}

fn last_error(step: &StepRow) -> &str {
    let error = step.error.as_ref();
    error.map_or("no words are kept", |error| {
        error.message.trim_end_matches('.')
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
