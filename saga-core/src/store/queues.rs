//! How each queue stands: what waits in it, who works it off, and how fast.

use super::standing::Standing;
use super::workers::{WorkerRow, WorkerState};
use super::{QueueSwitch, Share, Store};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;

/// How one queue stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueLoad {
    /// Its name.
    pub name: String,
    /// Steps that somebody could take now.
    pub ready: u64,
    /// Steps that somebody is at.
    pub running: u64,
    /// Steps that wait for their next attempt.
    pub delayed: u64,
    /// Since when the oldest ready step waits: it was asked for then, or last tried. The undo of a deed
    /// has no such time.
    pub oldest_seconds: Option<u64>,
    /// Workers that take its steps.
    pub consumers: u64,
    /// Those of them that are at a step of it.
    pub busy_workers: u64,
    /// Steps that they do at once, at most.
    pub slots: u64,
    /// Answers that were settled in the last minute.
    pub done_per_minute: u64,
    /// What a step took, on the average of that minute.
    pub step_ms: Option<u64>,
    /// When the ready steps will be done at that rate; unknown while nothing is done.
    pub drain_estimate_seconds: Option<u64>,
    /// Who paused or resumed it last, if anybody ever did.
    pub switch: Option<QueueSwitch>,
}

impl Store {
    /// How these queues stand, and all others that hold steps or have workers; by name.
    pub async fn queue_loads(&self, queues: &[&str]) -> sqlx::Result<Vec<QueueLoad>> {
        let (workers, live) = (self.workers().await?, self.standing().await?);
        let now = self.db.now().await?;
        let switches = self.queue_switches().await?;
        let shared = workers.iter().flat_map(|worker| &worker.shares);
        let names: BTreeSet<&str> = queues
            .iter()
            .copied()
            .chain(shared.map(|share| share.queue.as_str()))
            .chain(live.iter().map(|live| live.queue.as_str()))
            .collect();
        let load = |name: &str| {
            let mut load = QueueLoad {
                name: name.to_owned(),
                switch: switches.iter().find(|switch| switch.queue == name).cloned(),
                ..QueueLoad::default()
            };
            load.count(live.iter().filter(|live| live.queue == name), now);
            load.staff(&workers, &live);
            load
        };
        Ok(names.into_iter().map(load).collect())
    }
}

impl QueueLoad {
    /// Whether its steps are left alone.
    pub fn paused(&self) -> bool {
        self.switch.as_ref().is_some_and(|switch| switch.paused)
    }

    fn count<'l>(&mut self, live: impl Iterator<Item = &'l Standing>, now: DateTime<Utc>) {
        for live in live {
            let steps = u64::try_from(live.steps).unwrap_or(0);
            match live.state.as_str() {
                "ready" => {
                    let since = live.oldest.map(|oldest| (now - oldest).num_seconds());
                    self.ready += steps;
                    self.oldest_seconds = since.map(|since| u64::try_from(since).unwrap_or(0));
                }
                "leased" => self.running += steps,
                _ => self.delayed += steps,
            }
        }
    }

    fn staff(&mut self, workers: &[WorkerRow], live: &[Standing]) {
        let (mut spent_ms, mut busy) = (0, BTreeSet::new());
        let of_here = |share: &&Share| share.queue == self.name;
        for worker in workers {
            let Some(share) = worker.shares.iter().find(of_here) else {
                continue;
            };
            match worker.state {
                WorkerState::Lost => continue,
                WorkerState::Draining => {}
                WorkerState::Working => {
                    self.consumers += 1;
                    self.slots += share.slots;
                    busy.extend((share.busy > 0).then_some(worker.id.as_str()));
                }
            }
            self.done_per_minute += share.done;
            spent_ms += share.spent_ms;
        }
        // A heartbeat is some seconds old, a lease is not. Whoever leaves anyhow does not count.
        let leaves = |name: &str| {
            let known = workers.iter().find(|worker| worker.id == name);
            known.is_some_and(|worker| worker.state != WorkerState::Working)
        };
        let here = live.iter().filter(|live| live.queue == self.name);
        let holders = here.filter_map(|live| live.worker.as_deref());
        busy.extend(holders.filter(|name| !leaves(name)));
        self.busy_workers = u64::try_from(busy.len()).unwrap_or(u64::MAX);
        let done = self.done_per_minute;
        self.step_ms = spent_ms.checked_div(done);
        self.drain_estimate_seconds = (done > 0).then(|| (self.ready * 60).div_ceil(done));
    }
}
