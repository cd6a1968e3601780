//! How many workers a queue would do well to have: pure arithmetic over how it stands.

use crate::store::QueueLoad;

/// Slots of a worker when there is none to ask: the default of `WORKER_CONCURRENCY`.
const SLOTS_DEFAULT: u64 = 10;

/// What is wished for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// What is ready should be done within so many seconds.
    pub target_seconds: u64,
    /// Workers at least, even if there is nothing to do.
    pub min: u64,
    /// Workers at most.
    pub max: Option<u64>,
}

/// How many workers there should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// So many.
    pub workers: u64,
    /// Why, for whoever wonders.
    pub reason: String,
}

/// How many workers a queue would do well to have.
///
/// One slot for each running step, so that what runs goes on; and for the ready ones as many as do
/// them all within the target, at the pace of the last minute: `ready × step time / target`, but no
/// more than one each, and one each while no pace is known. Together, divided by the slots of a worker.
/// Steps that wait for their next attempt, and those of a paused queue, would not go faster with more
/// workers and do not count. Busy workers are never too many, whatever `max` says.
pub fn advise(load: &QueueLoad, wish: &Wish) -> Advice {
    let paused = load.paused();
    let each = match load.consumers {
        0 => SLOTS_DEFAULT,
        consumers => load.slots.div_ceil(consumers).max(1),
    };
    let ready = if paused { 0 } else { load.ready };
    let target_ms = wish.target_seconds.saturating_mul(1000).max(1);
    let more = load.step_ms.map_or(ready, |step_ms| {
        let slots = ready.saturating_mul(step_ms).div_ceil(target_ms);
        slots.clamp(ready.min(1), ready)
    });
    let slots = load.running + more;
    let needed = slots.div_ceil(each);
    let allowed = needed.max(wish.min).min(wish.max.unwrap_or(u64::MAX));
    let workers = allowed.max(load.busy_workers);
    let why = if workers == load.busy_workers && workers > needed.min(allowed) {
        "; busy workers stay".to_owned()
    } else if allowed < needed {
        format!("; held at max {allowed}")
    } else if allowed > needed {
        format!("; held at min {allowed}")
    } else {
        String::new()
    };
    let reason = match (paused, load.ready + load.running) {
        (true, _) => format!(
            "The queue is paused: {} running, what is ready does not count{why}.",
            load.running
        ),
        (false, 0) => format!("Nothing is ready and nothing runs{why}."),
        (false, _) => format!(
            "{} ready and {} running need {slots} slots, {each} a worker{why}.",
            load.ready, load.running
        ),
    };
    Advice { workers, reason }
}

#[cfg(test)]
mod tests {
    use super::{Wish, advise};
    use crate::store::{QueueLoad, QueueSwitch};

    const WISH: Wish = Wish {
        target_seconds: 30,
        min: 0,
        max: None,
    };

    /// Two workers of ten slots each, and steps of three seconds.
    fn load(ready: u64, running: u64, busy_workers: u64) -> QueueLoad {
        QueueLoad {
            ready,
            running,
            busy_workers,
            consumers: 2,
            slots: 20,
            step_ms: Some(3000),
            ..QueueLoad::default()
        }
    }

    fn workers(load: &QueueLoad, wish: Wish) -> u64 {
        advise(load, &wish).workers
    }

    #[test]
    fn what_is_ready_is_done_within_the_target_beside_what_runs() {
        // 1000 × 3 s / 30 s = 100 slots, and 20 for what runs.
        assert_eq!(workers(&load(1000, 20, 2), WISH), 12);
        let patient = Wish {
            target_seconds: 300,
            ..WISH
        };
        assert_eq!(workers(&load(1000, 20, 2), patient), 3);
        assert_eq!(
            workers(&load(1, 0, 0), WISH),
            1,
            "one step wants one worker"
        );
    }

    #[test]
    fn more_slots_than_steps_help_nobody() {
        let slow = QueueLoad {
            step_ms: Some(600_000),
            ..load(25, 0, 0)
        };
        assert_eq!(workers(&slow, WISH), 3);
        let unknown = QueueLoad {
            step_ms: None,
            ..load(25, 0, 0)
        };
        assert_eq!(workers(&unknown, WISH), 3);
    }

    #[test]
    fn what_waits_for_its_time_and_what_is_paused_does_not_count() {
        let waits = QueueLoad {
            delayed: 500,
            ..load(0, 0, 0)
        };
        assert_eq!(workers(&waits, WISH), 0);
        let switch = QueueSwitch {
            queue: "image".to_owned(),
            paused: true,
            reason: "the provider is down".to_owned(),
            decided_by: "ana".to_owned(),
            decided_at: chrono::DateTime::UNIX_EPOCH,
        };
        let paused = QueueLoad {
            switch: Some(switch),
            ..load(1000, 3, 1)
        };
        let paused = advise(&paused, &WISH);
        assert_eq!(paused.workers, 1);
        assert!(paused.reason.contains("paused"), "{}", paused.reason);
    }

    #[test]
    fn busy_workers_stay_whatever_the_limits_say() {
        assert_eq!(workers(&load(0, 5, 5), WISH), 5, "one step each");
        let narrow = Wish {
            max: Some(2),
            ..WISH
        };
        let advice = advise(&load(1000, 5, 5), &narrow);
        assert_eq!(advice.workers, 5);
        assert!(advice.reason.contains("busy workers stay"));
        let held = advise(&load(1000, 2, 1), &narrow);
        assert_eq!(held.workers, 2);
        assert!(held.reason.contains("held at max 2"), "{}", held.reason);
    }

    #[test]
    fn nothing_to_do_is_the_least() {
        let least = Wish { min: 3, ..WISH };
        assert_eq!(workers(&load(0, 0, 0), WISH), 0);
        assert_eq!(workers(&load(0, 0, 0), least), 3);
        let nobody = QueueLoad {
            consumers: 0,
            slots: 0,
            step_ms: None,
            ..load(11, 0, 0)
        };
        assert_eq!(workers(&nobody, WISH), 2, "ten slots each, unless told");
    }
}
