//! What operators have decided about kinds of sagas, as this process knows it: read every second, asked
//! from memory.

use crate::run::SagaRow;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Whether sagas of a kind go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindMode {
    /// They do.
    #[default]
    Enabled,
    /// They are accepted, and none of their steps is taken.
    Paused,
    /// Those that have begun go on to their end; others are accepted, and wait.
    Drain,
}

impl KindMode {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Drain => "drain",
        }
    }

    /// A word of a newer program leaves the kind alone.
    pub(crate) fn stored(word: &str) -> Self {
        match word {
            "enabled" => Self::Enabled,
            "drain" => Self::Drain,
            _ => Self::Paused,
        }
    }

    /// Whether a saga of such a kind stays where it is.
    pub fn keeps(self, saga: &SagaRow) -> bool {
        match self {
            Self::Enabled => false,
            Self::Paused => true,
            Self::Drain => saga.started_at.is_none(),
        }
    }
}

/// What is in force for one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rule {
    /// Its switch.
    pub mode: KindMode,
    /// Whether its claims are counted.
    pub limited: bool,
}

/// What is in force, by kind; a kind that goes on without limits is not among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rules(BTreeMap<String, Rule>);

impl Rules {
    /// These rules.
    pub fn new(rules: impl IntoIterator<Item = (String, Rule)>) -> Self {
        Self(rules.into_iter().collect())
    }

    /// Whether nobody has decided anything that is in force.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a rule for this kind.
    pub fn concern(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }

    /// Whether the claims of this kind are counted.
    pub fn limit(&self, kind: &str) -> bool {
        self.0.get(kind).is_some_and(|rule| rule.limited)
    }

    /// Whether a saga stays where it is, since its kind is switched off.
    pub fn keep(&self, saga: &SagaRow) -> bool {
        let rule = self.0.get(&saga.kind);
        rule.is_some_and(|rule| rule.mode.keeps(saga))
    }
}

/// The rules as they were last read, shared by everybody in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rulebook(Arc<watch::Sender<Arc<Rules>>>);

impl Rulebook {
    pub(crate) fn now(&self) -> Arc<Rules> {
        Arc::clone(&self.0.borrow())
    }

    pub(crate) fn tell(&self, rules: Rules) {
        self.0.send_replace(Arc::new(rules));
    }
}
