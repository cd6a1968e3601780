//! The store: the only truth. One module for each thing the engine means.

mod admission;
pub mod audit;
mod budgets;
mod cache;
mod charges;
mod children;
mod claim;
mod control;
mod effects;
mod forget;
mod gates;
mod gauges;
mod heartbeat;
mod jobs;
mod judge;
mod kind_limits;
mod kinds;
mod ledger;
mod letter_groups;
mod letter_notes;
mod letters;
mod limits;
mod line;
mod links;
mod load;
mod patience;
mod pauses;
mod pressure;
mod queues;
mod replays;
mod reports;
mod retire;
mod reviews;
mod rows;
mod save;
mod schedules;
mod search;
mod settle;
mod standing;
mod start;
mod sweep;
mod tickets;
mod traces;
mod trouble;
mod verbs;
mod workers;
mod write;

pub use budgets::OverBudget;
pub use charges::Spent;
pub use claim::{Claimed, Seen};
pub use control::{Cancel, ControlError};
pub use effects::{Ask, Effect, EffectKey, PaidCall};
pub use gates::{Closed, Gate};
pub use gauges::{Gauges, QueueGauges};
pub use jobs::{JobEvent, JobStep};
pub use judge::{Judged, Judgement};
pub use kind_limits::{Bound, KindLimit, NewLimit};
pub use kinds::{KindLoad, KindSwitch};
pub use ledger::{LedgerEntry, LedgerFilter};
pub use letter_groups::{GroupBy, LetterGroup};
pub use letter_notes::GroupNote;
pub use letters::{Letter, LetterFilter};
pub use limits::{ByHand, Limit, Today};
pub use pauses::QueueSwitch;
pub use queues::QueueLoad;
pub use replays::{NewReplay, Preview, Replay, ReplayTurn, ReplayVerb, ReplayedLetter};
pub use reports::{Costs, CostsBy};
pub use retire::{Keep, Retired};
pub use reviews::{ReviewError, ReviewFilter, ReviewRow, Verdict};
pub use schedules::ScheduleRow;
pub use search::{Found, Place, SagaFilter};
pub use settle::{Recorder, SettleOutcome, Settlement};
pub use start::{Begun, NewSaga, StartError, Started};
pub use sweep::Swept;
use trouble::is_about_rows;
pub(crate) use trouble::is_passing;
pub use verbs::{Done, SagaVerb, VerbError};
pub use workers::{Beat, DrainError, Share, WorkerRow, WorkerState};

use crate::caps::Caps;
use crate::clock::Clock;
use crate::db::Db;
use crate::kinds::Kinds;
use crate::prices::Prices;
use crate::rules::Rulebook;
use crate::schedule::Schedule;
use std::sync::Arc;

/// The store, and the sagas it may hold.
#[derive(Clone)]
pub struct Store {
    db: Db,
    kinds: Arc<Kinds>,
    clock: Arc<Clock>,
    prices: Arc<Prices>,
    caps: Caps,
    rules: Rulebook,
    pressure: pressure::Pressure,
    schedules: Arc<[Schedule]>,
}

impl Store {
    /// A store over an open database.
    pub fn new(db: Db, kinds: Arc<Kinds>) -> Self {
        Self {
            db,
            kinds,
            clock: Arc::default(),
            prices: Arc::default(),
            caps: Caps::default(),
            rules: Rulebook::default(),
            pressure: pressure::Pressure::default(),
            schedules: Arc::default(),
        }
    }
    /// The same, knowing what models cost.
    #[must_use]
    pub fn with_prices(mut self, prices: Prices) -> Self {
        self.prices = Arc::new(prices);
        self
    }
    /// The same, keeping what is spent below these caps, unless others are set by hand.
    #[must_use]
    pub fn with_caps(mut self, caps: Caps) -> Self {
        self.caps = caps;
        self
    }
    /// The same, beginning these sagas by the clock, wherever it is swept.
    #[must_use]
    pub fn with_schedules(mut self, schedules: Vec<Schedule>) -> Self {
        self.schedules = schedules.into();
        self
    }
    /// The database below, for the rows of the domain.
    pub fn db(&self) -> &Db {
        &self.db
    }
    /// The sagas this process knows.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }
}
