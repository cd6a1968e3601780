//! Every saga that a process knows, by kind.

use crate::advance::{Advance, Probed, advance, probe};
use crate::journal::{Journal, Key};
use crate::saga::Saga;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use uuid::Uuid;

/// One saga, its types erased.
#[derive(Clone, Copy)]
pub struct Kind {
    /// `noun.verb`.
    pub name: &'static str,
    /// How long it stays parked before undo begins by itself.
    pub park: Duration,
    /// How long all its work may take.
    pub deadline: Option<Duration>,
    /// Fields of its input that an edited replay keeps.
    pub locked: &'static [&'static str],
    check: fn(&Value) -> Result<(), String>,
    advance: fn(Uuid, &Value, &Arc<Journal>) -> Advance,
    probe: fn(Uuid, &Value, &Arc<Journal>, (Key, Value)) -> Probed,
}

impl Kind {
    /// Checks an input against the saga's type; the error names the field.
    pub fn check(&self, input: &Value) -> Result<(), String> {
        (self.check)(input)
    }
    /// See [`advance`].
    pub fn advance(&self, saga: Uuid, input: &Value, journal: &Arc<Journal>) -> Advance {
        (self.advance)(saga, input, journal)
    }
    /// See [`probe`].
    pub fn probe(
        &self,
        saga: Uuid,
        input: &Value,
        journal: &Arc<Journal>,
        answer: (Key, Value),
    ) -> Probed {
        (self.probe)(saga, input, journal, answer)
    }
}

/// Every saga that a process knows, by kind.
#[derive(Clone, Default)]
pub struct Kinds(BTreeMap<&'static str, Kind>);

impl Kinds {
    /// Adds a saga.
    #[must_use]
    pub fn with<S: Saga>(mut self) -> Self {
        let kind = Kind {
            name: S::KIND,
            park: S::PARK,
            deadline: S::DEADLINE,
            locked: S::LOCKED,
            check: |input| {
                serde_json::from_value::<S::Input>(input.clone())
                    .map(drop)
                    .map_err(|error| error.to_string())
            },
            advance: advance::<S>,
            probe: probe::<S>,
        };
        let twice = self.0.insert(S::KIND, kind).is_some();
        assert!(!twice, "two sagas of kind {}", S::KIND);
        self
    }
    /// Finds a saga by its kind.
    pub fn get(&self, kind: &str) -> Option<&Kind> {
        self.0.get(kind)
    }
    /// Every kind, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.0.values()
    }
}
