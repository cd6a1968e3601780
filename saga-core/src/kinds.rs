//! Every saga that a process knows, by kind.

use crate::advance::{Advance, Probed, advance, probe};
use crate::db::Tx;
use crate::journal::{Journal, Key};
use crate::saga::Saga;
use crate::schedule::Written;
use crate::store::NewSaga;
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
    /// Names the key of an input; none for kinds that have no keys.
    singleton: Option<fn(&Value) -> Option<String>>,
    opening: Option<for<'a> fn(&'a mut Tx, &'a NewSaga) -> Written<'a>>,
    check: fn(&Value) -> Result<(), String>,
    advance: fn(Uuid, &Value, &Arc<Journal>) -> Advance,
    probe: fn(Uuid, &Value, &Arc<Journal>, (Key, Value)) -> Probed,
}

impl Kind {
    /// Checks an input against the saga's type; the error names the field.
    pub fn check(&self, input: &Value) -> Result<(), String> {
        (self.check)(input)
    }
    /// The key of an input, of which one saga is open at a time.
    pub fn singleton(&self, input: &Value) -> Option<String> {
        self.singleton.and_then(|key| key(input))
    }
    /// Writes what belongs to a saga that a schedule begins.
    pub(crate) async fn open(&self, tx: &mut Tx, saga: &NewSaga) -> sqlx::Result<()> {
        match self.opening {
            Some(opening) => opening(tx, saga).await,
            None => Ok(()),
        }
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
            singleton: S::SINGLETON.map(|_| singleton::<S> as fn(&Value) -> Option<String>),
            opening: S::OPENING
                .map(|_| opening::<S> as for<'a> fn(&'a mut Tx, &'a NewSaga) -> Written<'a>),
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

fn singleton<S: Saga>(input: &Value) -> Option<String> {
    let key = S::SINGLETON?;
    key(&serde_json::from_value(input.clone()).ok()?)
}

fn opening<'a, S: Saga>(tx: &'a mut Tx, saga: &'a NewSaga) -> Written<'a> {
    Box::pin(async move {
        let Some(opening) = S::OPENING else {
            return Ok(());
        };
        let input = serde_json::from_value(saga.input.clone());
        opening(
            tx,
            saga,
            input.map_err(|error| sqlx::Error::Decode(error.into()))?,
        )
        .await
    })
}
