//! Random sagas under random trouble: whatever happens, each effect is recorded at most once, undo
//! runs newest first over exactly what may have happened, and the saga ends or visibly stands still.

use crate::scripted::{Op, Scripted, ops};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use saga_core::kinds::Kinds;
use saga_core::run::{Answer, Lease, Role, Run, SagaRow, Settled};
use saga_core::state::{SagaState, StepState};
use saga_core::{Class, Failure, Key, Retry, Saga};
use std::time::Duration;
use uuid::Uuid;

/// A claim that some worker believes to hold.
struct Held {
    key: Key,
    epoch: i64,
}

/// One saga, its workers, and what they left behind.
struct Play {
    run: Run,
    kinds: Kinds,
    now: DateTime<Utc>,
    held: Vec<Held>,
    effects: Vec<(Role, String)>,
    claimed: Vec<String>,
}

const RETRY: Retry = Retry {
    attempts_max: 2,
    delay_first: Duration::from_millis(2),
    delay_max: Duration::from_millis(2),
};

impl Play {
    fn new(ops: &[Op]) -> Self {
        let kinds = Kinds::default().with::<Scripted>();
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let saga = SagaRow {
            id: Uuid::from_u128(7),
            kind: Scripted::KIND.to_owned(),
            state: SagaState::Queued,
            ending: None,
            input: serde_json::to_value(ops).unwrap(),
            output: None,
            error: None,
            owner_id: None,
            request_id: "random".to_owned(),
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
        run.go_on(&kinds, now);
        Self {
            run,
            kinds,
            now,
            held: vec![],
            effects: vec![],
            claimed: vec![],
        }
        .with_births()
    }

    /// What the store does with every change: the children that are asked for begin.
    fn with_births(mut self) -> Self {
        self.births();
        self
    }

    fn births(&mut self) {
        for at in self.run.unborn().collect::<Vec<_>>() {
            self.run.child_began(at);
            let name = self.run.steps[at].input.as_str().unwrap().to_owned();
            self.claimed.push(name);
        }
    }

    fn open_children(&self) -> Vec<usize> {
        let open = |at: &usize| {
            let step = &self.run.steps[*at];
            step.role == Role::Child && step.state == StepState::Waiting
        };
        (0..self.run.steps.len()).filter(open).collect()
    }

    /// A child ends; its parent may be told twice.
    fn end_child(&mut self, pick: usize, well: bool) {
        let open = self.open_children();
        let Some(at) = open.get(pick % open.len().max(1)).copied() else {
            return;
        };
        let key = self.run.steps[at].key.clone();
        let failed = Failure {
            step: key.clone(),
            class: Class::Permanent,
            message: "the child failed".to_owned(),
        };
        for _ in 0..2 {
            let end = if well {
                Ok(serde_json::json!("c"))
            } else {
                Err(failed.clone())
            };
            self.run.child_ended(&key, end, &self.kinds, self.now);
        }
        self.births();
    }

    fn name(&self, at: usize) -> String {
        self.run.steps[at].input["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn nth(&self, state: StepState, pick: usize) -> Option<usize> {
        let all: Vec<usize> = (0..self.run.steps.len())
            .filter(|at| self.run.steps[*at].state == state)
            .collect();
        all.get(pick % all.len().max(1)).copied()
    }

    fn claim(&mut self, pick: usize, stale: bool) {
        let Some(at) = self.nth(StepState::Ready, pick) else {
            return;
        };
        let turn = self.run.steps[at].turn - i64::from(stale);
        let lease = Lease {
            worker: "w".to_owned(),
            length: Duration::from_millis(10),
        };
        assert_eq!(
            self.run.claim(at, turn, &lease, self.now),
            !stale,
            "only the ticket of this turn is good"
        );
        if stale {
            return;
        }
        if self.run.steps[at].role == Role::Undo {
            let leased = |step: &&saga_core::run::StepRow| {
                step.role == Role::Work && step.state == StepState::Leased
            };
            assert!(
                self.run.steps.iter().find(leased).is_none(),
                "no undo while a sibling is at work"
            );
            assert!(
                self.open_children().is_empty(),
                "no undo while a child is at work"
            );
        } else {
            self.claimed.push(self.name(at));
        }
        self.held.push(Held {
            key: self.run.steps[at].key.clone(),
            epoch: self.run.steps[at].epoch,
        });
    }

    /// Somebody who holds a claim, or thinks so, answers; the claim may be used twice.
    fn settle(&mut self, pick: usize, class: Option<Class>) {
        if self.held.is_empty() {
            return;
        }
        let held = &self.held[pick % self.held.len()];
        let (at, epoch) = (self.run.find(&held.key).unwrap(), held.epoch);
        let answer = match class {
            None => Answer::Done(serde_json::json!(self.name(at))),
            Some(class) => Answer::Failed {
                class,
                message: "trouble".to_owned(),
                after: None,
                retry: RETRY,
            },
        };
        let effect = (self.run.steps[at].role, self.name(at));
        let done = matches!(answer, Answer::Done(_));
        if self.run.settle(at, epoch, answer, &self.kinds, self.now) == Settled::Committed && done {
            self.effects.push(effect);
        }
    }

    fn pass_time(&mut self, millis: i64) {
        self.now += TimeDelta::milliseconds(millis);
        for at in 0..self.run.steps.len() {
            self.run.wake_step(at, &self.kinds, self.now);
        }
        self.run.wake_saga(&self.kinds, self.now);
    }

    fn decide(&mut self, replay: bool) {
        let letter = self
            .run
            .steps
            .iter()
            .find_map(|step| step.letter_id)
            .or(self.run.saga.letter_id);
        let Some(letter) = letter else { return };
        let _ = if replay || self.run.saga.state == SagaState::Stuck {
            self.run.replay(letter, "ana", &self.kinds, self.now)
        } else {
            self.run.discard(letter, "ana", &self.kinds, self.now)
        };
    }

    fn step(&mut self, choice: u32) {
        let (what, pick) = (choice % 19, (choice / 19) as usize);
        match what {
            0..=3 => self.claim(pick, false),
            4 => self.claim(pick, true),
            5..=8 => self.settle(pick, None),
            9 => self.settle(pick, Some(Class::Transient)),
            10 => self.settle(pick, Some(Class::Permanent)),
            11 => self.settle(pick, Some(Class::Throttled)),
            12 => self.pass_time(3),
            13 => self.pass_time(15),
            14 => self.decide(pick % 3 != 0),
            15..=16 => self.end_child(pick, true),
            17 => self.end_child(pick, false),
            _ => {
                if pick % 12 == 0 {
                    let _ = self.run.cancel("ana", &self.kinds, self.now);
                }
            }
        }
        self.births();
    }

    /// The faults stop; everybody does their work.
    fn calm(&mut self) {
        for _ in 0..400 {
            self.held.clear();
            self.claim(0, false);
            self.settle(0, None);
            self.births();
            self.end_child(0, true);
            self.pass_time(20);
            if matches!(self.run.saga.state, SagaState::Parked | SagaState::Stuck) {
                self.decide(self.run.saga.pivoted || self.run.saga.state == SagaState::Stuck);
            }
            self.births();
        }
    }

    fn check(&self) {
        let mut seen = std::collections::BTreeSet::new();
        for effect in &self.effects {
            assert!(
                seen.insert(format!("{effect:?}")),
                "recorded twice: {effect:?}"
            );
        }
        assert!(
            self.run.saga.state.is_final(),
            "it ends: {:#?}",
            self.run.saga
        );
        assert!(self.open_children().is_empty(), "every child has ended");
        let undone: Vec<&str> = self
            .effects
            .iter()
            .filter(|(role, _)| *role == Role::Undo)
            .map(|(_, name)| name.as_str())
            .collect();
        if self.run.saga.state == SagaState::Succeeded {
            assert!(undone.is_empty(), "what ended well is not undone");
            return;
        }
        let first_undo = self
            .effects
            .iter()
            .position(|(role, _)| *role == Role::Undo)
            .unwrap_or(self.effects.len());
        assert!(
            self.effects[first_undo..]
                .iter()
                .all(|(role, _)| *role == Role::Undo),
            "nothing is done after undo began"
        );
        // Exactly what may have happened: each armed deed after the pivot that a worker ever took.
        let armed = |step: &&saga_core::run::StepRow| step.role == Role::Undo && step.epoch > 0;
        let mut owed: Vec<String> = self
            .run
            .steps
            .iter()
            .filter(armed)
            .map(|step| step.input["name"].as_str().unwrap().to_owned())
            .collect();
        owed.reverse();
        assert_eq!(undone, owed, "newest first, the exact set");
        if !self.run.saga.pivoted {
            let taken: std::collections::BTreeSet<&String> = self.claimed.iter().collect();
            assert_eq!(
                taken,
                owed.iter().collect(),
                "undone is what was done or may have been"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_sagas_keep_the_promises(ops in ops(), choices in prop::collection::vec(any::<u32>(), 0..120)) {
        let mut play = Play::new(&ops);
        for choice in choices {
            play.step(choice);
        }
        play.calm();
        play.check();
    }
}
