//! Why one step is where it is.

use super::{Outside, Reason, Why};
use crate::journal::Class;
use crate::run::wake::ticket_out_since;
use crate::run::{Role, StepRow};
use crate::state::StepState;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// How long a ticket may be on its way, and what is due may lie there, before it is remarkable: the relay
/// notes confirms and the sweeper looks about every second.
const REMARKABLE: TimeDelta = TimeDelta::seconds(5);

/// In a worker's hands, or soon to be.
pub(super) fn is_at_work(step: &StepRow) -> bool {
    match step.state {
        StepState::Ready | StepState::Leased | StepState::Retrying => true,
        StepState::Waiting | StepState::Done | StepState::Failed | StepState::Cancelled => false,
    }
}

pub(super) fn of_step(step: &StepRow, now: DateTime<Utc>, outside: &Outside) -> Vec<Reason> {
    match (step.state, step.role) {
        (StepState::Ready, _) => {
            by_kind(step, outside).unwrap_or_else(|| ready(step, now, outside))
        }
        (StepState::Leased, _) => vec![leased(step, now)],
        (StepState::Retrying, _) => vec![retrying(step, now)],
        (StepState::Waiting, Role::Timer) => vec![timer(step, now)],
        (StepState::Waiting, Role::Listen) => vec![listening(step)],
        (StepState::Waiting, Role::Review) => vec![in_review(step, now)],
        // An armed undo waits for a failure that may never come; of children the saga itself tells.
        (StepState::Waiting, Role::Undo | Role::Work | Role::Child)
        | (StepState::Done | StepState::Failed | StepState::Cancelled, _) => vec![],
    }
}

/// What keeps a ready step from a ticket: its kind is off, as is told of the saga, or at its limit.
fn by_kind(step: &StepRow, outside: &Outside) -> Option<Vec<Reason>> {
    if outside.kind_off.is_some() {
        return Some(vec![]);
    }
    let (since, limit) = (
        outside.in_line.get(&step.key)?,
        outside.kind_limit.as_ref()?,
    );
    let message = format!("{} stands in line: {limit}.", step.key);
    let remedy = "Wait for its turn, or raise the limit: chorus limits kind.";
    let reason = Reason::new(Why::Throttled, message, remedy);
    Some(vec![reason.of(step).since(Some(*since))])
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
    if class == Some(Class::OverBudget) {
        let message = format!("Over budget: {key} waits for money and looks again{when}: {error}.");
        let remedy = "Wait for the next day (UTC), or raise the cap: chorus limits set, which wakes whoever waits.";
        return Reason::new(Why::OverBudget, message, remedy)
            .of(step)
            .since(step.started_at)
            .until(until);
    }
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

fn in_review(step: &StepRow, now: DateTime<Utc>) -> Reason {
    let until = step.wake_at;
    let asked = step.asked();
    let who = asked.map_or_else(String::new, |asked| {
        format!(", by whoever holds {}", asked.review.permission)
    });
    let when = until.map_or_else(String::new, |until| format!(" until {}", time(until)));
    let message = format!("It waits for a review at {}{who}{when}.", step.step);
    let remedy = match until {
        Some(due) if now - due > REMARKABLE => by_itself(until, now),
        Some(_) | None => "Have it decided: GET /api/v1/reviews lists it.",
    };
    Reason::new(Why::WaitingForReview, message, remedy)
        .of(step)
        .since(Some(step.created_at))
        .until(until)
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

pub(super) fn last_error(step: &StepRow) -> &str {
    let error = step.error.as_ref();
    error.map_or("no words are kept", |error| {
        error.message.trim_end_matches('.')
    })
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
