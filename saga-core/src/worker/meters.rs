//! What one queue's share of a worker tells in numbers. The handles are made once.

use crate::store::Claimed;
use crate::transport::Delivery;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

const SLOTS: &str = "chorus_worker_slots";

/// The numbers of one queue.
#[derive(Clone)]
pub(super) struct Meters {
    busy: Gauge,
    total: Gauge,
    waits: Histogram,
    redeliveries: Counter,
}

impl Meters {
    pub(super) fn of(queue: &str) -> Self {
        let queue = || queue.to_owned();
        let meters = Self {
            busy: gauge!(SLOTS, "queue" => queue(), "state" => "busy"),
            total: gauge!(SLOTS, "queue" => queue(), "state" => "total"),
            waits: histogram!("chorus_queue_wait_seconds", "queue" => queue()),
            redeliveries: counter!("chorus_redeliveries_total", "queue" => queue()),
        };
        meters.busy.increment(0.0);
        meters.redeliveries.increment(0);
        meters
    }

    /// Says how many steps may be done at once.
    pub(super) fn open(&self, slots: u16) -> Open {
        let slots = f64::from(slots);
        self.total.increment(slots);
        Open(self.total.clone(), slots)
    }

    pub(super) fn arrived(&self, delivery: &Delivery) {
        if delivery.is_again() {
            self.redeliveries.increment(1);
        }
    }

    /// Notes that a step was taken from the queue; it is under way until the guard is dropped.
    pub(super) fn taken(&self, claimed: &Claimed) -> Open {
        if let Some(waited) = claimed.waited {
            self.waits.record(waited);
        }
        self.busy.increment(1.0);
        Open(self.busy.clone(), 1.0)
    }
}

/// What is counted as long as this lives.
pub(super) struct Open(Gauge, f64);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(self.1);
    }
}
