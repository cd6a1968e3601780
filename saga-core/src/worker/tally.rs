//! What one queue's share of a worker is at, and what it did in the last minute.

use super::{Busy, BusyGuard};
use crate::store::Share;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far back what was done counts.
const WINDOW: Duration = Duration::from_mins(1);
/// Settlements within so long are one entry, however many they are.
const GRAIN: Duration = Duration::from_secs(1);

/// What one queue's share of a worker is at, and what it did lately. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tally {
    queue: String,
    slots: u16,
    busy: Busy,
    paused: Arc<AtomicBool>,
    lately: Arc<Mutex<VecDeque<Entry>>>,
}

struct Entry {
    since: Instant,
    done: u64,
    spent: Duration,
}

impl Tally {
    pub(super) fn new(queue: &str, slots: u16) -> Self {
        Self {
            queue: queue.to_owned(),
            slots,
            busy: Busy::default(),
            paused: Arc::default(),
            lately: Arc::default(),
        }
    }

    /// Counts a step as under way until the guard is dropped.
    pub(super) fn enter(&self) -> BusyGuard {
        self.busy.enter()
    }

    /// Notes whether the queue is left alone.
    pub(super) fn paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::Relaxed);
    }

    /// Counts an answer that was settled; the step began at `began`.
    pub(super) fn settled(&self, began: Instant) {
        let (now, mut lately) = (Instant::now(), self.lately());
        forget(&mut lately, now);
        let spent = now.duration_since(began);
        match lately.back_mut() {
            Some(last) if now.duration_since(last.since) < GRAIN => {
                last.done += 1;
                last.spent += spent;
            }
            Some(_) | None => lately.push_back(Entry {
                since: now,
                done: 1,
                spent,
            }),
        }
    }

    /// As it is now.
    pub(super) fn share(&self) -> Share {
        let mut lately = self.lately();
        forget(&mut lately, Instant::now());
        let spent: Duration = lately.iter().map(|entry| entry.spent).sum();
        Share {
            queue: self.queue.clone(),
            slots: u64::from(self.slots),
            busy: u64::try_from(self.busy.count()).unwrap_or(u64::MAX),
            paused: self.paused.load(Ordering::Relaxed),
            done: lately.iter().map(|entry| entry.done).sum(),
            spent_ms: u64::try_from(spent.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn lately(&self) -> std::sync::MutexGuard<'_, VecDeque<Entry>> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget(lately: &mut VecDeque<Entry>, now: Instant) {
    while lately
        .front()
        .is_some_and(|first| now.duration_since(first.since) > WINDOW)
    {
        lately.pop_front();
    }
}
